import { describe, expect, it } from 'vitest'
import { flatCurve, zeroRate } from './rate-curve.ts'

describe('a rate curve', () => {
  const curve = { source: 'test', date: '2026-06-22', years: [0.25, 1, 2], rates: [0.04, 0.037, 0.035] }

  it('has its own rates at its points', () => {
    expect(curve.years.map((years) => zeroRate(curve, years))).toEqual(curve.rates)
  })

  it('is linear between points and flat outside', () => {
    expect(zeroRate(curve, 0.625)).toBeCloseTo(0.0385, 12)
    expect(zeroRate(curve, 0.01)).toBe(0.04)
    expect(zeroRate(curve, 5)).toBe(0.035)
  })

  it('can be one rate for all times', () => {
    const flat = flatCurve(0.037, 'setting', '2026-06-22')
    expect([0, 0.1, 1, 10].map((years) => zeroRate(flat, years))).toEqual(Array(4).fill(0.037))
  })
})
