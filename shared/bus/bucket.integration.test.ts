import { expect, it } from 'vitest'
import { startTestNats } from '../../tests/support/nats.ts'
import { openBucket } from './bucket.ts'
import { bucketNames } from './stream-specs.ts'
import { ensureStreams } from './streams.ts'

it('keeps values by key, and lets only one of two writers win', async () => {
  await using nats = await startTestNats()
  const bus = await nats.connect()
  await ensureStreams(bus, 'embedded')
  const cursors = await openBucket(bus, 'cursors')
  expect(await cursors.get('p7')).toBeNull()
  const first = (await cursors.create('p7', { epoch: 1 })) ?? Number.NaN
  expect(await cursors.create('p7', { epoch: 9 })).toBeNull()
  const second = await cursors.update('p7', { epoch: 2 }, first)
  expect(second).toBeGreaterThan(first)
  expect(await cursors.update('p7', { epoch: 9 }, first)).toBeNull()
  expect(await cursors.get('p7')).toEqual({ value: { epoch: 2 }, revision: second })
  await cursors.put('p8', null)
  expect((await cursors.keys()).toSorted()).toEqual(['p7', 'p8'])
  await cursors.delete('p7')
  expect(await cursors.get('p7')).toBeNull()
  expect(await cursors.create('p7', { epoch: 3 })).toBeGreaterThan(second ?? 0)
})

it('has every declared bucket, and values survive the server', async () => {
  await using nats = await startTestNats()
  const bus = await nats.connect()
  await ensureStreams(bus, 'embedded')
  for (const name of bucketNames) await (await openBucket(bus, name)).put('key', name)
  await nats.kill()
  await nats.restart()
  await bus.connected()
  for (const name of bucketNames) expect((await (await openBucket(bus, name)).get('key'))?.value).toBe(name)
})
