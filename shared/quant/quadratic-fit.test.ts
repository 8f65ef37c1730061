import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { quadraticFit } from './quadratic-fit.ts'

function fitOf(x: readonly number[], y: (x: number) => number, weights: readonly number[] = x.map(() => 1)) {
  return quadraticFit(Float64Array.from(x), Float64Array.from(x, y), Float64Array.from(weights), x.length)
}

describe('the quadratic fit', () => {
  it('gives a parabola its own coefficients', () => {
    const fit = fitOf([-1, -0.3, 0.1, 0.4, 0.9], (x) => 0.2 - 0.07 * x + 0.05 * x * x, [1, 20, 3, 0.5, 7])
    expect(fit.value).toBeCloseTo(0.2, 14)
    expect(fit.slope).toBeCloseTo(-0.07, 14)
    expect(fit.curvature).toBeCloseTo(0.1, 14)
  })

  it('gives the weighted least squares worked by hand', () => {
    // Symmetric places, so the slope stands alone: sum wxy / sum wx^2 = (2 (3 - 1) + 1 (2 - 0.5)) / (2 2 1 + 2 0.25).
    const y = new Map([
      [-1, 1],
      [-0.5, 1],
      [0, 2],
      [0.5, 4],
      [1, 3],
    ])
    const fit = fitOf([...y.keys()], (x) => y.get(x) ?? NaN, [2, 1, 1, 1, 2])
    expect(fit.slope).toBeCloseTo((2 * (3 - 1) + 0.5 * (4 - 1)) / 4.5, 14)
    // Remaining 2x2 system of value and c: 7 a + 4.5 c = 15, 4.5 a + 4.125 c = 9.25.
    expect(fit.value).toBeCloseTo((15 * 4.125 - 9.25 * 4.5) / (7 * 4.125 - 4.5 ** 2), 13)
    expect(fit.curvature / 2).toBeCloseTo((7 * 9.25 - 4.5 * 15) / (7 * 4.125 - 4.5 ** 2), 13)
  })

  it('is a line through points on a line, anywhere', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -5, max: 5, noNaN: true }),
        fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { minLength: 3, maxLength: 20 }),
        (shift, places) => {
          const fit = fitOf(
            places.map((place) => shift + place / 10),
            (x) => 0.3 + 0.2 * x,
          )
          expect(fit.slope).toBeCloseTo(0.2, 7)
          expect(fit.curvature).toBeCloseTo(0, 7)
        },
      ),
    )
  })

  it('is missing with fewer than three places, or with anything not a number', () => {
    const missing = { value: NaN, slope: NaN, curvature: NaN }
    expect(fitOf([], () => 1)).toEqual(missing)
    expect(fitOf([0.5, 0.5, 0.5], () => 1)).toEqual(missing)
    expect(fitOf([0.3, 0.3, 0.7, 0.7], (x) => x)).toEqual(missing)
    expect(fitOf([NaN, 0, 1, 2], (x) => x)).toEqual(missing)
    expect(fitOf([-1, 0, 1, 2], (x) => x, [1, NaN, 1, 1])).toEqual(missing)
  })
})
