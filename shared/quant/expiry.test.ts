import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { greekNames, solvedColumns } from '../../tests/fixtures/quant/solved-columns.ts'
import { ivCodes } from '../model/features.ts'
import { black76Greeks, black76Price } from './black76.ts'
import {
  computeExpiryGreeks,
  type ExpiryTerms,
  solveExpiry,
  solveExpiryWithGreeks,
  solveImpliedVolatility,
} from './implied-volatility.ts'
import { sizedTest } from '../../tests/support/size.ts'

// More than two blocks.
const count = 601
const strikes = Float64Array.from({ length: count }, (_, i) => 40 + i / 3)
const terms = { spot: 100, forward: 100.4, discount: 0.99, yearsToExpiry: 0.25 }
const right = Int8Array.from(strikes, (_, i) => 1 + (i % 2))
const volatilities = Float64Array.from(strikes, (strike) => 0.3 + 0.3 * Math.log(strike / 100) ** 2)
const price = Float64Array.from(strikes, (strike, i) =>
  i % 50 === 7
    ? NaN
    : black76Price(terms.forward, strike, terms.yearsToExpiry, terms.discount, volatilities[i] ?? 0, right[i] ?? 0),
)
const quotes = { count, price, strike: strikes, right }

describe('a whole expiry', () => {
  it('is solved to the same bits as its contracts one by one', () => {
    const out = solvedColumns(count)
    solveExpiry(quotes, terms, out)
    for (let i = 0; i < count; i++) {
      const one = solveImpliedVolatility(price[i] ?? 0, terms.forward, strikes[i] ?? 0, 0.25, 0.99, right[i] ?? 0)
      expect(out.iv[i]).toBe(one.sigma)
      expect(out.ivCode[i]).toBe(one.code)
    }
  })

  it('has the greeks of its contracts one by one, in and out of the money, solved or given', () => {
    const solved = solvedColumns(count)
    solveExpiryWithGreeks(quotes, terms, solved)
    const given = solvedColumns(count)
    computeExpiryGreeks({ count, strike: strikes, right, iv: solved.iv }, terms, given)
    for (let i = 0; i < count; i++) {
      if (solved.ivCode[i] !== ivCodes.ok) continue
      const greeks = black76Greeks(terms, strikes[i] ?? 0, solved.iv[i] ?? 0, right[i] ?? 0)
      for (const name of greekNames) {
        expect(Math.abs((solved[name][i] ?? NaN) - greeks[name])).toBeLessThan(1e-13 + 1e-11 * Math.abs(greeks[name]))
        expect(given[name][i]).toBe(solved[name][i])
      }
    }
  })

  it('has the greeks of volatilities no table reaches', () => {
    const iv = Float64Array.from(strikes, (_, i) => 6 * 1.01 ** i)
    const out = solvedColumns(count)
    computeExpiryGreeks({ count, strike: strikes, right, iv }, terms, out)
    for (let i = 0; i < count; i++) {
      const greeks = black76Greeks(terms, strikes[i] ?? 0, iv[i] ?? 0, right[i] ?? 0)
      for (const name of greekNames)
        expect(Math.abs((out[name][i] ?? NaN) - greeks[name])).toBeLessThan(1e-13 + 1e-11 * Math.abs(greeks[name]))
    }
  })

  it('has greeks wherever it has a volatility and nowhere else', () => {
    const out = solvedColumns(count)
    solveExpiryWithGreeks(quotes, terms, out)
    for (const name of greekNames) expect([...out[name]].map(Number.isNaN)).toEqual(Array.from(out.iv, Number.isNaN))
    expect(Number.isNaN(out.iv[7])).toBe(true)
    expect(out.ivCode[7]).toBe(ivCodes.no_bid)
  })

  it('leaves what lies behind its count alone', () => {
    const out = solvedColumns(count)
    for (const bad of [terms, { ...terms, forward: NaN }]) {
      solveExpiryWithGreeks({ ...quotes, count: 300 }, bad, out)
      computeExpiryGreeks({ count: 300, strike: strikes, right, iv: volatilities }, bad, out)
      for (const name of ['iv', ...greekNames] as const)
        expect(new Set(out[name].subarray(300))).toEqual(new Set([12_345]))
    }
  })

  it('is all code and no figure when it is expired, has no forward, or no spot to have greeks by', () => {
    const codes = (changed: Partial<ExpiryTerms>) => {
      const out = solvedColumns(count)
      solveExpiryWithGreeks(quotes, { ...terms, ...changed }, out)
      for (const name of ['iv', ...greekNames] as const) expect(out[name].every(Number.isNaN)).toBe(true)
      return [...new Set(out.ivCode)]
    }
    expect(codes({ yearsToExpiry: 0 })).toEqual([ivCodes.expired])
    expect(codes({ forward: NaN })).toEqual([ivCodes.no_forward])
    expect(codes({ spot: NaN })).toEqual([ivCodes.no_forward])
    expect(codes({ spot: 0 })).toEqual([ivCodes.no_forward])
    // A rate that is no number: ln D / T.
    expect(codes({ yearsToExpiry: 5e-324 })).toEqual([ivCodes.below_time_floor])
  })

  it('gives a finite figure in every column or a code, whatever it is given', () => {
    const anything = fc.oneof(
      fc.double({ min: 0, max: 200 }),
      fc.double(),
      fc.constantFrom(NaN, Infinity, -Infinity, 0, -1, 1, 100, 5e-324, 1e-300, 1e300, Number.MAX_VALUE),
    )
    const anyTerms = fc.record({ spot: anything, forward: anything, discount: anything, yearsToExpiry: anything })
    fc.assert(
      fc.property(anyTerms, anything, anything, anything, fc.integer({ min: -1, max: 3 }), (t, p, k, iv, side) => {
        const out = solvedColumns(1)
        const one = { count: 1, price: Float64Array.of(p), strike: Float64Array.of(k), right: Int8Array.of(side) }
        solveExpiryWithGreeks(one, t, out)
        const isOk = out.ivCode[0] === ivCodes.ok
        for (const name of ['iv', ...greekNames] as const) expect(Number.isFinite(out[name][0])).toBe(isOk)
        computeExpiryGreeks({ ...one, iv: Float64Array.of(iv) }, t, out)
        const finite = greekNames.map((name) => Number.isFinite(out[name][0]))
        expect(new Set(finite).size).toBe(1)
        expect(finite[0] || greekNames.every((name) => Number.isNaN(out[name][0]))).toBe(true)
      }),
      { numRuns: sizedTest(1_000, 20_000) },
    )
  })
})
