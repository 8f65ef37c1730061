import { describe, expect, it } from 'vitest'
import { constantMaturityVolatility, volatilityAtTheMoney } from './interpolate.ts'

describe('interpolation', () => {
  it('is linear in total variance between two strikes', () => {
    expect(volatilityAtTheMoney(-0.02, 0.3, 0.02, 0.2)).toBeCloseTo(Math.sqrt(0.065), 14)
    expect(volatilityAtTheMoney(-0.02, 0.3, 0, 0.2)).toBeCloseTo(0.2, 14)
    expect(volatilityAtTheMoney(0, 0.3, 0, 0.2)).toBe(0.3)
    expect(volatilityAtTheMoney(-0.02, NaN, 0.02, 0.2)).toBeNaN()
  })

  it('is linear in total variance between two expiries', () => {
    const years = [20 / 365, 50 / 365]
    const expected = Math.sqrt((0.04 * 20 + (0.09 * 50 - 0.04 * 20) * (10 / 30)) / 30)
    expect(constantMaturityVolatility(years, [0.2, 0.3], 2, 30 / 365)).toBeCloseTo(expected, 14)
    expect(constantMaturityVolatility(years, [0.2, 0.3], 2, 20 / 365)).toBeCloseTo(0.2, 14)
  })

  it('passes over expiries without a volatility', () => {
    const years = [20 / 365, 29 / 365, 50 / 365]
    expect(constantMaturityVolatility(years, [0.2, NaN, 0.2], 3, 30 / 365)).toBeCloseTo(0.2, 14)
  })

  it('is flat within 20 % of the maturity and missing beyond', () => {
    const at = (days: number) => constantMaturityVolatility([days / 365], [0.2], 1, 30 / 365)
    expect(at(35)).toBe(0.2)
    expect(at(25)).toBe(0.2)
    expect(at(37)).toBeNaN()
    expect(at(23)).toBeNaN()
    expect(constantMaturityVolatility([], [], 0, 30 / 365)).toBeNaN()
  })
})
