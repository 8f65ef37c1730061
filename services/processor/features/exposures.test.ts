import { describe, expect, it } from 'vitest'
import { black76Greeks, black76Price } from '../../../shared/quant/black76.ts'
import { chainOf, type ContractInput } from '../../../tests/fixtures/quant/chain-builder.ts'
import { solvedChain } from '../../../tests/fixtures/quant/solved-chain.ts'
import type { ChainContext, SolvedExpiry } from './context.ts'
import { exposeStrikes, exposureConvention, type ExposureFigures, sumExposures } from './exposures.ts'

/** 16:00 New York: expiries are whole days away. */
const marketTimeMs = Date.UTC(2026, 5, 22, 20)
const rate = 0.05
const forward = 101
const sigma = 0.25

function legsOf(expiry: string, years: number, interest: (right: 'C' | 'P', strike: number) => number) {
  return [80, 90, 95, 100, 105, 110, 120].flatMap((strike) =>
    (['C', 'P'] as const).map((right): ContractInput => {
      const mid = black76Price(forward, strike, years, Math.exp(-rate * years), sigma, right === 'C' ? 1 : 2)
      return {
        root: 'XYZ',
        expiry,
        strike,
        right,
        bid: mid * 0.98,
        ask: mid * 1.02,
        openInterest: interest(right, strike),
      }
    }),
  )
}

const years = 60 / 365
const interest = (right: 'C' | 'P', strike: number) => (right === 'C' ? 3 : 2) * strike + (strike % 7) * 10
const legs = legsOf('2026-08-21', years, interest)
const solve = (contracts: readonly ContractInput[], options = {}) =>
  solvedChain(chainOf(contracts, { marketTimeMs }), { rate, ...options })
const expiryExposures = (context: ChainContext, expiry: SolvedExpiry) =>
  sumExposures([exposeStrikes(context, expiry)], context.spot)
const exposuresOf = (contracts: readonly ContractInput[], options = {}): ExposureFigures => {
  const { context, expiries } = solve(contracts, options)
  const [expiry] = expiries
  if (!expiry) throw new Error('no expiry')
  return expiryExposures(context, expiry)
}
const nothing = { gexUsd1pct: NaN, gexShares: NaN, gexAbsUsd1pct: NaN, dexUsd: NaN, vexUsd: NaN, cexUsd: NaN }

describe('exposures of an expiry', () => {
  it('are the sums over contracts of what each has by itself', () => {
    const { context, expiries } = solve(legs)
    const [expiry] = expiries
    if (!expiry) throw new Error('no expiry')
    const sums = { gexUsd1pct: 0, gexShares: 0, gexAbsUsd1pct: 0, dexUsd: 0, vexUsd: 0, cexUsd: 0 }
    for (const { strike, right } of legs) {
      const at = expiry.strikes.strike.indexOf(strike)
      // Each leg's own greeks, without parity.
      const greeks = black76Greeks(expiry.terms, strike, expiry.strikes.iv[at] ?? NaN, right === 'C' ? 1 : 2)
      const units = interest(right, strike) * 100
      const sign = right === 'C' ? 1 : -1
      sums.gexUsd1pct += sign * greeks.gamma * units * 100
      sums.gexShares += sign * greeks.gamma * units
      sums.gexAbsUsd1pct += greeks.gamma * units * 100
      sums.dexUsd += greeks.delta * units * 100
      sums.vexUsd += sign * greeks.vanna * units * 100
      sums.cexUsd += sign * greeks.charm * units * 100
    }
    const figures = expiryExposures(context, expiry)
    for (const [name, sum] of Object.entries(sums))
      expect(figures[name as keyof ExposureFigures] / sum).toBeCloseTo(1, 10)
    expect(figures).toMatchObject({ exposureNUsed: 14, exposureQuality: 100 })
    expect(exposureConvention).toBe('calls+puts-')
  })

  it('are those of one call worked by hand', () => {
    // d1 = 0.5 s at K = F = S, without a rate: gamma = phi(s/2) / (S s), delta = N(s/2), vanna = -phi(d1) d2 / sigma.
    const s = 0.2 * Math.sqrt(30 / 365)
    const mid = black76Price(100, 100, 30 / 365, 1, 0.2, 1)
    const both = (['C', 'P'] as const).map((right) => ({
      root: 'XYZ',
      expiry: '2026-07-22',
      strike: 100,
      right,
      bid: mid - 0.01,
      ask: mid + 0.01,
    }))
    const figures = exposuresOf(
      both.map((leg) => (leg.right === 'C' ? { ...leg, openInterest: 10 } : leg)),
      { rate: 0, multiplier: 50 },
    )
    const density = Math.exp((-s * s) / 8) / Math.sqrt(2 * Math.PI)
    expect(figures.gexUsd1pct).toBeCloseTo(((density / (100 * s)) * 10 * 50 * 100 * 100) / 100, 8)
    expect(figures.gexShares).toBeCloseTo((density / (100 * s)) * 10 * 50, 8)
    expect(figures.dexUsd).toBeCloseTo(0.511434 * 10 * 50 * 100, 0)
    expect(figures.vexUsd).toBeCloseTo(((density * s) / 2 / 0.2) * 0.01 * 10 * 50 * 100, 8)
    expect(figures.cexUsd).toBeCloseTo((((-density * s) / 2 / (2 * (30 / 365))) * 10 * 50 * 100) / 365, 8)
    expect(figures).toMatchObject({ exposureNUsed: 1, exposureQuality: 100 })
  })

  it('count of the last day only the charm until expiry', () => {
    const hourYears = 1 / 24 / 365
    const hour = legsOf('2026-06-22', hourYears, (right) => (right === 'C' ? 10 : 0)).map((leg) => ({
      ...leg,
      expiryAtS: marketTimeMs / 1000 + 3600,
    }))
    const { context, expiries } = solve(hour, { rate: 0 })
    const [expiry] = expiries
    if (!expiry) throw new Error('no expiry')
    const perDay = hour
      .filter(({ right }) => right === 'C')
      .reduce((sum, { strike }) => {
        const iv = expiry.strikes.iv[expiry.strikes.strike.indexOf(strike)] ?? NaN
        const { charm } = black76Greeks(expiry.terms, strike, iv, 1)
        return Number.isNaN(charm) ? sum : sum + charm * 10 * 100 * 100
      }, 0)
    expect(expiryExposures(context, expiry).cexUsd).toBeCloseTo(perDay / 24, 6)
  })

  it('take unknown, negative and infinite open interest for unknown', () => {
    const broken = [NaN, -5, Infinity, -Infinity]
    const without = legs.map((leg, i) => (i < 4 ? { ...leg, openInterest: 0 } : leg))
    const unknown = legs.map((leg, i) => (i < 4 ? { ...leg, openInterest: broken[i] ?? 0 } : leg))
    expect(exposuresOf(unknown)).toEqual({ ...exposuresOf(without), exposureNUsed: 10 })
  })

  it('count the open interest without a gamma against their quality', () => {
    // A strike whose out-of-the-money leg has no bid has no gamma.
    const half = legs.map((leg) => ({ ...leg, openInterest: leg.strike === 80 ? 300 : 100 }))
    const figures = exposuresOf(half.map((leg) => (leg.strike === 80 && leg.right === 'P' ? { ...leg, bid: 0 } : leg)))
    expect(figures.exposureNUsed).toBe(12)
    expect(figures.exposureQuality).toBeCloseTo((100 * 1200) / 1800, 10)
  })

  it('are missing, not 0, without gamma or without open interest', () => {
    const none = { ...nothing, exposureNUsed: 0, exposureQuality: 0 }
    expect(exposuresOf(legs.map((leg) => ({ ...leg, openInterest: NaN })))).toEqual(none)
    expect(exposuresOf(legs.map((leg) => ({ ...leg, bid: 0 })))).toEqual(none)
    expect(exposuresOf(legs.map((leg) => ({ ...leg, openInterest: 0 })))).toMatchObject({
      gexUsd1pct: 0,
      dexUsd: 0,
      exposureNUsed: 14,
      exposureQuality: 0,
    })
  })

  it('are missing below the time floor, though columns still hold the figures of another expiry', () => {
    const { context, expiries } = solve(legs)
    const floored = expiries.map((expiry) => ({ ...expiry, isSolved: false }))
    const [expiry] = floored
    if (!expiry) throw new Error('no expiry')
    expect(expiryExposures(context, expiry)).toEqual({ ...nothing, exposureNUsed: 0, exposureQuality: 0 })
  })

  it('add up over expiries', () => {
    const both = [...legs, ...legsOf('2026-09-18', 88 / 365, interest)]
    const { context, expiries } = solve(both)
    const each = expiries.map((expiry) => expiryExposures(context, expiry))
    const all = sumExposures(
      expiries.map((expiry) => exposeStrikes(context, expiry)),
      context.spot,
    )
    for (const name of ['gexUsd1pct', 'gexShares', 'gexAbsUsd1pct', 'dexUsd', 'vexUsd', 'cexUsd'] as const)
      expect(all[name] / ((each[0]?.[name] ?? NaN) + (each[1]?.[name] ?? NaN))).toBeCloseTo(1, 12)
    expect(all.exposureNUsed).toBe(28)
  })

  it('overflow into missing, never into infinity', () => {
    const huge = exposuresOf(legs.map((leg) => ({ ...leg, openInterest: 1e307 })))
    expect(Object.values(huge).filter((value) => Math.abs(value) === Infinity)).toEqual([])
  })
})
