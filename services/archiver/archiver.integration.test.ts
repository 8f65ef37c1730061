import { randomBytes } from 'node:crypto'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readManifest } from '../../shared/archive/manifest.ts'
import type { ArchivedMessage } from '../../shared/archive/message.ts'
import { readArchive } from '../../shared/archive/reader.ts'
import { verifyArchive } from '../../shared/archive/verify.ts'
import { openArchiveWriter } from '../../shared/archive/writer.ts'
import type { Bus } from '../../shared/bus/connect.ts'
import { decodeJson, messageAt } from '../../shared/bus/messages.ts'
import { createPublisher } from '../../shared/bus/publisher.ts'
import { streamInfo } from '../../shared/bus/streams.ts'
import { systemClock } from '../../shared/runtime/clock.ts'
import { Registry } from '../../shared/runtime/metrics.ts'
import { restoreArchive } from '../cli/archive/restore.ts'
import { testMessage } from '../../tests/support/archived-messages.ts'
import { mountTmpfs } from '../../tests/support/mount.ts'
import { silentLog, startTestNats, type TestNats } from '../../tests/support/nats.ts'
import { waitFor } from '../../tests/support/wait-for.ts'
import { Archiver } from './archiver.ts'
import { type ArchiverSettings, archiverSettings } from './config.ts'
import { createMetrics } from './metrics.ts'

let nats: TestNats
let bus: Bus
let directory: string
beforeAll(async () => {
  nats = await startTestNats()
  bus = await nats.connect()
})
afterAll(() => nats[Symbol.asyncDispose]())

async function makeStream(limits: { readonly max_bytes?: number; readonly max_msgs?: number } = {}): Promise<void> {
  await bus.jsm.streams.delete('CHAINS').catch(() => {})
  await bus.jsm.streams.add({ name: 'CHAINS', subjects: ['chains.raw.>'], allow_direct: true, ...limits })
}

beforeEach(async () => {
  await makeStream()
  await bus.jsm.streams.delete('QUALITY').catch(() => {})
  await bus.jsm.streams.add({ name: 'QUALITY', subjects: ['quality.>'] })
  directory = await mkdtemp(join(tmpdir(), 'strikeflow-archiver-'))
  return () => rm(directory, { recursive: true, force: true })
})

let published = 0
async function publish(count: number, bytes = 100): Promise<void> {
  const publisher = createPublisher(bus, { publisherId: 'test/1' })
  for (let i = 0; i < count; i++) {
    published += 1
    const payload = randomBytes(bytes)
    await publisher.enqueue(`chains.raw.${i % 3}.test.U${i % 7}`, payload, { messageId: `m-${published}` })
  }
  await publisher.flush()
}

interface Running extends AsyncDisposable {
  readonly archiver: Archiver
  readonly registry: Registry
  /** Rejects when it fails. */
  readonly ended: Promise<void>
}

async function start(change: Partial<ArchiverSettings> = {}): Promise<Running> {
  const own = await nats.connect('archiver')
  const registry = new Registry()
  const ready = Promise.withResolvers<void>()
  const settings = archiverSettings.parse({
    directory,
    fileSeconds: 1,
    minFreeMebibytes: 0,
    lagCheckMs: 50,
    retryMs: 50,
  })
  const archiver = new Archiver({
    bus: own,
    publisher: createPublisher(own, { publisherId: 'archiver/test', deadlineMs: 5000 }),
    settings: { ...settings, ...change },
    clock: systemClock,
    log: silentLog,
    metrics: createMetrics(registry),
    onReady: ready.resolve,
  })
  const stop = new AbortController()
  const ended = archiver.run(stop.signal)
  ended.catch(() => {})
  await Promise.race([ready.promise, ended])
  return {
    archiver,
    registry,
    ended,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended.catch(() => {})
    },
  }
}

/** Runs an archiver until the archive has everything the stream has, and stops it. */
async function archiveAll(change: Partial<ArchiverSettings> = {}): Promise<void> {
  await using running = await start(change)
  await untilArchived(running)
}

const untilArchived = ({ archiver }: Running): Promise<unknown> =>
  waitFor('everything to be archived', async () => {
    const { lastSeq } = await streamInfo(bus, 'CHAINS')
    return archiver.status()['archivedSeq'] === lastSeq
  })

async function archived(): Promise<readonly ArchivedMessage[]> {
  const messages: ArchivedMessage[] = []
  for await (const message of readArchive({ directory })) messages.push(message)
  return messages
}

const metric = async ({ registry }: Running, name: string): Promise<number | undefined> => {
  const found = await registry.getSingleMetric(`strikeflow_archiver_${name}`)?.get()
  return found?.values[0]?.value
}

/** A message with its headers as the bytes they are in the stream. */
async function rawMessage(seq: number): Promise<unknown> {
  const answer = await bus.connection.request('$JS.API.STREAM.MSG.GET.CHAINS', JSON.stringify({ seq }))
  const { message } = answer.json<{ message: { subject: string; hdrs: string; data: string } }>()
  return { subject: message.subject, headers: message.hdrs, payload: message.data }
}

const rawMessages = async (count: number): Promise<readonly unknown[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => rawMessage(i + 1)))

describe('the archiver', () => {
  it('keeps every message, and a restore into an empty stream gives the same bytes in the same order', async () => {
    await publish(300, 5000)
    const before = await rawMessages(300)
    await archiveAll({ fileMebibytes: 1 })
    expect((await readManifest(directory)).entries.length).toBeGreaterThan(1)
    await makeStream()
    const options = {
      archive: { directory },
      bus,
      profile: 'embedded' as const,
      store: null,
      append: false,
      skipDamaged: false,
    }
    expect(await restoreArchive(options)).toMatchObject({ messages: 300, duplicates: 0, damaged: [], fromSeq: 1 })
    expect(await rawMessages(300)).toEqual(before)
    await expect(restoreArchive(options)).rejects.toThrow('CHAINS holds 300 messages')
  })

  it('writes a file after its time even when nothing more comes', async () => {
    await using running = await start()
    await publish(3)
    await untilArchived(running)
    expect(await archived()).toHaveLength(3)
  })

  it('goes on after each stop with the next message', async () => {
    for (let round = 0; round < 3; round++) {
      await publish(20)
      await archiveAll()
    }
    const sequences = (await archived()).map(({ streamSeq }) => streamSeq)
    expect(sequences).toEqual(Array.from({ length: 60 }, (_, i) => i + 1))
    expect(await verifyArchive(directory)).toMatchObject({ runs: 1, breaks: [], missingMessages: 0 })
  })

  it('writes what it has when it is stopped', async () => {
    {
      await using running = await start({ fileSeconds: 3600 })
      await publish(5)
      await waitFor('the messages to be read', () => running.archiver.status()['behind'] === 5)
      expect(await archived()).toHaveLength(0)
    }
    expect(await archived()).toHaveLength(5)
  })

  it('begins a new run when the stream was made anew, and gives copies in it once', async () => {
    await publish(10)
    await archiveAll()
    const ids = (await archived()).map(({ headers }) => headers.get('Nats-Msg-Id'))
    await makeStream()
    published -= 10
    await publish(12)
    await archiveAll()
    const { entries } = await readManifest(directory)
    expect(entries.map(({ run, fromSeq, toSeq }) => [run, fromSeq, toSeq])).toEqual([
      [1, 1, 10],
      [2, 1, 12],
    ])
    const after = (await archived()).map(({ headers }) => headers.get('Nats-Msg-Id'))
    expect(after.slice(0, 10)).toEqual(ids)
    expect(after).toHaveLength(12)
  })

  it('begins a new run where another message stands at its cursor, after the newest file that still holds', async () => {
    await publish(10)
    await archiveAll()
    await publish(5)
    const backup = await backUp()
    await publish(5)
    await archiveAll()
    await loseEnd(backup)
    await publish(8)
    await archiveAll()
    const { entries } = await readManifest(directory)
    expect(entries.map(({ run, fromSeq, toSeq }) => [run, fromSeq, toSeq])).toEqual([
      [1, 1, 10],
      [1, 11, 20],
      [2, 11, 23],
    ])
    // 11 to 15 twice, of which one counts; 16 to 20 of before, 16 to 23 of now.
    expect(await archived()).toHaveLength(28)
    expect(await verifyArchive(directory)).toMatchObject({ breaks: [], damaged: [] })
  })

  it('says so on the subject of gaps when the stream discarded messages before they were archived', async () => {
    await makeStream({ max_msgs: 10 })
    await publish(5)
    await archiveAll()
    await publish(30)
    await using running = await start()
    await untilArchived(running)
    expect((await readManifest(directory)).entries.at(-1)).toMatchObject({ fromSeq: 6, toSeq: 35, missing: [[6, 25]] })
    const notice = await messageAt(bus, 'QUALITY', 1)
    expect(notice?.subject).toBe('quality.gap._CHAINS')
    expect(decodeJson(notice?.payload ?? new Uint8Array())).toMatchObject({
      underlying: '_CHAINS',
      reason: 'not_archived',
      detail: expect.stringContaining('messages 6 to 25 of CHAINS') as string,
    })
    expect(await metric(running, 'lost_messages_total')).toBe(20)
    expect(await verifyArchive(directory)).toMatchObject({ breaks: [], missingMessages: 20 })
  })

  it('is not ready while the stream is about to discard what is not archived', async () => {
    await makeStream({ max_bytes: 100_000 })
    await using running = await start({ fileSeconds: 3600 })
    expect(running.archiver.reasonsNotReady()).toEqual([])
    await publish(75, 1000)
    const reasons = await waitFor('a reason', () => running.archiver.reasonsNotReady()[0])
    expect(reasons).toMatch(/CHAINS is about to discard messages that are not archived: \d+ % of its retention/)
    expect(await metric(running, 'lag_bytes_ratio')).toBeGreaterThan(0.8)
    await publish(100, 1000)
    await waitFor('the loss', () => running.archiver.reasonsNotReady()[0]?.includes('has discarded messages'))
  })

  it('ends, archived up to there, when the stream is made anew under it', async () => {
    const running = await start({ fileSeconds: 3600 })
    await publish(5)
    await waitFor('the messages to be read', () => running.archiver.status()['behind'] === 5)
    await makeStream()
    await publish(1)
    await expect(running.ended).rejects.toThrow('made anew')
    expect(await archived()).toHaveLength(5)
  })

  it('reads nothing more while the disk is full, says so, and goes on when there is room', async (context) => {
    const unmount = mountTmpfs(directory, 'size=8m')
    context.skip(unmount === null, 'cannot mount a small tmpfs here')
    try {
      const ballast = join(directory, 'ballast')
      await writeFile(ballast, new Uint8Array(7 * 1024 ** 2))
      await using running = await start({ fileMebibytes: 1 })
      await publish(60, 100_000)
      await waitFor('it to say so', () => running.archiver.reasonsNotReady().find((why) => why.includes('ENOSPC')))
      expect(await metric(running, 'write_errors_total')).toBeGreaterThan(0)
      expect(running.archiver.status()['archivedSeq']).toBeLessThan(30)
      await rm(ballast)
      await untilArchived(running)
      await waitFor('it to be ready again', () => running.archiver.reasonsNotReady().length === 0)
      expect(running.archiver.reasonsNotReady()).toEqual([])
      expect(await archived()).toHaveLength(60)
      expect(await verifyArchive(directory)).toMatchObject({ damaged: [], breaks: [], unlisted: [] })
    } finally {
      unmount?.()
    }
  })

  it('removes days that are past their retention, and keeps what is new', async () => {
    await writeOldFile()
    await publish(3)
    await using running = await start({ retentionDays: 7 })
    await untilArchived(running)
    await waitFor('the old day to go', async () => (await metric(running, 'pruned_files_total')) === 1)
    expect((await archived()).map(({ run }) => run)).toEqual([2, 2, 2])
  })

  it('keeps off a disk that others need, and stops in order', async () => {
    await using running = await start({ minFreeMebibytes: 2 ** 31 - 1 })
    await publish(3)
    await waitFor('it to say so', () => running.archiver.reasonsNotReady().find((why) => why.includes('MiB free')))
    await running[Symbol.asyncDispose]()
    await expect(running.ended).resolves.toBeUndefined()
    expect(await archived()).toHaveLength(0)
    await archiveAll()
    expect(await archived()).toHaveLength(3)
  })
})

/** Of 2020, from a stream that is no more. */
async function writeOldFile(): Promise<void> {
  const writer = await openArchiveWriter({ directory, log: silentLog })
  const old = testMessage(1, 'SPY', { storedAtMs: Date.parse('2020-01-01T12:00:00Z') })
  await writer.write({ stream: 'CHAINS', created: 'then', run: 1, fromSeq: 1 }, [old])
}

/** What a power cut does: messages at the end are gone, and the next ones take their numbers. */
async function loseEnd(backup: string): Promise<void> {
  await nats.kill()
  await rm(storeOf(nats), { recursive: true })
  await cp(backup, storeOf(nats), { recursive: true })
  await nats.restart()
  await bus.connected()
}

async function backUp(): Promise<string> {
  const backup = join(directory, 'backup')
  await nats.kill()
  await cp(storeOf(nats), backup, { recursive: true })
  await nats.restart()
  await bus.connected()
  return backup
}

const storeOf = ({ server }: TestNats): string => join(dirname(server.logFile), 'store')
