import { cp, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startNats } from '../../services/standalone/nats/nats-server.ts'
import { silentLog, startTestNats, type TestNats } from '../../tests/support/nats.ts'
import { createLogger } from '../runtime/logger.ts'
import { type Bus, connectBus } from './connect.ts'
import { StreamResetError } from './errors.ts'
import { type Delivery, openOrderedSource, type OrderedSource } from './ordered-source.ts'
import { createPublisher } from './publisher.ts'
import { parseRawSubject, partitionOfUnderlying, rawFilter, rawSubject } from './subjects.ts'
import { ensureStreams } from './streams.ts'

const filterSubject = rawFilter(0)

async function openBus(nats: TestNats): Promise<Bus> {
  const bus = await nats.connect()
  await ensureStreams(bus, 'embedded')
  return bus
}

/** Publishes messages `<prefix><i>` for i in [from, to) on partition 0, each followed by one on partition 1. */
async function publishRange(
  bus: Bus,
  from: number,
  to: number,
  sizeOf: (i: number) => number = () => 100,
): Promise<void> {
  const publisher = createPublisher(bus, { publisherId: `test/${from}` })
  for (let i = from; i < to; i += 1) {
    await publisher.enqueue(`chains.raw.0.sim.T${i % 7}`, new Uint8Array(sizeOf(i)), { messageId: `m${i}` })
    await publisher.enqueue(`chains.raw.1.sim.T${i % 7}`, new Uint8Array(1), { messageId: `other${i}` })
  }
  await publisher.flush()
}

async function take(source: OrderedSource, count: number): Promise<Delivery[]> {
  const iterator = source[Symbol.asyncIterator]()
  const taken: Delivery[] = []
  while (taken.length < count) {
    const { done, value } = await iterator.next()
    if (done === true) break
    taken.push(value)
  }
  return taken
}

const isChain = (deliveries: readonly Delivery[]): boolean =>
  deliveries.every(({ streamSeq, previousSeq }, i) => {
    const before = deliveries[i - 1]
    return before === undefined || (previousSeq === before.streamSeq && streamSeq > previousSeq)
  })

const sortedIds = (deliveries: readonly Delivery[]): string[] =>
  deliveries.map(({ messageId }) => String(messageId)).toSorted()
const range = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `m${from + i}`).toSorted()

describe('an ordered source', () => {
  it('gives the messages of its filter in order, chained by the sequence before', async () => {
    await using nats = await startTestNats()
    const bus = await openBus(nats)
    await publishRange(bus, 0, 500)
    await using source = await openOrderedSource(bus, { stream: 'CHAINS', filterSubject, fromSeq: 1, maxMessages: 10 })
    const all = await take(source, 500)
    expect(sortedIds(all)).toEqual(range(0, 500))
    expect(isChain(all)).toBe(true)
    expect(all[0]).toMatchObject({ previousSeq: 0 })
    expect(all.at(-1)).toMatchObject({ pendingCount: 0 })
    expect(source.restarts).toBe(0)
  })

  it('begins at any sequence, with the previous one it is told', async () => {
    await using nats = await startTestNats()
    const bus = await openBus(nats)
    await publishRange(bus, 0, 50)
    await using first = await openOrderedSource(bus, { stream: 'CHAINS', filterSubject, fromSeq: 1 })
    const all = await take(first, 50)
    const streamSeq = all[19]?.streamSeq ?? Number.NaN
    await using second = await openOrderedSource(bus, {
      stream: 'CHAINS',
      filterSubject,
      fromSeq: streamSeq + 1,
      previousSeq: streamSeq,
    })
    expect(await take(second, 30)).toEqual(all.slice(20))
  })

  it('gives payloads that typed arrays can be laid over and nobody else holds', async () => {
    await using nats = await startTestNats()
    const bus = await openBus(nats)
    await publishRange(bus, 0, 20, (i) => 8 * i)
    await using source = await openOrderedSource(bus, { stream: 'CHAINS', filterSubject, fromSeq: 1 })
    for (const { payload } of await take(source, 20)) {
      expect(payload.byteOffset % 8).toBe(0)
      expect(payload.buffer.byteLength).toBe(payload.length)
      expect(new Float64Array(payload.buffer, payload.byteOffset)).toHaveLength(payload.length / 8)
    }
  })

  it('waits for what is not published yet', async () => {
    await using nats = await startTestNats()
    const bus = await openBus(nats)
    await using source = await openOrderedSource(bus, { stream: 'CHAINS', filterSubject, fromSeq: 1 })
    const taking = take(source, 20)
    await publishRange(bus, 0, 20)
    expect(sortedIds(await taking)).toEqual(range(0, 20))
  })

  it('fetches no more than it may ahead of a reader that rests', async () => {
    await using nats = await startTestNats()
    const bus = await openBus(nats)
    await publishRange(bus, 0, 200)
    await using source = await openOrderedSource(bus, { stream: 'CHAINS', filterSubject, fromSeq: 1, maxMessages: 16 })
    for (let taken = 0; taken < 160; taken += 40) {
      await take(source, 40)
      await expect.poll(() => source.buffered).toBeGreaterThan(8)
      await bus.connection.flush()
      expect(source.buffered).toBeLessThanOrEqual(16)
    }
  })

  it('goes on without a gap when its consumer is deleted', async () => {
    await using nats = await startTestNats()
    const bus = await openBus(nats)
    await publishRange(bus, 0, 100)
    await using source = await openOrderedSource(bus, {
      stream: 'CHAINS',
      filterSubject,
      fromSeq: 1,
      maxMessages: 8,
      heartbeatMs: 500,
    })
    const all = await take(source, 50)
    await deleteConsumers(bus)
    all.push(...(await take(source, 50)))
    await deleteConsumers(bus)
    await publishRange(bus, 100, 120)
    all.push(...(await take(source, 20)))
    expect(sortedIds(all)).toEqual(range(0, 120))
    expect(isChain(all)).toBe(true)
    expect(source.restarts).toBe(2)
  })

  it('goes on without a gap or a repetition when the server is killed', async () => {
    await using nats = await startTestNats()
    const bus = await openBus(nats)
    await using source = await openOrderedSource(bus, { stream: 'CHAINS', filterSubject, fromSeq: 1, maxMessages: 32 })
    const publishing = publishRange(bus, 0, 2_000)
    const all: Delivery[] = []
    for (const reached of [100, 900]) {
      all.push(...(await take(source, reached - all.length)))
      await nats.kill()
      await nats.restart()
    }
    all.push(...(await take(source, 2_000 - all.length)))
    await publishing
    expect(sortedIds(all)).toEqual(range(0, 2_000))
    expect(isChain(all)).toBe(true)
    expect(source.restarts).toBeGreaterThanOrEqual(2)
  })

  it('stops with a reset error when the stream was made anew while it was away', async () => {
    await using nats = await startTestNats()
    const bus = await openBus(nats)
    await publishRange(bus, 0, 10)
    await using source = await openOrderedSource(bus, { stream: 'CHAINS', filterSubject, fromSeq: 1 })
    await take(source, 10)
    await bus.jsm.streams.delete('CHAINS')
    await ensureStreams(bus, 'embedded')
    await publishRange(bus, 10, 30)
    await expect(take(source, 1)).rejects.toThrow(StreamResetError)
  })

  it('goes on without a gap when the server hangs for a while', async () => {
    await using nats = await startTestNats()
    const bus = await openBus(nats)
    const file = join(nats.dataDir, 'reader.log')
    const log = createLogger({ service: 'test', file })
    await using own = await connectBus({ servers: nats.url, name: 'reader', log })
    await using source = await openOrderedSource(own, { stream: 'CHAINS', filterSubject, fromSeq: 1, heartbeatMs: 150 })
    await publishRange(bus, 0, 20)
    const all = await take(source, 20)
    nats.server.kill('SIGSTOP')
    await expect.poll(() => readFile(file, 'utf8')).toContain('begins a new consumer')
    nats.server.kill('SIGCONT')
    await publishRange(bus, 20, 60)
    all.push(...(await take(source, 40)))
    expect(sortedIds(all)).toEqual(range(0, 60))
    expect(isChain(all)).toBe(true)
    expect(source.restarts).toBeGreaterThan(0)
  })

  it('stops with a reset error when the server came back with less of the stream, or with something else in its place', async () => {
    for (const [refill, message] of [
      [0, 'Stream CHAINS ends at 20, but 39 was already delivered'],
      [20, 'Stream CHAINS has another message at 39 than it delivered'],
    ] as const) {
      await using nats = await startTestNats()
      const bus = await openBus(nats)
      const dataDir = dirname(nats.server.logFile)
      const [store, copy] = [join(dataDir, 'store'), join(dataDir, 'copy')]
      await publishRange(bus, 0, 10)
      await using source = await openOrderedSource(bus, { stream: 'CHAINS', filterSubject, fromSeq: 1 })
      await nats.kill()
      await cp(store, copy, { recursive: true })
      await nats.restart()
      await publishRange(bus, 10, 20)
      expect(await take(source, 20)).toHaveLength(20)
      await nats.kill()
      await rm(store, { recursive: true })
      await rename(copy, store)
      if (refill > 0) {
        await using elsewhere = await startNats({ dataDir, log: silentLog })
        await using other = await connectBus({ servers: elsewhere.url, name: 'other', log: silentLog })
        await publishRange(other, 20, 20 + refill)
      }
      await nats.restart()
      await expect(take(source, 1)).rejects.toThrow(expect.objectContaining({ name: 'StreamResetError', message }))
    }
  })

  it('reads messages larger than its whole share of the connection', async () => {
    await using nats = await startTestNats()
    const bus = await nats.connect()
    await bus.jsm.streams.add({ name: 'LARGE', subjects: ['large'] })
    for (const mb of [1, 5, 1, 6, 2]) await bus.js.publish('large', new Uint8Array(mb * 1_000_000))
    const crowd = Array.from({ length: 60 }, () => bus.budget.join())
    await using source = await openOrderedSource(bus, { stream: 'LARGE', filterSubject: 'large', fromSeq: 1 })
    expect((await take(source, 5)).map(({ payload }) => payload.length / 1_000_000)).toEqual([1, 5, 1, 6, 2])
    expect(crowd).toHaveLength(60)
    expect(source.restarts).toBe(0)
  })

  it('delivers underlyings that are hostile to subjects, each in its partition', async () => {
    await using nats = await startTestNats()
    const bus = await openBus(nats)
    const publisher = createPublisher(bus, { publisherId: 'test/1' })
    const hostile = [
      'BRK.B',
      '^SPX',
      'M&M',
      '*',
      '>',
      ' ',
      '.',
      '..',
      '%',
      '%2E',
      '\u0000',
      '\r\n',
      'Ä 日経 💥',
      '$JS',
      'a/b',
    ]
    for (const underlying of hostile) {
      const subject = rawSubject(partitionOfUnderlying(underlying), 'c b.oe', underlying)
      await publisher.publish(subject, new Uint8Array(1), {
        messageId: underlying.length + encodeURIComponent(underlying),
      })
    }
    for (const underlying of hostile) {
      const partition = partitionOfUnderlying(underlying)
      const own = hostile.filter((other) => partitionOfUnderlying(other) === partition)
      await using source = await openOrderedSource(bus, {
        stream: 'CHAINS',
        filterSubject: rawFilter(partition),
        fromSeq: 1,
      })
      const deliveries = await take(source, own.length)
      expect(deliveries.map(({ subject }) => parseRawSubject(subject))).toEqual(
        own.map((other) => ({ partition, provider: 'c b.oe', underlying: other })),
      )
      await using exact = await openOrderedSource(bus, {
        stream: 'CHAINS',
        filterSubject: rawSubject(partition, 'c b.oe', underlying),
        fromSeq: 1,
      })
      const [only] = await take(exact, 1)
      expect(only).toMatchObject({ pendingCount: 0, subject: rawSubject(partition, 'c b.oe', underlying) })
    }
  })

  it('leaves no consumer and no share behind', async () => {
    await using nats = await startTestNats()
    const bus = await openBus(nats)
    await publishRange(bus, 0, 5)
    const alone = bus.budget.shareBytes()
    for (let i = 0; i < 3; i += 1) {
      await using source = await openOrderedSource(bus, { stream: 'CHAINS', filterSubject, fromSeq: 1 })
      for await (const { streamSeq } of source) if (streamSeq > 1) break
      expect(await take(source, 1)).toEqual([])
    }
    expect(bus.budget.shareBytes()).toBe(alone)
    await expect.poll(async () => (await bus.jsm.streams.info('CHAINS')).state.consumer_count).toBe(0)
  })

  it('closes at once while the server is away', async () => {
    await using nats = await startTestNats()
    const bus = await openBus(nats)
    const source = await openOrderedSource(bus, { stream: 'CHAINS', filterSubject, fromSeq: 1 })
    const waiting = take(source, 1)
    await nats.kill()
    await expect.poll(() => bus.status()).toBe('disconnected')
    // A request to the server waits for its whole limit of some seconds; closing must not wait for one.
    const request = bus.jsm.streams.info('CHAINS').catch(() => 'timed out')
    expect(await Promise.race([request, source[Symbol.asyncDispose]().then(() => 'closed')])).toBe('closed')
    await request
    expect(await waiting).toEqual([])
  })

  it('refuses a stream that does not exist', async () => {
    await using nats = await startTestNats()
    const bus = await nats.connect()
    await expect(openOrderedSource(bus, { stream: 'NONE', filterSubject, fromSeq: 1 })).rejects.toMatchObject({
      code: 'bus',
      message: expect.stringContaining('stream not found'),
    })
  })
})

async function deleteConsumers(bus: Bus): Promise<void> {
  for await (const { name } of bus.jsm.consumers.list('CHAINS')) await bus.jsm.consumers.delete('CHAINS', name)
}
