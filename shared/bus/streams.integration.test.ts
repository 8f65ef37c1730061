import { expect, it } from 'vitest'
import { startTestNats } from '../../tests/support/nats.ts'
import { createPublisher } from './publisher.ts'
import { ensureStreams, streamInfo } from './streams.ts'

it('creates every stream and bucket once, also when several processes begin at the same time', async () => {
  await using nats = await startTestNats()
  const [one, other] = [await nats.connect('one'), await nats.connect('other')]
  const runs = await Promise.all([ensureStreams(one, 'embedded'), ensureStreams(other, 'embedded')])
  expect(runs.flat().filter(({ action }) => action === 'updated')).toEqual([])
  const again = await ensureStreams(one, 'embedded')
  expect(again).toHaveLength(12)
  expect(again.filter(({ action, drift }) => action !== 'unchanged' || drift.length > 0)).toEqual([])
})

it('creates them whatever the moment at which several services begin on an empty server', async () => {
  await using nats = await startTestNats()
  const buses = await Promise.all(Array.from({ length: 6 }, (_, i) => nats.connect(`service-${i}`)))
  const refused: string[] = []
  const begun = performance.now()
  for (let round = 0; round < 40 && performance.now() - begun < 10_000; round += 1) {
    const results = await Promise.allSettled(buses.map((bus) => ensureStreams(bus, 'embedded')))
    for (const result of results)
      if (result.status === 'rejected') refused.push(`round ${round}: ${String(result.reason)}`)
    for await (const { config } of buses[0]!.jsm.streams.list()) await buses[0]!.jsm.streams.delete(config.name)
  }
  expect(refused).toEqual([])
})

it('raises a limit, reports one that is larger than declared, and keeps the messages', async () => {
  await using nats = await startTestNats()
  const bus = await nats.connect()
  await ensureStreams(bus, 'embedded')
  const publisher = createPublisher(bus, { publisherId: 'test/1' })
  await publisher.publish('quality.gap.SPY', new Uint8Array(3), { messageId: 'm1' })
  await bus.jsm.streams.update('QUALITY', { max_bytes: 1024 ** 2, max_age: 0, description: 'changed by hand' })
  const ensured = await ensureStreams(bus, 'embedded')
  expect(ensured.filter(({ action, drift }) => action !== 'unchanged' || drift.length > 0)).toEqual([
    { name: 'QUALITY', action: 'updated', drift: [{ field: 'max_age', wanted: 7 * 86_400 * 1e9, found: 0 }] },
  ])
  const { config } = await bus.jsm.streams.info('QUALITY')
  expect(config).toMatchObject({ max_bytes: 64 * 1024 ** 2, max_age: 0 })
  expect(config.description).toMatch('Gaps')
  expect((await streamInfo(bus, 'QUALITY')).messages).toBe(1)
})

it('refuses a stream whose retention is another, and says what it found', async () => {
  await using nats = await startTestNats()
  const bus = await nats.connect()
  await bus.jsm.streams.add({ name: 'ALERTS', subjects: ['alerts.>'], retention: 'interest', max_bytes: 1_000_000 })
  await expect(ensureStreams(bus, 'embedded')).rejects.toThrow('Stream ALERTS: expected retention limits, was interest')
})

it('names a stream whose subjects somebody else holds', async () => {
  await using nats = await startTestNats()
  const bus = await nats.connect()
  await bus.jsm.streams.add({ name: 'OTHER', subjects: ['chains.>'] })
  await expect(ensureStreams(bus, 'embedded')).rejects.toThrow(/cannot set up stream CHAINS: .*overlap/)
})

it('fits the production profile only where there is room for it, and says so', async () => {
  await using nats = await startTestNats()
  const bus = await nats.connect()
  await expect(ensureStreams(bus, 'production', { timeoutMs: 0 })).rejects.toMatchObject({
    code: 'bus',
    message: expect.stringMatching(/cannot set up stream CHAINS: .*storage/),
  })
})
