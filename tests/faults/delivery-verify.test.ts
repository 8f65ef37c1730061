import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { readManifest } from '../../shared/archive/manifest.ts'
import { repair } from '../../services/cli/verify/repair.ts'
import { renderRepair } from '../../services/cli/verify/render.ts'
import { ensureStreams } from '../../shared/bus/streams.ts'
import { auditCommits, type CommitDamage } from '../../shared/store/queries/commit-audit.ts'
import { checksums, type TableSum } from '../support/checksum.ts'
import {
  chainMessage,
  chainMessages,
  type DeliveryStage,
  openStage,
  waitForCommits,
} from '../support/delivery-stage.ts'
import { startService } from '../support/service.ts'
import { type CommandResult, strikeflow } from '../support/stack.ts'
import { waitFor } from '../support/wait-for.ts'

type Sums = Readonly<Record<string, TableSum>>

const steps = 60
const messages = chainMessages(6, steps)
const idOf = (underlying: string, step: number): string => chainMessage({ underlying, step }).messageId
/** Steps 20 to 22 of T2, the one after them that raises an alert, one of T4. */
const lost = [...[20, 21, 22, 39].map((step) => idOf('T2', step)), idOf('T4', 21)]

interface Report {
  readonly ok: boolean
  readonly damaged: readonly { readonly table: string; readonly snapshotId: string; readonly there: number }[]
  readonly breaks: readonly unknown[]
  readonly strays: readonly unknown[]
  readonly repair?: {
    readonly repaired: number
    readonly gone: readonly unknown[]
    readonly waiting: readonly unknown[]
  }
  readonly restore?: string
}

describe('strikeflow verify --commits', () => {
  let undisturbed: Sums
  beforeAll(async () => {
    await using stage = await openStage()
    await stage.start('alone')
    await stage.publish(messages)
    await waitForCommits(stage, messages.length)
    undisturbed = rowsOf(await checksums(stage.store.query))
    const alerts = await stage.store.query.rows<{ id: string }>('SELECT toString(snapshot_id) AS id FROM alerts_v1')
    expect(alerts.map(({ id }) => id)).toContain(idOf('T2', 39))
  })

  it('finds what a restore of older tables took, and has exactly that written again from the stream', async () => {
    await using stage = await stored()
    expect(await verify(stage)).toMatchObject({ code: 0, report: { ok: true, damaged: [], breaks: [], strays: [] } })
    await lose(stage, 'option_quotes_v1', lost)
    await lose(stage, 'detector_states_v1', lost.slice(0, 3))
    await lose(stage, 'alerts_v1', lost)
    // Too old for the audit at taking. Slow flushes: each copy rests on the state of one that is not in the table yet.
    const owner = await stage.start('second', { PROCESSOR_FLUSH_MS: '3000' })
    expect(owner.log.filter(({ msg }) => msg.startsWith('commit rows without'))).toEqual([])

    const { code, report } = await verify(stage)
    expect(code).toBe(1)
    expect(report.damaged.every(({ there }) => there === 0)).toBe(true)
    const inTable = (table: string): readonly string[] =>
      report.damaged
        .filter((damage) => damage.table === table)
        .map(({ snapshotId }) => snapshotId)
        .toSorted()
    expect(inTable('option_quotes_v1')).toEqual(lost.toSorted())
    expect(inTable('detector_states_v1')).toEqual(lost.slice(0, 3).toSorted())
    expect(inTable('alerts_v1')).toEqual([idOf('T2', 39)])
    expect(report.damaged).toHaveLength(lost.length + 3 + 1)

    const repaired = await verify(stage, '--repair')
    expect(repaired).toMatchObject({
      code: 0,
      report: { ok: true, repair: { repaired: lost.length, gone: [], waiting: [] } },
    })
    expect(rowsOf(await checksums(stage.store.query))).toEqual(undisturbed)
    const people = await strikeflow(['verify', '--commits'], environmentOf(stage))
    expect(people.stdout).toContain('every commit row has its rows, and the chain is unbroken')
  })

  it('says how to restore what the stream no longer has, and the copies from the archive bring the same rows', async () => {
    await using stage = await stored()
    const directory = await mkdtemp(join(tmpdir(), 'strikeflow-archive-'))
    await archive(stage, directory)
    await stage.bus.jsm.streams.delete('CHAINS')
    await ensureStreams(stage.bus, 'embedded')
    await lose(stage, 'option_quotes_v1', lost)
    await lose(stage, 'detector_states_v1', lost.slice(0, 3))
    await lose(stage, 'alerts_v1', lost)
    await stage.start('second')
    const { code, report } = await verify(stage, '--repair')
    expect(code).toBe(1)
    expect(report.repair?.gone).toHaveLength(lost.length)
    expect(report.restore).toMatch(/^strikeflow archive restore --append --from \S+Z --to \S+Z --underlyings T2,T4$/)

    const args = (report.restore ?? '').split(' ').slice(1)
    const restored = await strikeflow(
      [...args, '--nats', stage.nats.url, '--directory', directory],
      environmentOf(stage),
    )
    expect(restored.stderr).not.toContain('strikeflow:')
    expect(restored.code).toBe(0)
    await waitFor('nothing to be found', async () => (await verify(stage)).code === 0)
    expect(rowsOf(await checksums(stage.store.query))).toEqual(undisturbed)
    await rm(directory, { recursive: true })
  })

  it('finds torn rows, lost commit rows and rows without any, and says what each is', async () => {
    await using stage = await stored()
    await stage.clickhouse.control('SYSTEM START MERGES')
    await stage.store.command('DELETE FROM option_quotes_v1 WHERE snapshot_id = {id:UUID} AND strike = 95', {
      id: idOf('T1', 9),
    })
    await stage.store.command('DELETE FROM snapshots_v1 WHERE snapshot_id = {id:UUID}', { id: idOf('T3', 12) })
    await stage.store.command(
      'ALTER TABLE option_quotes_v1 UPDATE stored_at = stored_at - toIntervalDay(1) WHERE snapshot_id = {id:UUID}',
      { id: idOf('T3', 12) },
      { mutations_sync: '2' },
    )
    const { code, report } = await verify(stage)
    expect(code).toBe(1)
    expect(report.damaged).toMatchObject([
      { table: 'option_quotes_v1', snapshotId: idOf('T1', 9), there: 4, promised: 6 },
    ])
    expect(report.breaks).toHaveLength(1)
    const { stdout } = await strikeflow(['verify', '--commits'], environmentOf(stage))
    expect(stdout).toMatch(/^ {2}torn {2}option_quotes_v1 {2}T1 test \S+ {2}4 of 6 rows/m)
    expect(stdout).toMatch(/^chain broken: partition \d+/m)
  })

  it('goes on past what cannot be made whole, and names what was not tried and what is gone where nobody reads', async () => {
    await using stage = await stored()
    await lose(stage, 'option_quotes_v1', lost)
    const hopeless = idOf('T2', 20)
    const more = 'ALTER TABLE snapshots_v1 UPDATE n_quotes = n_quotes + 1 WHERE snapshot_id = {id:UUID}'
    await stage.store.command(more, { id: hopeless }, { mutations_sync: '2' })
    const { query } = stage.store
    const options = { bus: stage.bus, query, patienceMs: 1_000, atOnce: 1, onProgress: () => {} }
    const damaged = async (): Promise<readonly CommitDamage[]> => auditCommits(query, { snapshotIds: lost })
    const idsOf = (of: readonly CommitDamage[]): readonly string[] => of.map(({ snapshotId }) => snapshotId).toSorted()

    const last = (await damaged()).find(({ snapshotId }) => snapshotId === idOf('T2', 39))
    await stage.bus.jsm.streams.deleteMessage('CHAINS', last?.streamSeq ?? 0)
    const unread = await repair(await damaged(), options)
    expect(unread.repaired).toBe(0)
    expect(idsOf(unread.waiting)).toEqual([hopeless])
    expect(idsOf(unread.untried)).toEqual([idOf('T2', 21), idOf('T2', 22), idOf('T4', 21)].toSorted())
    expect(idsOf(unread.gone)).toEqual([idOf('T2', 39)])
    expect(renderRepair(unread)).toMatch(
      /^1 snapshots were published again[^]*^3 snapshots were not tried[^]*--underlyings T2$/m,
    )

    await stage.start('second')
    // The copy that nobody had read is stored now; the next copy of the same snapshot writes the same rows under the same epoch.
    await waitForCommits(stage, messages.length + 1)
    const read = await repair(await damaged(), { ...options, patienceMs: 20_000 })
    expect(read).toMatchObject({ repaired: 3, untried: [] })
    expect(idsOf(read.waiting)).toEqual([hopeless])
    expect(idsOf(read.gone)).toEqual([idOf('T2', 39)])
  })

  it('does not say that all is well where nothing is stored', async () => {
    await using stage = await openStage()
    const nothing = await strikeflow(['verify', '--commits'], environmentOf(stage))
    expect(nothing).toMatchObject({ code: 2, stdout: '' })
    expect(nothing.stderr).toContain('nothing was compared')
    const range = await strikeflow(['verify', '--commits', '--from', '2020-01-01'], environmentOf(stage))
    expect(range.stderr).toContain('--from and --to say when rows were stored')
  })

  it('exits otherwise than with a finding when ClickHouse does not answer', async () => {
    const { code, stderr } = await strikeflow(['verify', '--commits'], { CLICKHOUSE_URL: 'http://127.0.0.1:9' })
    expect(code).toBe(5)
    expect(stderr).toMatch(/^strikeflow: ClickHouse did not answer/m)
  })

  it('refuses what makes no sense, and says what does', async () => {
    const wrong = await Promise.all([
      strikeflow(['verify']),
      strikeflow(['verify', '--commits', '--from', 'yesterday']),
      strikeflow(['verify', '--commits', '--from', '2026-06-23', '--to', '2026-06-22']),
    ])
    expect(wrong.map(({ code }) => code)).toEqual([2, 2, 2])
    expect(wrong.map(({ stderr }) => stderr).join('\n')).toMatch(/--commits[^]*instant with its zone[^]*not before/)
  })
})

/** All messages processed and the processor gone; what was stored before step 50 was stored three days ago. */
async function stored(): Promise<DeliveryStage> {
  await using opening = new AsyncDisposableStack()
  const stage = opening.use(await openStage())
  const first = await stage.start('first')
  await stage.publish(messages)
  await waitForCommits(stage, messages.length)
  await first.stop()
  const ids = messages.slice(0, 50 * 6).map(({ messageId }) => messageId)
  const older =
    'ALTER TABLE snapshots_v1 UPDATE stored_at = stored_at - toIntervalDay(3) WHERE message_id IN {ids:Array(String)}'
  // A change of rows is a kind of merge.
  await stage.clickhouse.control('SYSTEM START MERGES')
  await stage.store.command(older, { ids }, { mutations_sync: '2' })
  opening.move()
  return stage
}

async function lose({ store }: DeliveryStage, table: string, snapshots: readonly string[]): Promise<void> {
  await store.command(`DELETE FROM ${table} WHERE snapshot_id IN {snapshots:Array(UUID)}`, { snapshots })
}

const environmentOf = ({ nats, clickhouse }: DeliveryStage): Readonly<Record<string, string>> => ({
  NATS_URL: nats.url,
  ...clickhouse.env,
})

async function verify(
  stage: DeliveryStage,
  ...args: readonly string[]
): Promise<CommandResult & { readonly report: Report }> {
  const result = await strikeflow(['verify', '--commits', '--json', ...args], environmentOf(stage))
  expect(result.stderr).not.toContain('strikeflow:')
  return { ...result, report: JSON.parse(result.stdout) as Report }
}

async function archive(stage: DeliveryStage, directory: string): Promise<void> {
  const env = { NATS_URL: stage.nats.url, ARCHIVER_DIRECTORY: directory, ARCHIVER_FILE_SECONDS: '1', HEALTH_PORT: '0' }
  await using archiver = startService('archiver', env)
  await waitFor('the archive', async () => (await readManifest(directory)).entries.at(-1)?.toSeq === messages.length)
  await archiver.end('SIGTERM')
}

/** Copies have commit rows of their own, so the commit log is left out. */
const rowsOf = (sums: Sums): Sums =>
  Object.fromEntries(Object.entries(sums).filter(([table]) => table !== 'snapshots_v1'))
