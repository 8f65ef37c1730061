import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { startTestNats } from '../support/nats.ts'
import { openOrderedSource } from '../../shared/bus/ordered-source.ts'
import { createPublisher } from '../../shared/bus/publisher.ts'
import { ensureStreams } from '../../shared/bus/streams.ts'
import { rawFilter } from '../../shared/bus/subjects.ts'

const readers = 6
const partitions = 16
const seconds = 15

/** nats-server 2.9.10 forgets once in some hundred requests to say that one has expired; here are 1,400 of them. */
it('goes on at once where the server does not say that a request is over', async () => {
  await using nats = await startTestNats()
  const bus = await nats.connect()
  await ensureStreams(bus, 'embedded')
  const publisher = createPublisher(bus, { publisherId: 'test/1' })
  await using sources = new AsyncDisposableStack()
  const opened = await Promise.all(
    Array.from({ length: readers }, () => nats.connect()).flatMap((connecting) =>
      Array.from({ length: partitions }, async (_, partition) => {
        const filterSubject = rawFilter(partition)
        const options = { stream: 'CHAINS', filterSubject, fromSeq: 1, heartbeatMs: 500, expiresMs: 1_000 } as const
        return sources.use(await openOrderedSource(await connecting, options))
      }),
    ),
  )
  let received = 0
  const reading = opened.map(async (source) => {
    for await (const delivery of source) received += delivery.payload.length
  })
  let published = 0
  for (const end = performance.now() + seconds * 1_000; performance.now() < end; published += 1) {
    await publisher.publish(`chains.raw.${published % partitions}.sim.T`, new Uint8Array(1), {
      messageId: `${published}`,
    })
    await delay(20)
  }
  await expect.poll(() => received).toBe(readers * published)
  expect(opened.map(({ restarts }) => restarts)).toEqual(opened.map(() => 0))
  await sources.disposeAsync()
  await Promise.all(reading)
})
