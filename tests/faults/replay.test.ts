import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { streamInfo } from '../../shared/bus/streams.ts'
import type { ProofReport, ReplayReport } from '../../shared/model/replay.ts'
import { chainsOfEveryKind, stepTimeMs } from '../support/replayed-chains.ts'
import { type DeliveryStage, openStage, waitForCommits } from '../support/delivery-stage.ts'
import { startService } from '../support/service.ts'
import { strikeflow } from '../support/stack.ts'

const root = new URL('../../', import.meta.url).pathname
/** Both the processor and the replay would be killed by opening that one message. */
const deadly = { NODE_OPTIONS: `--import=${join(root, 'tests/support/poison.ts')}` }
const streams = ['CHAINS', 'ALERTS', 'FEATURES', 'DLQ', 'QUALITY', 'SCAN_RESULTS', 'SCANS'] as const
const middle = ['--from', new Date(stepTimeMs(12)).toISOString(), '--to', new Date(stepTimeMs(28)).toISOString()]

interface Replayed {
  readonly code: number | null
  readonly report: ReplayReport
  readonly stderr: string
}

describe('a replay', () => {
  let stage: DeliveryStage
  let folder: string
  const messages = chainsOfEveryKind()

  const places = (): readonly string[] => [
    '--nats',
    stage.nats.url,
    '--archive',
    join(folder, 'archive'),
    '--data',
    folder,
    '--json',
  ]
  async function replay(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Replayed> {
    const all = ['replay', '--into', 'scratch', '--replace', '--compare', ...args, ...places()]
    const { code, stdout, stderr } = await strikeflow(all, { ...stage.clickhouse.env, ...env })
    return { code, stderr, report: (stdout === '' ? null : JSON.parse(stdout)) as ReplayReport }
  }
  async function prove(alertId: string): Promise<{ readonly code: number | null; readonly proof: ProofReport }> {
    const { env } = stage.clickhouse
    const { code, stdout } = await strikeflow(['prove', alertId, ...places()], env)
    return { code, proof: JSON.parse(stdout) as ProofReport }
  }
  const sequences = (): Promise<readonly number[]> =>
    Promise.all(streams.map(async (name) => (await streamInfo(stage.bus, name)).lastSeq))
  const rows = <T>(sql: string): Promise<T[]> => stage.store.query.rows<T>(sql)
  const alertIds = async (): Promise<readonly string[]> =>
    (await rows<{ id: string }>('SELECT toString(alert_id) AS id FROM alerts_v1 FINAL ORDER BY id')).map(({ id }) => id)
  /** A row replaces the one of its key when its epoch is higher: no mutation, as a tampering hand would do it. */
  const tamper = (table: string, change: string, where: string): Promise<void> =>
    stage.store.command(
      // A name that is replaced means the new value everywhere in its query.
      `INSERT INTO ${table} SELECT * REPLACE (epoch + 1 AS epoch, ${change}) FROM (SELECT * FROM ${table} FINAL WHERE ${where} LIMIT 1)`,
    )

  const restore = (table: string): Promise<void> =>
    stage.store.command(
      `INSERT INTO ${table} SELECT * REPLACE ((SELECT max(epoch) + 1 FROM ${table}) AS epoch) FROM scratch.${table} FINAL`,
    )

  beforeAll(async () => {
    stage = await openStage()
    folder = await mkdtemp(join(tmpdir(), 'strikeflow-replay-'))
    await using archiver = startService('archiver', {
      NATS_URL: stage.nats.url,
      ARCHIVER_DIRECTORY: join(folder, 'archive'),
      ARCHIVER_FILE_SECONDS: '1',
    })
    await stage.publish(messages)
    for (;;) {
      const processor = await stage.start('first', deadly, false)
      const end = await Promise.race([processor.exited.then(() => 'died'), waitForCommits(stage, messages.length)])
      if (end === true) {
        expect(await processor.stop()).toBe(0)
        break
      }
    }
    await archiver.end('SIGTERM')
  })
  afterAll(async () => {
    await stage[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  it('has one of everything that can become of a message to go by', async () => {
    const found = await rows<{ kind: string; n: number }>(
      `SELECT concat(toString(outcome), ' ', reason, if(late, ' late', ''), if(content_unchanged, ' unchanged', '')) AS kind, count() AS n
       FROM snapshots_v1 FINAL GROUP BY kind ORDER BY kind`,
    )
    expect(Object.fromEntries(found.map(({ kind, n }) => [kind.trim(), n]))).toEqual({
      'dead-lettered compute_failed': 1,
      'dead-lettered crashed_processor': 1,
      'dead-lettered undecodable': 2,
      'duplicate already_stored late': 1,
      'duplicate already_stored unchanged': 1,
      stored: 321,
      'stored  late': 2,
      'stored  unchanged': 1,
    })
    expect((await alertIds()).length).toBeGreaterThan(8)
  })

  it('of everything gives identical rows from the stream, opens nothing deadly and publishes nothing', async () => {
    const before = await sequences()
    const { code, report } = await replay(['--source', 'stream'], deadly)
    expect(report.comparison).toMatchObject({ same: true, rows: [], brokenChain: [] })
    expect(code).toBe(0)
    expect(report).toMatchObject({ messages: messages.length, readFrom: { stream: messages.length } })
    for (const { stored, replayed } of report.comparison?.tables ?? []) {
      expect(stored).toBeGreaterThan(0)
      expect(replayed).toBe(stored)
    }
    expect(await sequences()).toEqual(before)
  })

  it('of a range in the middle begins from the states stored before it, and gives identical alerts and states', async () => {
    // With the parameters of the rows, whatever the environment says.
    const { code, report } = await replay(middle, { PROCESSOR_RISK_FREE_RATE: '0.01', PROCESSOR_CURVE_SOURCE: 'other' })
    expect(report.parameters[0]).toContain('rate 0.037 (flat, 2026-06-22)')
    expect(report.comparison).toMatchObject({ same: true, rows: [] })
    expect(code).toBe(0)
    // Nine underlyings, and T5 once more behind those that are not of the range.
    expect(report.states).toBe(10)
    // What it is a copy of was stored before the range.
    expect(report.outcomes).toMatchObject({ duplicate: 1 })
    expect(report.alerts).toBeGreaterThan(0)
    expect(report.messages).toBeLessThan(messages.length)
  })

  it('of some underlyings is of these only', async () => {
    const { code, report } = await replay(['--underlyings', 'T5,F0'])
    expect(report.comparison).toMatchObject({ same: true })
    expect(code).toBe(0)
    expect(report.messages).toBe(43)
  })

  it('proves every alert from the snapshot it names', async () => {
    const before = await sequences()
    const [first = '', second = ''] = await alertIds()
    for (const id of [first, second]) {
      const { code, proof } = await prove(id)
      expect(proof).toMatchObject({ verdict: 'proven', missing: [] })
      expect(proof.features.length).toBeGreaterThan(50)
      expect(code).toBe(0)
    }
    expect(await sequences()).toEqual(before)
  })

  it('says with a code of its own that a deleted message is nowhere, and names it', async () => {
    const [row] = await rows<{ seq: number }>(
      `SELECT stream_seq AS seq FROM snapshots_v1 FINAL WHERE outcome = 'stored' AND underlying = 'T6' ORDER BY seq LIMIT 1 OFFSET 20`,
    )
    await stage.bus.jsm.streams.deleteMessage('CHAINS', row?.seq ?? 0)
    const { code, report } = await replay(['--source', 'stream'])
    expect(code).toBe(3)
    expect(report).toMatchObject({ missingCount: 1, comparison: null })
    expect(report.missing[0]).toMatchObject({ why: 'stream: CHAINS has no message there' })
    expect(report.missing[0]?.what).toContain(` at ${row?.seq} of CHAINS`)
    // The archive has it still.
    const both = await replay([])
    expect(both.report).toMatchObject({
      readFrom: { stream: messages.length - 1, archive: 1 },
      comparison: { same: true },
    })
    expect(both.code).toBe(0)
  })

  it('gives identical rows from the archive after CHAINS was purged', async () => {
    await stage.bus.jsm.streams.purge('CHAINS')
    const { code, report } = await replay([])
    expect(report).toMatchObject({ readFrom: { archive: messages.length }, comparison: { same: true, rows: [] } })
    expect(code).toBe(0)
    const part = await replay([...middle, '--source', 'archive'])
    expect(part.report.comparison).toMatchObject({ same: true })
    expect(part.code).toBe(0)
  })

  it('is refused under other parameters than any that fit, with a code of its own', async () => {
    const [row] = await rows<{ version: string }>('SELECT any(code_version) AS version FROM snapshots_v1')
    await tamper('snapshots_v1', `'0.0.1+00000000' AS code_version`, `underlying = 'T7' AND outcome = 'stored'`)
    const { code, report } = await replay([])
    expect(code).toBe(4)
    expect(report.comparison).toBeNull()
    expect(report.notReproducible).toMatchObject([{ codeVersion: '0.0.1+00000000', messages: 1 }])
    await tamper('snapshots_v1', `'${row?.version}' AS code_version`, `code_version = '0.0.1+00000000'`)
  })

  it('takes a copy that wrote lost rows again for the copy it is', async () => {
    const change = `'rows_written_again' AS reason, NOT late AS late`
    await tamper('snapshots_v1', change, `message_id = 'copy-of-T1-2'`)
    const { code, report } = await replay([])
    expect(report.comparison).toMatchObject({ same: true })
    expect(code).toBe(0)
    await restore('snapshots_v1')
  })

  it('finds each single value that was changed, in any table and column, and no other', async () => {
    const changes = [
      ['option_quotes_v1', 'ask + 0.01 AS ask', `underlying = 'T2' AND right = 'C'`, 'ask'],
      ['option_quotes_v1', 'NULL AS iv', `underlying = 'T4' AND isNotNull(iv)`, 'iv'],
      ['expiry_features_v1', 'forward + 1e-12 AS forward', `underlying = 'T2'`, 'forward'],
      ['chain_features_v1', 'spot + 1e-12 AS spot', `underlying = 'T3'`, 'spot'],
      ['alerts_v1', 'score + 0.1 AS score', '1', 'score'],
      ['detector_states_v1', `concat(state, ' ') AS state`, `underlying = 'T0'`, 'state'],
      ['quote_rejects_v1', `'other' AS detail`, '1', 'detail'],
      ['snapshots_v1', `'2020-01-01' AS received_at`, `underlying = 'T2' AND late`, 'received_at'],
      ['snapshots_v1', 'previous_seq - 1 AS previous_seq', `underlying = 'T1' AND previous_seq > 1`, 'previous_seq'],
    ] as const
    for (const [table, change, where] of changes) await tamper(table, change, where)
    const { code, report } = await replay([])
    expect(code).toBe(1)
    const found = report.comparison?.rows.flatMap(({ table, kind, columns }) =>
      columns.map(({ column }) => `${kind} ${table} ${column}`),
    )
    expect(found?.toSorted()).toEqual(changes.map(([table, , , column]) => `differing ${table} ${column}`).toSorted())
    expect(report.comparison?.brokenChain).toHaveLength(1)
    // What came out of the replay goes back in.
    for (const table of new Set(changes.map(([name]) => name))) await restore(table)
  })

  it('finds a bug that was planted in a detector and one in a feature', async () => {
    const copy = join(folder, 'copy')
    for (const part of ['services', 'shared', 'package.json'])
      cpSync(join(root, part), join(copy, part), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    const plant = (file: string, from: string, to: string): void => {
      const text = readFileSync(join(root, file), 'utf8')
      expect(text).toContain(from)
      writeFileSync(join(copy, file), text.replace(from, to))
    }
    const runCopy = async (): Promise<readonly string[]> => {
      const args = ['replay', '--into', 'planted', '--replace', '--compare', '--list', '500', ...places()]
      const child = spawn(process.execPath, [join(copy, 'services/cli/main.ts'), ...args], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { PATH: process.env['PATH'], ...stage.clickhouse.env },
      })
      let out = ''
      child.stdout.on('data', (text) => (out += String(text)))
      expect(await once(child, 'close')).toEqual([1, null])
      const { comparison } = JSON.parse(out) as ReplayReport
      return (comparison?.tables ?? []).filter(({ differing }) => differing > 0).map(({ table }) => table)
    }
    plant('services/processor/detectors/baseline.ts', '(value - mean), 9)', '(value - mean), 12)')
    plant('services/processor/features/positioning.ts', 'putVolume / callVolume', 'callVolume / putVolume + 1')
    expect(await runCopy()).toEqual(expect.arrayContaining(['chain_features_v1', 'detector_states_v1']))
  })

  it('does not prove an alert whose row was changed, nor one that never was', async () => {
    const [id = ''] = await alertIds()
    await tamper('alerts_v1', `replaceOne(evidence, '"ratio":', '"ratio":1') AS evidence`, `alert_id = '${id}'`)
    const { code, proof } = await prove(id)
    expect(code).toBe(1)
    expect(proof.verdict).toBe('differs')
    expect(proof.alert.filter(({ same }) => !same).map(({ name }) => name)).toEqual(['evidence', 'evidence.ratio'])
    expect(await prove('00000000-0000-8000-8000-000000000000')).toMatchObject({
      code: 2,
      proof: { verdict: 'inputs missing' },
    })
    await restore('alerts_v1')
  })

  it('finds rows that nobody committed', async () => {
    await stage.store.command(
      `INSERT INTO alerts_v1 SELECT * REPLACE (generateUUIDv4() AS alert_id, generateUUIDv4() AS snapshot_id) FROM alerts_v1 FINAL LIMIT 1`,
    )
    const { code, report } = await replay([])
    expect(code).toBe(1)
    expect(report.comparison?.rows).toMatchObject([{ table: 'alerts_v1', kind: 'only stored' }])
  })

  it('finds a row that is gone, and a commit row that is gone', async () => {
    await stage.clickhouse.control('SYSTEM START MERGES')
    await stage.store.command('ALTER TABLE alerts_v1 DELETE WHERE 1', {}, { mutations_sync: '2' })
    await stage.store.command(
      'INSERT INTO alerts_v1 SELECT * FROM scratch.alerts_v1 FINAL ORDER BY alert_id LIMIT 1 OFFSET 1',
    )
    const lost = await replay([])
    expect(lost.code).toBe(1)
    const alerts = lost.report.comparison?.tables.find(({ table }) => table === 'alerts_v1')
    expect(alerts).toMatchObject({ stored: 1, differing: 0, onlyStored: 0, onlyReplayed: (alerts?.replayed ?? 0) - 1 })
    await restore('alerts_v1')

    const duplicate = `ALTER TABLE snapshots_v1 DELETE WHERE message_id = 'copy-of-T1-2'`
    await stage.store.command(duplicate, {}, { mutations_sync: '2' })
    const broken = await replay([])
    expect(broken.code).toBe(1)
    expect(broken.report.comparison?.brokenChain).toHaveLength(1)
    expect(broken.report.comparison?.tables.every(({ differing }) => differing <= 1)).toBe(true)
  })

  it('refuses to write where it must not', async () => {
    const into = (name: string, ...more: readonly string[]) =>
      strikeflow(['replay', '--into', name, ...more, ...places()], stage.clickhouse.env)
    expect(await into('strikeflow', '--replace')).toMatchObject({ code: 2 })
    expect((await into('scratch')).stderr).toContain('holds an earlier replay')
    await stage.store.command('CREATE DATABASE IF NOT EXISTS foreign')
    await stage.store.command('CREATE TABLE foreign.t (a UInt8) ENGINE = MergeTree ORDER BY a')
    expect((await into('foreign', '--replace')).stderr).toContain('none that a replay has made')
    expect(await into('other', '--from', '2020-01-01', '--to', '2020-01-02')).toMatchObject({ code: 2 })
  })
})
