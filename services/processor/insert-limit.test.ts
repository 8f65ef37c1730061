import { describe, expect, it } from 'vitest'
import { InsertLimit } from './insert-limit.ts'

const options = { leastMs: 3_000, mostMs: 25_000 }

describe('the limit of an insert', () => {
  it('is the least one for few rows, and follows the rows', () => {
    const limit = new InsertLimit(options)
    expect(limit.limitMs(30)).toBe(3_000)
    expect(limit.limitMs(400_000)).toBeGreaterThan(8_000)
    expect(limit.limitMs(400_000)).toBeLessThan(9_000)
  })

  it('follows a server that has become slow, from the first insert that shows it', () => {
    const limit = new InsertLimit(options)
    // A tenth of the usual pace.
    limit.took(50_000, 10 * 130)
    expect(limit.limitMs(100_000)).toBeCloseTo(23_000, -2)
    expect(limit.limitMs(400_000)).toBe(25_000)
  })

  it('grows when the server ends an insert, so that the same rows get longer the next time', () => {
    const limit = new InsertLimit(options)
    const first = limit.limitMs(100_000)
    limit.ended(100_000)
    expect(limit.limitMs(100_000)).toBeGreaterThanOrEqual(2 * first)
    for (let n = 0; n < 10; n += 1) limit.ended(100_000)
    expect(limit.limitMs(100_000)).toBe(25_000)
  })

  it('comes back down with inserts at the usual pace', () => {
    const limit = new InsertLimit(options)
    for (let n = 0; n < 10; n += 1) limit.ended(400_000)
    for (let n = 0; n < 100; n += 1) limit.took(400_000, 500)
    expect(limit.limitMs(400_000)).toBeLessThan(9_000)
    expect(limit.limitMs(30)).toBe(3_000)
  })

  it('never passes what a new owner waits for, nor falls below the setting', () => {
    const limit = new InsertLimit({ leastMs: 30_000, mostMs: 25_000 })
    limit.ended(400_000)
    expect(limit.limitMs(1)).toBe(30_000)
    expect(limit.limitMs(400_000)).toBe(30_000)
  })
})
