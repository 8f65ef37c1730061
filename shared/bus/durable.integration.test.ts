import { describe, expect, it } from 'vitest'
import { startTestNats, type TestNats } from '../../tests/support/nats.ts'
import type { Bus } from './connect.ts'
import { type DurableMessage, type DurableSource, openDurable } from './durable.ts'
import { decodeJson, encodeJson } from './messages.ts'
import { createPublisher } from './publisher.ts'
import { ensureStreams } from './streams.ts'
import { openTail, type Tail } from './tail.ts'

const options = { stream: 'SCAN_RESULTS', durable: 'sink', filterSubject: 'scans.summary.>' } as const

async function openBus(nats: TestNats): Promise<Bus> {
  const bus = await nats.connect()
  await ensureStreams(bus, 'embedded')
  return bus
}

async function publish(bus: Bus, subjects: readonly string[]): Promise<void> {
  const publisher = createPublisher(bus, { publisherId: `test/${subjects[0]}` })
  for (const subject of subjects) await publisher.publish(subject, encodeJson({ subject }), { messageId: subject })
}

async function take<T>(source: AsyncIterable<T, void, void>, count: number): Promise<T[]> {
  const iterator = source[Symbol.asyncIterator]()
  const taken: T[] = []
  while (taken.length < count) {
    const result = await iterator.next()
    if (result.done === true) break
    taken.push(result.value)
  }
  return taken
}

async function takeAndAck(source: DurableSource, count: number): Promise<string[]> {
  const messages: DurableMessage[] = []
  for (const message of await take(source, count)) {
    await message.ack()
    messages.push(message)
  }
  return messages.map(({ subject }) => subject)
}

const summaries = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `scans.summary.s${from + i}`)

describe('a durable source', () => {
  it('goes on after what was acknowledged, also in another process', async () => {
    await using nats = await startTestNats()
    const bus = await openBus(nats)
    await publish(bus, ['scans.result.s0.SPY', ...summaries(0, 6)])
    {
      await using source = await openDurable(bus, options)
      expect(await takeAndAck(source, 4)).toEqual(summaries(0, 4))
    }
    await using source = await openDurable(await nats.connect('other'), { ...options, ackWaitMs: 30_000 })
    const rest = await take(source, 2)
    expect(rest.map(({ messageId }) => messageId)).toEqual(summaries(4, 6))
    for (const { payload, subject } of rest) expect(decodeJson(payload)).toEqual({ subject })
  })

  it('delivers again what was not acknowledged, and at once what was refused', async () => {
    await using nats = await startTestNats()
    const bus = await openBus(nats)
    await publish(bus, summaries(0, 1))
    await using source = await openDurable(bus, { ...options, ackWaitMs: 300 })
    const [first] = await take(source, 1)
    expect(first?.deliveryCount).toBe(1)
    const [second] = await take(source, 1)
    expect(second?.deliveryCount).toBe(2)
    second?.nak()
    const [third] = await take(source, 1)
    expect(third?.deliveryCount).toBe(3)
    await third?.ack()
    expect((await bus.jsm.consumers.info('SCAN_RESULTS', 'sink')).num_ack_pending).toBe(0)
  })

  it('loses nothing when the server is killed or its consumer deleted', async () => {
    await using nats = await startTestNats()
    const bus = await openBus(nats)
    await publish(bus, summaries(0, 30))
    await using source = await openDurable(bus, options)
    const seen = new Set(await takeAndAck(source, 10))
    await nats.kill()
    await nats.restart()
    await publish(bus, summaries(30, 40))
    await bus.jsm.consumers.delete('SCAN_RESULTS', 'sink')
    while (seen.size < 40) for (const subject of await takeAndAck(source, 1)) seen.add(subject)
    expect([...seen].toSorted()).toEqual(summaries(0, 40).toSorted())
  })

  it('begins with what is new when asked to, and ends when it is closed', async () => {
    await using nats = await startTestNats()
    const bus = await openBus(nats)
    await publish(bus, summaries(0, 3))
    const source = await openDurable(bus, { ...options, begin: 'new' })
    await publish(bus, summaries(3, 4))
    expect(await takeAndAck(source, 1)).toEqual(summaries(3, 4))
    const waiting = take(source, 1)
    await source[Symbol.asyncDispose]()
    expect(await waiting).toEqual([])
  })

  it('can be opened while the server is away', async () => {
    await using nats = await startTestNats()
    const bus = await openBus(nats)
    await publish(bus, summaries(0, 1))
    const restarted = nats.restart()
    await using source = await openDurable(bus, options)
    await restarted
    expect(await takeAndAck(source, 1)).toEqual(summaries(0, 1))
  })
})

describe('a tail', () => {
  const subjectsOf = async (tail: Tail, count: number): Promise<string[]> =>
    (await take(tail, count)).map(({ subject }) => subject)

  it('shows what comes from now on under a pattern', async () => {
    await using nats = await startTestNats()
    const bus = await openBus(nats)
    await publish(bus, ['alerts.info.iv_spike.SPY'])
    await using tail = await openTail(bus, 'alerts.*.*.SPY')
    await publish(bus, ['alerts.critical.iv_spike.QQQ', 'alerts.critical.iv_spike.SPY'])
    expect(await subjectsOf(tail, 1)).toEqual(['alerts.critical.iv_spike.SPY'])
  })

  it('follows several streams at once, from their start, and never a work queue', async () => {
    await using nats = await startTestNats()
    const bus = await openBus(nats)
    const subjects = ['alerts.info.iv_spike.SPY', 'features.SPY', 'scans.result.s1.SPY', 'scans.summary.s1']
    await publish(bus, ['scans.task.0.SPY', ...subjects])
    await using tail = await openTail(bus, '>', { begin: 'fromStart' })
    expect((await subjectsOf(tail, 4)).toSorted()).toEqual(subjects.toSorted())
    await publish(bus, ['quality.gap.SPY'])
    expect(await subjectsOf(tail, 1)).toEqual(['quality.gap.SPY'])
  })

  it('says when no stream holds such subjects', async () => {
    await using nats = await startTestNats()
    const bus = await openBus(nats)
    await expect(openTail(bus, 'alert.>')).rejects.toThrow('No stream holds subjects like alert.>')
  })

  it('leaves nothing behind when it is closed while it waits', async () => {
    await using nats = await startTestNats()
    const bus = await openBus(nats)
    const tail = await openTail(bus, 'scans.>')
    const waiting = subjectsOf(tail, 1)
    await tail[Symbol.asyncDispose]()
    expect(await waiting).toEqual([])
    await expect.poll(async () => (await bus.jsm.streams.info('SCAN_RESULTS')).state.consumer_count).toBe(0)
  })
})
