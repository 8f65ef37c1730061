import { describe, expect, it } from 'vitest'
import {
  smileExpiry,
  type SmileInput,
  type StrikeRow,
  writtenExpiry,
} from '../../../tests/fixtures/quant/solved-expiry.ts'
import { smileFeatures } from './smile.ts'

const dense = Array.from({ length: 181 }, (_, i) => 60 + i / 2)
const features = (input: Partial<SmileInput>) =>
  smileFeatures(smileExpiry({ strikes: dense, sigma: () => 0.25, days: 60, ...input }))

describe('the fit at the money', () => {
  it('gives a linear and a quadratic smile their own coefficients', () => {
    const linear = features({ sigma: (k) => 0.25 - 0.12 * k })
    expect(linear.skewSlope).toBeCloseTo(-0.12, 9)
    expect(linear.skewCurvature).toBeCloseTo(0, 8)
    const quadratic = features({ sigma: (k) => 0.25 - 0.12 * k + 0.4 * k * k, halfSpread: (k) => 0.002 * Math.abs(k) })
    expect(quadratic.skewSlope).toBeCloseTo(-0.12, 6)
    expect(quadratic.skewCurvature).toBeCloseTo(0.8, 4)
  })

  it('needs five strikes within one standard deviation, on both sides of the forward', () => {
    // sigma sqrt(T) is 0.1, so the strikes from 91 to 110 count.
    const slopeOf = (strikes: number[]) =>
      smileFeatures(writtenExpiry(strikes.map((k) => [k, 0.2 - 0.1 * Math.log(k / 100), 0.5]))).skewSlope
    expect(slopeOf([85, 92, 96, 100, 104, 108, 115])).toBeCloseTo(-0.1, 12)
    expect(slopeOf([85, 90, 96, 100, 104, 108, 115])).toBeNaN()
    expect(slopeOf([85, 90, 101, 102, 103, 104, 105, 106])).toBeNaN()
  })

  it('listens less to a wide quote', () => {
    const rows = (half: number): StrikeRow[] =>
      [92, 94, 96, 98, 100, 102, 104, 106].map((k) => [k, k === 106 ? 0.3 : 0.2, 0.5, k === 106 ? half : 0.01])
    const tight = smileFeatures(writtenExpiry(rows(0.01))).skewSlope
    const wide = smileFeatures(writtenExpiry(rows(0.5))).skewSlope
    expect(tight).toBeGreaterThan(0.1)
    expect(wide / tight).toBeLessThan(0.02)
  })

  it('weighs a strike by 1 / (half spread^2 + 0.25^2)', () => {
    // With weight (0.5^2 + 0.25^2)^-1 against (0.25^2)^-1 = 5 : 1 a wide point counts as the fifth of a tight one.
    const x = [-0.8, -0.4, 0.1, 0.4, 0.8]
    const y = [0.27, 0.21, 0.2, 0.22, 0.21]
    const rows = (halves: number[]) =>
      x.map((place, i): StrikeRow => [100 * Math.exp(place * 0.1), y[i] ?? NaN, 0.5, (halves[i] ?? 0) / 10])
    const base = [-100, -50].map((k): StrikeRow => [-k / 10, 0.2, 0.5])
    // ATM by hand: total variance linear between the strikes at x = -0.4 and 0.1.
    const atm = Math.sqrt(0.21 ** 2 + 0.8 * (0.2 ** 2 - 0.21 ** 2))
    const scale = atm * 0.5
    const w = [1, 1, 1, 1, 0.2]
    const place = x.map((value) => (value * 0.1) / scale)
    const sums = (px: number, py: number) =>
      place.reduce((sum, v, i) => sum + (w[i] ?? NaN) * v ** px * (y[i] ?? NaN) ** py, 0)
    const [b, c] = solveNormal(sums)
    const fitted = smileFeatures(writtenExpiry([...base, ...rows([0, 0, 0, 0, 0.5])]))
    expect(fitted.atmIv).toBeCloseTo(atm, 12)
    expect(fitted.skewSlope).toBeCloseTo(b / scale, 10)
    expect(fitted.skewCurvature).toBeCloseTo((2 * c) / scale ** 2, 8)
  })
})

/** Cramer's rule on the normal equations of a + b x + c x^2; returns b and c. */
function solveNormal(sums: (px: number, py: number) => number): [number, number] {
  const m = [0, 1, 2].map((row) => [0, 1, 2].map((column) => sums(row + column, 0)))
  const t = [0, 1, 2].map((row) => sums(row, 1))
  const det = (n: number[][]) => {
    const [[a = 0, b = 0, c = 0] = [], [d = 0, e = 0, f = 0] = [], [g = 0, h = 0, i = 0] = []] = n
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
  }
  const replaced = (at: number) => m.map((row, r) => row.map((value, c) => (c === at ? (t[r] ?? NaN) : value)))
  return [det(replaced(1)) / det(m), det(replaced(2)) / det(m)]
}
