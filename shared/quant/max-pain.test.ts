import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxPain } from './max-pain.ts'

type Row = readonly [strike: number, right: 1 | 2, openInterest: number]

const painOf = (rows: readonly Row[]) =>
  maxPain({
    count: rows.length,
    strike: Float64Array.from(rows, ([strike]) => strike),
    right: Int8Array.from(rows, ([, right]) => right),
    openInterest: Float64Array.from(rows, ([, , openInterest]) => openInterest),
  })

const byDefinition = (rows: readonly Row[]) => {
  const total = (x: number) =>
    rows.reduce((sum, [strike, right, oi]) => sum + oi * Math.max(0, right === 1 ? x - strike : strike - x), 0)
  const strikes = [...new Set(rows.map(([strike]) => strike))].sort((a, b) => a - b)
  return strikes.reduce((best, strike) => (total(strike) < total(best) ? strike : best), strikes[0] ?? NaN)
}

describe('max pain', () => {
  it('is 100 in the worked example of maximum-pain.com', () => {
    const puts = [21, 33, 5]
    const calls = [9, 45, 25]
    const rows = [95, 100, 105].flatMap((strike, i): Row[] => [
      [strike, 1, calls[i] ?? 0],
      [strike, 2, puts[i] ?? 0],
    ])
    expect(painOf(rows)).toBe(100)
  })

  it('is the argmin by definition, lowest on a tie, in any order of rows', () => {
    const row = fc.tuple(
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom(1 as const, 2 as const),
      fc.integer({ min: 0, max: 4 }),
    )
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), (rows) => {
        fc.pre(rows.some(([, , openInterest]) => openInterest > 0))
        expect(painOf(rows)).toBe(byDefinition(rows))
      }),
      { numRuns: 1000 },
    )
  })

  it('is unknown without open interest', () => {
    expect(painOf([])).toBeNaN()
    expect(
      painOf([
        [95, 1, NaN],
        [100, 2, 0],
      ]),
    ).toBeNaN()
  })
})
