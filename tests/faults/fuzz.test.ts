import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { headers as newHeaders } from 'nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readArchive } from '../../shared/archive/reader.ts'
import { deadLetters } from '../../shared/bus/dead-letters.ts'
import { messageAt } from '../../shared/bus/messages.ts'
import { streamInfo } from '../../shared/bus/streams.ts'
import { decodeSnapshot } from '../../shared/model/snapshot-codec.ts'
import { offences } from '../support/allowed-snapshot.ts'
import { type DeliveryStage, openStage, type TestProcessor } from '../support/delivery-stage.ts'
import { type HostileMessage, hostileMessage } from '../support/hostile-messages.ts'
import { startService, type TestService } from '../support/service.ts'
import { strikeflow } from '../support/stack.ts'
import { waitFor } from '../support/wait-for.ts'

const seed = 20_261_201
const count = 2_000

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe('2,000 hostile messages through a running stack', () => {
  let stage: DeliveryStage
  let processor: TestProcessor
  let archiver: TestService
  let folder: string
  /** Payloads by sequence in CHAINS, as they were published. */
  const published = new Map<number, HostileMessage>()
  let tooLarge = 0

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'strikeflow-fuzz-'))
    stage = await openStage()
    processor = await stage.start('fuzzed')
    archiver = startService('archiver', {
      NATS_URL: stage.nats.url,
      ARCHIVER_DIRECTORY: join(folder, 'archive'),
      ARCHIVER_FILE_SECONDS: '1',
      ARCHIVER_MIN_FREE_MEBIBYTES: '0',
    })
    await waitFor('an archiver', () => archiver.output().includes('"ready":true'))
    for (let number = 0; number < count; number += 1) await publish(hostileMessage(seed, number))
    const expected = [...published.values()].filter(({ subject }) => /^chains\.raw\.(\d|1[0-5])\./.test(subject)).length
    await waitFor('a commit row for each message', async () => (await stage.committed()) >= expected, {
      intervalMs: 200,
    })
  })
  afterAll(async () => {
    await archiver.end('SIGKILL')
    await stage[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  async function publish(message: HostileMessage): Promise<void> {
    const headers = newHeaders()
    for (const [name, value] of Object.entries(message.headers)) headers.set(name, value)
    // The stream takes 1 MiB with headers: what is larger never gets to a reader.
    if (message.payload.length > 1_000_000) {
      tooLarge += 1
      return
    }
    const ack = await stage.bus.js.publish(message.subject, message.payload, { msgID: message.messageId, headers })
    if (!ack.duplicate) published.set(ack.seq, message)
  }

  const commits = (): Promise<readonly { outcome: string; reason: string; n: number }[]> =>
    stage.store.query.rows(
      'SELECT toString(outcome) AS outcome, reason, count() AS n FROM snapshots_v1 FINAL GROUP BY outcome, reason ORDER BY outcome, reason',
    )

  it('each ends as stored, duplicate or dead letter, and no service has ended', async () => {
    const found = await commits()
    const total = found.map(
      ({ outcome, reason, n }) => `  ${`${outcome} ${reason}`.padEnd(36)} ${String(n).padStart(6)}`,
    )
    process.stdout.write(
      `${total.join('\n')}\n  ${'larger than a message may be'.padEnd(36)} ${String(tooLarge).padStart(6)}\n`,
    )
    expect(new Set(found.map(({ reason }) => reason))).not.toContain('crashed_processor')
    expect(found.find(({ outcome }) => outcome === 'stored')?.n).toBeGreaterThan(200)
    expect(found.find(({ reason }) => reason === 'undecodable')?.n).toBeGreaterThan(1_000)
    expect([processor.process.exitCode, processor.process.signalCode]).toEqual([null, null])
    expect([archiver.process.exitCode, archiver.process.signalCode]).toEqual([null, null])
    expect(await processor.problems()).toEqual([])
    const letters = await Array.fromAsync(deadLetters(stage.bus))
    const dead = found.filter(({ outcome }) => outcome === 'dead-lettered').reduce((sum, { n }) => sum + n, 0)
    expect(letters).toHaveLength(dead)
    for (const { reason, error } of letters) expect(`${reason} ${error}`).toMatch(/^[ -~]+$/)
  })

  it('what is stored decodes to what the model allows, and has all its rows', async () => {
    const stored = await stage.store.query.rows<{ seq: number; quotes: number }>(
      `SELECT stream_seq AS seq, n_quotes AS quotes FROM snapshots_v1 FINAL WHERE outcome = 'stored'`,
    )
    for (const { seq, quotes } of stored) {
      const message = await messageAt(stage.bus, 'CHAINS', seq)
      const encoding = message?.headers.get('Content-Encoding') ?? null
      const snapshot = decodeSnapshot(message?.payload ?? new Uint8Array(), encoding, '1')
      expect(offences(snapshot)).toEqual([])
      expect(snapshot.columns.length).toBe(quotes)
    }
    const torn = await stage.store.query.rows(
      `SELECT snapshot_id FROM (SELECT snapshot_id, n_quotes FROM snapshots_v1 FINAL WHERE outcome = 'stored' AND n_quotes > 0) AS c
       LEFT JOIN (SELECT snapshot_id, count() AS there FROM option_quotes_v1 FINAL GROUP BY snapshot_id) AS q USING (snapshot_id)
       WHERE n_quotes != there`,
    )
    expect(torn).toEqual([])
  })

  it('each is in the archive to the byte', async () => {
    const { lastSeq } = await streamInfo(stage.bus, 'CHAINS')
    const directory = join(folder, 'archive')
    const archived = async () => Array.fromAsync(readArchive({ directory }))
    await waitFor('an archive of all messages', async () => (await archived()).at(-1)?.streamSeq === lastSeq)
    const messages = await archived()
    expect(messages.map(({ streamSeq }) => streamSeq)).toEqual([...published.keys()])
    for (const { streamSeq, payload, subject } of messages) {
      const sent = published.get(streamSeq)
      expect(subject).toBe(sent?.subject)
      expect(hashOf(payload)).toBe(hashOf(sent?.payload ?? new Uint8Array()))
    }
  })

  it('is restored from the archive into another stream, to the byte', async () => {
    await using other = await openStage()
    const restored = await strikeflow(
      ['archive', 'restore', '--directory', join(folder, 'archive'), '--nats', other.nats.url],
      other.clickhouse.env,
    )
    expect(`${restored.code} ${restored.stderr}`).toMatch(/^0 /)
    const { lastSeq } = await streamInfo(other.bus, 'CHAINS')
    expect(lastSeq).toBe(published.size)
    // In their order on each subject; two subjects may overtake each other.
    const bySubject = new Map<string, string[]>()
    const add = (subject: string, payload: Uint8Array): void => {
      bySubject.set(subject, [...(bySubject.get(subject) ?? []), hashOf(payload)])
    }
    for (const { subject, payload } of published.values()) add(subject, payload)
    const sent = new Map(bySubject)
    bySubject.clear()
    for (let seq = 1; seq <= lastSeq; seq += 1) {
      const message = await messageAt(other.bus, 'CHAINS', seq)
      add(message?.subject ?? '', message?.payload ?? new Uint8Array())
    }
    expect(bySubject).toEqual(sent)
  })

  it('is printed by tail and dlq in lines that a terminal does not obey', async () => {
    const onServer = ['--nats', stage.nats.url]
    const tail = await strikeflow(['tail', 'chains.raw.>', '--all', '--count', '500', ...onServer])
    const list = await strikeflow(['dlq', 'list', ...onServer])
    const show = await strikeflow(['dlq', 'show', '7', ...onServer])
    for (const { code, stdout } of [tail, list, show]) {
      expect(code).toBe(0)
      expect(stdout).not.toMatch(/[^\P{C}\n]/u)
    }
  })
})
