import { describe, expect, it } from 'vitest'
import { openValve, startTestNats, silentLog } from '../../tests/support/nats.ts'
import { type Bus, connectBus } from './connect.ts'
import { type Delivery, openOrderedSource, type OrderedSource } from './ordered-source.ts'
import { createPublisher } from './publisher.ts'
import { rawFilter } from './subjects.ts'
import { ensureStreams, streamInfo } from './streams.ts'

async function take(source: OrderedSource, count: number): Promise<Delivery[]> {
  const taken: Delivery[] = []
  for await (const delivery of source) if (taken.push(delivery) === count) break
  return taken
}

describe('sixteen sources on one connection', () => {
  const partitions = 16
  const each = 40
  const megabyte = 1_000_000

  it('are not cut off as a slow consumer while their process is busy, whatever sizes come', async () => {
    // A server's own default: more unsent bytes than this to one client, and it closes the connection.
    await using nats = await startTestNats({ maxPendingBytes: 64 * megabyte })
    const publishing = await nats.connect()
    await ensureStreams(publishing, 'embedded')
    await using valve = await openValve(nats.server.port)
    await using bus = await connectBus({ servers: `nats://127.0.0.1:${valve.port}`, name: 'reader', log: silentLog })
    const statuses: string[] = []
    bus.onStatus((status) => statuses.push(status))
    await using opened = new AsyncDisposableStack()
    const sources: OrderedSource[] = []
    for (let p = 0; p < partitions; p += 1) {
      const source = await openOrderedSource(bus, { stream: 'CHAINS', filterSubject: rawFilter(p), fromSeq: 1 })
      sources.push(opened.use(source))
    }
    await expect.poll(() => waitingRequests(publishing)).toBe(partitions)

    valve.shut()
    const publisher = createPublisher(publishing, { publisherId: 'test/1', maxInFlight: 16 })
    for (let i = 0; i < partitions * each; i += 1) {
      const size = i % (4 * partitions) < partitions ? 900_000 : 5_000
      await publisher.enqueue(`chains.raw.${i % partitions}.sim.T${i}`, new Uint8Array(size), { messageId: `m${i}` })
    }
    await publisher.flush()
    expect((await streamInfo(publishing, 'CHAINS')).bytes).toBeGreaterThan(140 * megabyte)
    valve.open()

    const all = await Promise.all(sources.map((source) => take(source, each)))
    for (const deliveries of all) {
      const chained = deliveries.every(({ previousSeq }, i) => i === 0 || previousSeq === deliveries[i - 1]?.streamSeq)
      expect(chained).toBe(true)
    }
    expect(new Set(all.flat().map(({ messageId }) => messageId)).size).toBe(partitions * each)
    expect(statuses).toEqual([])
    expect(sources.map(({ restarts }) => restarts)).toEqual(sources.map(() => 0))
  })
})

async function waitingRequests(bus: Bus): Promise<number> {
  let waiting = 0
  for await (const { num_waiting } of bus.jsm.consumers.list('CHAINS')) waiting += num_waiting
  return waiting
}
