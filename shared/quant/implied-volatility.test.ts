import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ivCodes } from '../model/features.ts'
import { black76Price } from './black76.ts'
import { solveExpiry, solveExpiryWithGreeks, solveImpliedVolatility } from './implied-volatility.ts'
import { solveTotalVolatility } from './total-volatility.ts'
import { referenceFile, referenceRows } from '../../tests/fixtures/quant/reference.ts'

const corners = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../tests/fixtures/quant/iv_corners.json'), 'utf8'),
) as [number, number, number, number, number][]

const columnsFor = (count: number) => ({
  iv: new Float64Array(count),
  ivCode: new Uint8Array(count),
  delta: new Float64Array(count),
  gamma: new Float64Array(count),
  vega: new Float64Array(count),
  theta: new Float64Array(count),
})

describe('implied volatility', () => {
  it('is within 5 x the conditioning of all 2,400 European reference rows', (ctx) => {
    if (!existsSync(referenceFile)) ctx.skip(`${referenceFile} is not there`)
    let worst = 0
    const rows = referenceRows()
    for (const row of rows) {
      const forward = row.S * Math.exp((row.r - row.q) * row.T)
      const { sigma, code } = solveImpliedVolatility(
        row.price,
        forward,
        row.K,
        row.T,
        Math.exp(-row.r * row.T),
        row.right,
      )
      expect(code).toBe(ivCodes.ok)
      worst = Math.max(worst, Math.abs(sigma - row.iv_from_price) / row.iv_cond)
    }
    expect(rows).toHaveLength(2400)
    process.stdout.write(`worst IV error over 2,400 reference rows: ${worst.toFixed(2)} x iv_cond\n`)
    expect(worst).toBeLessThan(5)
  })

  it('holds in the corners: prices down to 1e-280, total volatility 1e-4 to 8', () => {
    for (const [forward, strike, price, total, conditioning] of corners) {
      const error = Math.abs(solveTotalVolatility(price, forward, strike) / total - 1)
      expect(error).toBeLessThan(Math.max(5 * conditioning, 1e-12))
    }
  })

  it('returns the volatility a price was made from', () => {
    const inputs = fc.record({
      moneyness: fc.double({ min: 0.5, max: 2, noNaN: true }),
      years: fc.double({ min: 1 / 365, max: 2, noNaN: true }),
      sigma: fc.double({ min: 0.05, max: 2, noNaN: true }),
      rate: fc.double({ min: -0.01, max: 0.08, noNaN: true }),
    })
    fc.assert(
      fc.property(inputs, ({ moneyness, years, sigma, rate }) => {
        const strike = 100 / moneyness
        const discount = Math.exp(-rate * years)
        const right = strike < 100 ? 2 : 1
        const price = black76Price(100, strike, years, discount, sigma, right)
        fc.pre(price >= 0.01)
        const solved = solveImpliedVolatility(price, 100, strike, years, discount, right)
        expect(solved.code).toBe(ivCodes.ok)
        expect(Math.abs(solved.sigma - sigma)).toBeLessThan(1e-12)
      }),
      { numRuns: 1000 },
    )
  })

  it('is the same from a call and the put at parity with it', () => {
    const strikes = fc.double({ min: 80, max: 125, noNaN: true })
    fc.assert(
      fc.property(strikes, fc.double({ min: 0.1, max: 1, noNaN: true }), (strike, sigma) => {
        const call = black76Price(100, strike, 0.5, 0.98, sigma, 1)
        const put = call - 0.98 * (100 - strike)
        const fromCall = solveImpliedVolatility(call, 100, strike, 0.5, 0.98, 1).sigma
        const fromPut = solveImpliedVolatility(put, 100, strike, 0.5, 0.98, 2).sigma
        expect(Math.abs(fromCall - fromPut)).toBeLessThan(1e-11)
      }),
    )
  })

  it('rises with the price', () => {
    let previous = 0
    for (let price = 1e-6; price < 99.9; price *= 1.05) {
      const { sigma } = solveImpliedVolatility(price, 100, 100, 1, 1, 1)
      expect(sigma).toBeGreaterThan(previous)
      previous = sigma
    }
  })

  it('gives a code where there is none', () => {
    const code = (...args: Parameters<typeof solveImpliedVolatility>) => solveImpliedVolatility(...args).code
    expect(code(4.99, 105, 100, 1, 1, 1)).toBe(ivCodes.below_intrinsic)
    expect(code(5, 105, 100, 1, 1, 1)).toBe(ivCodes.below_intrinsic)
    expect(code(0, 100, 105, 1, 1, 1)).toBe(ivCodes.below_intrinsic)
    expect(code(-1, 100, 105, 1, 1, 1)).toBe(ivCodes.below_intrinsic)
    expect(code(100, 100, 105, 1, 1, 1)).toBe(ivCodes.above_bound)
    expect(code(95, 100, 95, 1, 1, 2)).toBe(ivCodes.above_bound)
    expect(code(NaN, 100, 105, 1, 1, 1)).toBe(ivCodes.no_bid)
    expect(code(1, 100, 105, 0, 1, 1)).toBe(ivCodes.expired)
    expect(code(1, 100, 105, -1, 1, 1)).toBe(ivCodes.expired)
    expect(code(1, 100, 105, NaN, 1, 1)).toBe(ivCodes.expired)
    expect(code(1, NaN, 105, 1, 1, 1)).toBe(ivCodes.no_forward)
    expect(code(1, 0, 105, 1, 1, 1)).toBe(ivCodes.no_forward)
    expect(code(1, 100, 105, 1, 0, 1)).toBe(ivCodes.no_forward)
    expect(code(1, 100, NaN, 1, 1, 1)).toBe(ivCodes.no_forward)
    expect(code(Infinity, 100, 105, 1, 1, 1)).toBe(ivCodes.above_bound)
  })

  it('never throws, hangs or calls NaN ok, whatever it is given', () => {
    const anything = fc.double()
    fc.assert(
      fc.property(
        anything,
        anything,
        anything,
        anything,
        anything,
        fc.integer({ min: 0, max: 3 }),
        (p, f, k, t, d, right) => {
          const { sigma, code } = solveImpliedVolatility(p, f, k, t, d, right)
          expect(code === ivCodes.ok).toBe(Number.isFinite(sigma) && sigma > 0)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('a whole expiry', () => {
  const strikes = Float64Array.from({ length: 61 }, (_, i) => 70 + i)
  const terms = { spot: 100, forward: 100.4, discount: 0.99, yearsToExpiry: 0.25 }
  const right = Int8Array.from(strikes, (strike) => (strike < terms.forward ? 2 : 1))
  const price = Float64Array.from(strikes, (strike, i) => {
    const sigma = 0.2 + 0.3 * Math.log(strike / 100) ** 2
    return i === 7
      ? NaN
      : black76Price(terms.forward, strike, terms.yearsToExpiry, terms.discount, sigma, right[i] ?? 0)
  })
  const quotes = { count: strikes.length, price, strike: strikes, right }

  it('is solved to the same bits as its contracts one by one', () => {
    const out = columnsFor(strikes.length)
    solveExpiry(quotes, terms, out)
    for (let i = 0; i < strikes.length; i++) {
      const one = solveImpliedVolatility(price[i] ?? 0, terms.forward, strikes[i] ?? 0, 0.25, 0.99, right[i] ?? 0)
      expect(out.iv[i]).toBe(one.sigma)
      expect(out.ivCode[i]).toBe(one.code)
    }
  })

  it('has greeks wherever it has a volatility and nowhere else', () => {
    const out = columnsFor(strikes.length)
    solveExpiryWithGreeks(quotes, terms, out)
    for (const column of [out.delta, out.gamma, out.vega, out.theta]) {
      expect([...column].map(Number.isNaN)).toEqual(Array.from(out.iv, Number.isNaN))
    }
    expect(Number.isNaN(out.iv[7])).toBe(true)
    expect(out.ivCode[7]).toBe(ivCodes.no_bid)
  })

  it('is all code and no figure when it is expired or has no forward', () => {
    const out = columnsFor(strikes.length)
    solveExpiryWithGreeks(quotes, { ...terms, yearsToExpiry: 0 }, out)
    expect(new Set(out.ivCode)).toEqual(new Set([ivCodes.expired]))
    expect([...out.iv, ...out.delta, ...out.gamma, ...out.vega, ...out.theta].every(Number.isNaN)).toBe(true)
    solveExpiryWithGreeks(quotes, { ...terms, forward: NaN }, out)
    expect(new Set(out.ivCode)).toEqual(new Set([ivCodes.no_forward]))
    expect([...out.iv, ...out.delta, ...out.gamma, ...out.vega, ...out.theta].every(Number.isNaN)).toBe(true)
  })
})
