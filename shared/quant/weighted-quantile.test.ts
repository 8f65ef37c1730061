import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { weightedMedian, weightedQuantile } from './weighted-quantile.ts'

const quantile = (pairs: readonly (readonly [number, number])[], mass: number) =>
  weightedQuantile(
    Float64Array.from(pairs, ([value]) => value),
    Float64Array.from(pairs, ([, weight]) => weight),
    pairs.length,
    mass,
  )

describe('the weighted quantile', () => {
  it('is the lowest value whose cumulative weight reaches the mass', () => {
    const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 5 })), { minLength: 1 })
    fc.assert(
      fc.property(pairs, fc.integer({ min: 1, max: 100 }), (all, mass) => {
        const sorted = all.toSorted((a, b) => a[0] - b[0])
        let cumulative = 0
        const reached = [...new Set(sorted.map(([value]) => value))].find((value) => {
          cumulative = sorted.reduce((sum, [v, weight]) => (v <= value ? sum + weight : sum), 0)
          return cumulative >= mass
        })
        expect(quantile(all, mass)).toBe(reached ?? sorted.at(-1)?.[0])
      }),
      { numRuns: 500 },
    )
  })

  it('has a median that half the weight reaches', () => {
    expect(weightedMedian(Float64Array.of(3, 1, 2), Float64Array.of(1, 1, 1), 3)).toBe(2)
    expect(weightedMedian(Float64Array.of(3, 1, 2), Float64Array.of(10, 1, 1), 3)).toBe(3)
  })

  it('is NaN of nothing and ends on NaN', () => {
    expect(quantile([], 1)).toBeNaN()
    expect(() =>
      quantile(
        [
          [NaN, 1],
          [2, NaN],
          [3, 1],
        ],
        2,
      ),
    ).not.toThrow()
  })
})
