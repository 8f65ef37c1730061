import { describe, expect, it } from 'vitest'
import { startTestNats } from '../../tests/support/nats.ts'
import type { Bus } from './connect.ts'
import { messageAt } from './messages.ts'
import { createPublisher, maxMessageBytes, type PublishAck } from './publisher.ts'
import { ensureStreams, streamInfo } from './streams.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

async function storedIds(bus: Bus, stream: string): Promise<string[]> {
  const { lastSeq } = await streamInfo(bus, stream)
  const ids: string[] = []
  for (let seq = 1; seq <= lastSeq; seq += 1) ids.push(String((await messageAt(bus, stream, seq))?.messageId))
  return ids
}

describe('a publisher', () => {
  it('stores one message id once, and says which copy is the second', async () => {
    await using nats = await startTestNats()
    const bus = await nats.connect()
    await ensureStreams(bus, 'embedded')
    const publisher = createPublisher(bus, { publisherId: 'collector-1/b7', clock: () => 1_750_000_000_000 })
    const options = { messageId: 'snapshot-1', headers: { 'Sf-Schema': 'chain.v1' } }
    expect(await publisher.publish('chains.raw.0.sim.SPY', bytes('a'), options)).toEqual({
      streamSeq: 1,
      duplicate: false,
    })
    expect(await publisher.publish('chains.raw.0.sim.SPY', bytes('a'), options)).toEqual({
      streamSeq: 1,
      duplicate: true,
    })
    const stored = await messageAt(bus, 'CHAINS', 1)
    expect(stored).toMatchObject({ subject: 'chains.raw.0.sim.SPY', messageId: 'snapshot-1', payload: bytes('a') })
    expect(Object.fromEntries(stored?.headers ?? [])).toEqual({
      'Nats-Msg-Id': 'snapshot-1',
      'Sf-Schema': 'chain.v1',
      'Sf-Publisher': 'collector-1/b7/1',
      'Sf-Published-At': '1750000000000',
    })
    expect(await messageAt(bus, 'CHAINS', 2)).toBeNull()
  })

  it('has no more under way than its window, and keeps the order of a subject', async () => {
    await using nats = await startTestNats()
    const bus = await nats.connect()
    await ensureStreams(bus, 'embedded')
    const publisher = createPublisher(bus, { publisherId: 'test/1', maxInFlight: 8 })
    const acks: Promise<PublishAck>[] = []
    let most = 0
    for (let i = 0; i < 200; i += 1) {
      const subject = `chains.raw.0.sim.T${i % 3}`
      const { acked } = await publisher.enqueue(subject, bytes('x'), { messageId: `m${i}` })
      acks.push(acked)
      most = Math.max(most, publisher.inFlight)
    }
    await publisher.flush()
    expect(publisher.inFlight).toBe(0)
    expect(most).toBe(8)
    const seqs = (await Promise.all(acks)).map(({ streamSeq }) => streamSeq)
    for (let ticker = 0; ticker < 3; ticker += 1) {
      const own = seqs.filter((_, i) => i % 3 === ticker)
      expect(own).toEqual(own.toSorted((a, b) => a - b))
    }
  })

  it('refuses a payload that could not be dead-lettered, and takes the largest that can', async () => {
    await using nats = await startTestNats()
    const bus = await nats.connect()
    await ensureStreams(bus, 'embedded')
    const publisher = createPublisher(bus, { publisherId: 'test/1' })
    const publish = (size: number) =>
      publisher.publish('chains.raw.0.sim.SPX', new Uint8Array(size), { messageId: `of-${size}` })
    await expect(publish(maxMessageBytes + 1)).rejects.toMatchObject({ code: 'bus', retryable: false })
    expect(await publish(maxMessageBytes)).toEqual({ streamSeq: 1, duplicate: false })
    expect(publisher.inFlight).toBe(0)
  })

  it('loses, doubles and reorders nothing while the server is killed and restarted', async () => {
    await using nats = await startTestNats()
    const bus = await nats.connect()
    await ensureStreams(bus, 'embedded')
    let retries = 0
    const publisher = createPublisher(bus, { publisherId: 'test/1', maxInFlight: 32, onRetry: () => (retries += 1) })
    const ids = Array.from({ length: 1_500 }, (_, i) => `m${i}`)
    const publishing = (async () => {
      const acks: Promise<PublishAck>[] = []
      for (const [i, messageId] of ids.entries()) {
        const { acked } = await publisher.enqueue(`chains.raw.0.sim.T${i % 5}`, new Uint8Array(2_000), { messageId })
        acks.push(acked)
      }
      return await Promise.all(acks)
    })()
    for (const reached of [200, 700]) {
      await expect
        .poll(async () => (await streamInfo(bus, 'CHAINS')).messages, { interval: 1 })
        .toBeGreaterThan(reached)
      await nats.kill()
      await nats.restart()
      await bus.connected()
    }
    const acks = await publishing
    expect(retries).toBeGreaterThan(0)
    const stored = await storedIds(bus, 'CHAINS')
    expect(stored.toSorted()).toEqual(ids.toSorted())
    expect(new Set(acks.map(({ streamSeq }) => streamSeq)).size).toBe(ids.length)
    expect(acks.map(({ streamSeq }) => stored[streamSeq - 1])).toEqual(ids)
    for (let ticker = 0; ticker < 5; ticker += 1) {
      const own = (id: string): boolean => Number(id.slice(1)) % 5 === ticker
      expect(stored.filter(own)).toEqual(ids.filter(own))
    }
  })

  it('stores each message once when acknowledgements come so late that everything was sent again', async () => {
    await using nats = await startTestNats()
    const bus = await nats.connect()
    await ensureStreams(bus, 'embedded')
    let retries = 0
    const publisher = createPublisher(bus, { publisherId: 'test/1', timeoutMs: 100, onRetry: () => (retries += 1) })
    nats.server.kill('SIGSTOP')
    const ids = Array.from({ length: 50 }, (_, i) => `m${i}`)
    const publishes = ids.map((messageId, i) =>
      publisher.publish(`chains.raw.0.sim.T${i % 10}`, bytes('x'), { messageId }),
    )
    await expect.poll(() => retries).toBeGreaterThanOrEqual(20)
    nats.server.kill('SIGCONT')
    await Promise.all(publishes)
    expect((await storedIds(bus, 'CHAINS')).toSorted()).toEqual(ids.toSorted())
  })

  it('passes a full stream on as back-pressure, at once', async () => {
    await using nats = await startTestNats()
    const bus = await nats.connect()
    await bus.jsm.streams.add({ name: 'SMALL', subjects: ['small.>'], max_msgs: 2, discard: 'new' })
    const publisher = createPublisher(bus, { publisherId: 'test/1', onRetry: () => expect.fail('retried') })
    const publish = (messageId: string) => publisher.publish('small.a', bytes('x'), { messageId })
    await Promise.all([publish('1'), publish('2')])
    await expect(publish('3')).rejects.toMatchObject({
      name: 'StrikeflowError',
      code: 'bus',
      retryable: true,
      message: expect.stringContaining('maximum messages exceeded'),
    })
    expect(publisher.inFlight).toBe(0)
  })

  it('gives up at its deadline when the server stays away, saying that it may be tried again', async () => {
    await using nats = await startTestNats()
    const bus = await nats.connect()
    const publisher = createPublisher(bus, { publisherId: 'test/1', deadlineMs: 300 })
    await nats.kill()
    await expect(publisher.publish('chains.raw.0.sim.SPY', bytes('x'), { messageId: '1' })).rejects.toMatchObject({
      code: 'bus',
      retryable: true,
    })
    expect(publisher.inFlight).toBe(0)
  })

  it('gives up what a server that is there does not take, and waits for one that is not', async () => {
    await using nats = await startTestNats()
    const bus = await nats.connect()
    const publisher = createPublisher(bus, { publisherId: 'test/1', silenceMs: 300 })
    const publish = () => publisher.publish('chains.raw.0.sim.SPY', bytes('x'), { messageId: '1' })
    await expect(publish()).rejects.toMatchObject({ code: 'bus', retryable: true })
    await ensureStreams(bus, 'embedded')
    await nats.kill()
    await expect.poll(() => bus.status()).toBe('disconnected')
    const publishing = publish()
    const settled = publishing.then(
      () => 'stored',
      () => 'given up',
    )
    expect(await Promise.race([settled, new Promise((resolve) => setTimeout(() => resolve('waits'), 900))])).toBe(
      'waits',
    )
    await nats.restart()
    expect(await settled).toBe('stored')
  })

  it('gives up when it is told to stop', async () => {
    await using nats = await startTestNats()
    const bus = await nats.connect()
    const stop = new AbortController()
    const publisher = createPublisher(bus, { publisherId: 'test/1', signal: stop.signal, maxInFlight: 1 })
    await nats.kill()
    await expect.poll(() => bus.status()).toBe('disconnected')
    const publishes = ['1', '2'].map((messageId) =>
      publisher.publish('chains.raw.0.sim.SPY', bytes('x'), { messageId }),
    )
    stop.abort()
    for (const publish of publishes)
      await expect(publish).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
    await publisher.flush()
  })
})
