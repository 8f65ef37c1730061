import { existsSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { referenceFile, referenceRows } from '../../tests/fixtures/quant/reference.ts'
import { black76Greeks, black76Price } from './black76.ts'
import { solveExpiryWithGreeks } from './implied-volatility.ts'

describe('Black-76', () => {
  it('agrees with the 40-digit prices and greeks of all reference rows', (ctx) => {
    if (!existsSync(referenceFile)) ctx.skip(`${referenceFile} is not there`)
    const worst: Record<string, number> = {}
    for (const row of referenceRows()) {
      const discount = Math.exp(-row.r * row.T)
      const forward = row.S * Math.exp((row.r - row.q) * row.T)
      const terms = { spot: row.S, forward, discount, yearsToExpiry: row.T }
      const greeks = black76Greeks(terms, row.K, row.sigma, row.right)
      const perUnit = {
        price: greeks.price,
        delta: greeks.delta,
        gamma: greeks.gamma,
        vega: greeks.vega * 100,
        theta: (greeks.theta + greeks.thetaCarry) * 365,
        rho: greeks.rho * 100,
        vanna: greeks.vanna * 100,
        charm: (greeks.charm + greeks.charmCarry) * 365,
        volga: greeks.volga * 10_000,
      }
      for (const [name, value] of Object.entries(perUnit)) {
        const error = Math.abs(value / row[name as keyof typeof perUnit] - 1)
        worst[name] = Math.max(worst[name] ?? 0, error)
      }
    }
    for (const name of ['price', 'delta', 'gamma', 'vega', 'theta', 'rho', 'vanna', 'charm'])
      expect(worst[name]).toBeLessThan(1e-10)
    // At d1 = 1e-6 a volga has no more digits in doubles.
    expect(worst['volga']).toBeLessThan(1e-7)
  })

  it('keeps put-call parity in price and every greek', () => {
    const inputs = fc.record({
      strike: fc.double({ min: 40, max: 250, noNaN: true }),
      yearsToExpiry: fc.double({ min: 0.01, max: 2, noNaN: true }),
      sigma: fc.double({ min: 0.05, max: 1.5, noNaN: true }),
      rate: fc.double({ min: -0.01, max: 0.08, noNaN: true }),
    })
    fc.assert(
      fc.property(inputs, ({ strike, yearsToExpiry, sigma, rate }) => {
        const terms = { spot: 100, forward: 101.5, discount: Math.exp(-rate * yearsToExpiry), yearsToExpiry }
        const call = black76Greeks(terms, strike, sigma, 1)
        const put = black76Greeks(terms, strike, sigma, 2)
        expect(call.price - put.price).toBeCloseTo(terms.discount * (101.5 - strike), 10)
        expect(call.delta - put.delta).toBeCloseTo((terms.discount * 101.5) / 100, 12)
        expect(call.gamma).toBe(put.gamma)
        expect(call.vega).toBe(put.vega)
        expect(call.theta - put.theta).toBeCloseTo((rate * terms.discount * (101.5 - strike)) / 365, 10)
        expect(call.price).toBeCloseTo(black76Price(101.5, strike, yearsToExpiry, terms.discount, sigma, 1), 10)
      }),
    )
  })

  it('is the derivative it claims to be, forward held fixed', () => {
    const terms = { spot: 100, forward: 101, discount: Math.exp(-0.04 * 0.3), yearsToExpiry: 0.3 }
    const value = (years: number) => black76Price(101, 95, years, Math.exp(-0.04 * years), 0.3, 2)
    const numeric = (value(0.3 - 1e-5) - value(0.3 + 1e-5)) / 2e-5 / 365
    expect(black76Greeks(terms, 95, 0.3, 2).theta).toBeCloseTo(numeric, 8)
  })

  it('gives the batch the same greeks', () => {
    const terms = { spot: 100, forward: 101, discount: 0.99, yearsToExpiry: 0.3 }
    const out = {
      iv: new Float64Array(1),
      ivCode: new Uint8Array(1),
      delta: new Float64Array(1),
      gamma: new Float64Array(1),
      vega: new Float64Array(1),
      theta: new Float64Array(1),
    }
    const price = Float64Array.of(black76Price(101, 95, 0.3, 0.99, 0.3, 2))
    solveExpiryWithGreeks({ count: 1, price, strike: Float64Array.of(95), right: Int8Array.of(2) }, terms, out)
    const greeks = black76Greeks(terms, 95, 0.3, 2)
    expect(out.iv[0]).toBeCloseTo(0.3, 13)
    for (const name of ['delta', 'gamma', 'vega', 'theta'] as const) expect(out[name][0]).toBeCloseTo(greeks[name], 12)
  })

  it('is worth its intrinsic value without volatility', () => {
    expect(black76Price(105, 100, 1, 0.9, 0, 1)).toBeCloseTo(4.5, 12)
    expect(black76Price(105, 100, 1, 0.9, 0, 2)).toBe(0)
  })
})
