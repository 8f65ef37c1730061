import { expect, test } from 'vitest'
import { SlowRefusals } from './slow-refusals.ts'

const { signal } = new AbortController()

test('answers a few wrong passwords at once and then ever slower, up to two seconds', async () => {
  const waits: number[] = []
  const refusals = new SlowRefusals({ clock: () => 0, wait: async (ms) => waits.push(ms) })
  for (let i = 0; i < 12; i += 1) expect(await refusals.slowDown(signal)).toBe(true)
  expect(waits).toEqual([100, 200, 400, 800, 1600, 2000, 2000])
})

test('forgets old failures', async () => {
  let now = 0
  const waits: number[] = []
  const refusals = new SlowRefusals({ clock: () => now, wait: async (ms) => waits.push(ms) })
  for (let i = 0; i < 7; i += 1) await refusals.slowDown(signal)
  now = 61_000
  await refusals.slowDown(signal)
  expect(waits).toHaveLength(2)
})

test('keeps a bounded number waiting: the next is told to close the connection', async () => {
  const waiting = Promise.withResolvers<void>()
  const refusals = new SlowRefusals({ clock: () => 0, wait: () => waiting.promise })
  const answers = Array.from({ length: 5 + 64 }, () => refusals.slowDown(signal))
  expect(await refusals.slowDown(signal)).toBe(false)
  waiting.resolve()
  expect(new Set(await Promise.all(answers))).toEqual(new Set([true]))
  expect(await refusals.slowDown(signal)).toBe(true)
})
