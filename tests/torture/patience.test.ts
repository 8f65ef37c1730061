import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { patientMs } from './patience.ts'

const cores = availableParallelism()

test('waits longer on a busy machine, in whole milliseconds, and no more than five times as long', () => {
  expect(patientMs(5_000, 0)).toBe(5_000)
  expect(patientMs(5_000, cores * 1.2345678)).toBe(6_173)
  expect(patientMs(5_000, cores * 100)).toBe(25_000)
})
