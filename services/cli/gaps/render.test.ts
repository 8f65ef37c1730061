import { expect, it } from 'vitest'
import { isAtFloor } from './render.ts'

it('takes an underlying for complete where its slots are known, not where all of them are pending', () => {
  expect(isAtFloor({ expected: 4, missing: 1, pending: 0 }, 0.75)).toBe(true)
  expect(isAtFloor({ expected: 4, missing: 2, pending: 0 }, 0.75)).toBe(false)
  expect(isAtFloor({ expected: 4, missing: 0, pending: 1 }, 1)).toBe(true)
  expect(isAtFloor({ expected: 0, missing: 0, pending: 390 }, 0.75)).toBe(false)
  // A year whose sessions are a guess.
  expect(isAtFloor({ expected: 0, missing: 0, pending: 0 }, 1)).toBe(true)
})
