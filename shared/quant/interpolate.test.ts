import { describe, expect, it } from 'vitest'
import { constantMaturityValue, constantMaturityVolatility, neighbours, volatilityAtTheMoney } from './interpolate.ts'

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

  it('is linear in time for a figure that is no volatility, flat within 20 % and missing beyond', () => {
    const years = [20 / 365, 50 / 365]
    const at = (days: number) => constantMaturityValue(years, [-0.02, 0.01], 2, days / 365)
    expect(at(30)).toBeCloseTo(-0.01, 14)
    expect(at(20)).toBe(-0.02)
    expect(at(17)).toBe(-0.02)
    expect(at(60)).toBe(0.01)
    expect(at(16)).toBeNaN()
    expect(at(63)).toBeNaN()
  })

  it('takes two expiries of one instant without dividing by zero', () => {
    const years = [20 / 365, 20 / 365, 40 / 365, 40 / 365]
    expect(constantMaturityVolatility(years, [0.2, 0.3, 0.3, 0.4], 4, 30 / 365)).toBeCloseTo(0.3, 14)
    expect(constantMaturityVolatility(years, [0.2, 0.3, 0.3, 0.4], 4, 20 / 365)).toBeCloseTo(0.3, 14)
    expect(constantMaturityValue(years.slice(0, 2), [0.2, 0.3], 2, 20 / 365)).toBe(0.3)
    expect(neighbours(years, [1, 1, 1, 1], 4, 20 / 365)).toEqual({ before: 1, after: 2 })
  })

  it('passes over what is no finite number', () => {
    const years = [20 / 365, 29 / 365, NaN, 50 / 365]
    expect(constantMaturityVolatility(years, [0.2, Infinity, 0.9, 0.2], 4, 30 / 365)).toBeCloseTo(0.2, 14)
    expect(constantMaturityValue(years, [0.2, -Infinity, 0.9, 0.2], 4, 30 / 365)).toBeCloseTo(0.2, 14)
  })
})
