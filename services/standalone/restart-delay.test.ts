import { expect, it } from 'vitest'
import { RestartDelay } from './restart-delay.ts'

it('waits ever longer, up to ten seconds, for what ends again and again', () => {
  const delay = new RestartDelay()
  expect(Array.from({ length: 2_000 }, () => delay.after(1_000)).slice(0, 7)).toEqual([
    500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000,
  ])
  expect(delay.after(1_000)).toBe(10_000)
})

it('begins anew after a minute of life, however often it has ended before', () => {
  const delay = new RestartDelay()
  for (let i = 0; i < 20; i += 1) delay.after(1_000)
  expect([delay.after(60_000), delay.after(59_000), delay.after(3_600_000)]).toEqual([500, 1_000, 500])
})
