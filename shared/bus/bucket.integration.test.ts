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

it('a watch tells what is there, then every change, and when the first is over, while others go on writing', async () => {
  await using nats = await startTestNats()
  const bus = await nats.connect()
  await ensureStreams(bus, 'embedded')
  const bucket = await openBucket(bus, 'coord')
  for (let i = 0; i < 30; i += 1) await bucket.put(`key${i}`, i)
  const stop = new AbortController()
  let written = 0
  const missed: number[] = []
  const writing = (async () => {
    while (!stop.signal.aborted) {
      written += 1
      await bucket.put(`key${written % 10}`, written)
    }
  })()
  for (let round = 0; round < 10; round += 1) {
    const seen = new Map<string, unknown>()
    const ended = new AbortController()
    for await (const { key, value, isCurrent } of bucket.watch(ended.signal)) {
      seen.set(key, value)
      if (isCurrent) break
    }
    ended.abort()
    // What is written anew meanwhile comes when its turn comes; what is left alone has been told.
    const told = [...seen.keys()].filter((key) => Number(key.slice(3)) >= 10)
    if (told.length !== 20) missed.push(told.length)
  }
  stop.abort()
  await writing
  expect(missed).toEqual([])
  const entry = await bucket.get('key3')
  await bucket.remove('key3', (entry?.revision ?? 0) - 1)
  expect(await bucket.get('key3')).not.toBeNull()
  await bucket.remove('key3', entry?.revision ?? 0)
  expect(await bucket.get('key3')).toBeNull()
})
