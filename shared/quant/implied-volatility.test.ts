import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fuzzVolatilities } from '../../tests/fixtures/quant/fuzz.ts'
import { volatilityError } from '../../tests/fixtures/quant/precise-volatility.ts'
import { randomFrom } from '../../tests/fixtures/quant/random.ts'
import { referenceFile, referenceRows } from '../../tests/fixtures/quant/reference.ts'
import { ivCodes } from '../model/features.ts'
import { black76Price } from './black76.ts'
import { solveImpliedVolatility } from './implied-volatility.ts'
import { sizedTest } from '../../tests/support/size.ts'

const corners = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../tests/fixtures/quant/iv_corners.json'), 'utf8'),
) as [number, number, number, number, number][]

const codeOf = (...args: Parameters<typeof solveImpliedVolatility>) => solveImpliedVolatility(...args).code

describe('implied volatility', () => {
  it('is within 5 x the conditioning of all 2,400 European reference rows', (ctx) => {
    if (!existsSync(referenceFile)) ctx.skip(`${referenceFile} is not there`)
    let worst = 0
    const rows = referenceRows()
    for (const { S, K, T, r, q, price, right, iv_from_price, iv_cond } of rows) {
      const { sigma, code } = solveImpliedVolatility(price, S * Math.exp((r - q) * T), K, T, Math.exp(-r * T), right)
      expect(code).toBe(ivCodes.ok)
      worst = Math.max(worst, Math.abs(sigma - iv_from_price) / iv_cond)
    }
    expect(rows).toHaveLength(2400)
    process.stdout.write(`worst IV error over 2,400 reference rows: ${worst.toFixed(2)} x iv_cond\n`)
    expect(worst).toBeLessThan(5)
  })

  it('holds in the corners of the committed 60-digit rows', () => {
    for (const [forward, strike, price, total, conditioning] of corners) {
      const { sigma } = solveImpliedVolatility(price, forward, strike, 1, 1, strike < forward ? 2 : 1)
      expect(Math.abs(sigma / total - 1)).toBeLessThan(Math.max(5 * conditioning, 1e-12))
    }
  })

  const corners60 = sizedTest(100, 2_000)
  it(`holds against 60 digits in ${corners60} corner cases: prices to 1e-280, total volatility to 8, seconds to expiry`, () => {
    const { failures, worst, worstRatio } = fuzzVolatilities(1, corners60)
    process.stdout.write(
      `worst IV error over ${corners60} corner cases: ${worst.toExponential(1)}, ${worstRatio.toFixed(2)} x what is allowed\n`,
    )
    expect(failures).toEqual([])
  }, 180_000)

  it('keeps its digits as the price nears its bound, where only the distance to it counts', () => {
    const random = randomFrom(6)
    for (let i = 0; i < 60; i++) {
      const [forward, strike] = [100, 100 * Math.exp(4 * random() - 2)]
      const price = Math.min(forward, strike) * (1 - 10 ** -(1 + 14 * random()))
      const quote = { price, forward, strike, yearsToExpiry: 1, discount: 1, right: strike < forward ? 2 : 1 } as const
      const { sigma, code } = solveImpliedVolatility(price, forward, strike, 1, 1, quote.right)
      expect(code).toBe(ivCodes.ok)
      expect(volatilityError(quote, sigma).error).toBeLessThan(1e-14)
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
    const strike = fc.double({ min: 20, max: 500, noNaN: true })
    fc.assert(
      fc.property(strike, (k) => {
        const bound = Math.min(100, k)
        let previous = 0
        for (let price = 1e-9 * bound; price < bound; price *= 1.1) {
          const { sigma, code } = solveImpliedVolatility(price, 100, k, 1, 1, k < 100 ? 2 : 1)
          expect(code).toBe(ivCodes.ok)
          expect(sigma).toBeGreaterThan(previous)
          previous = sigma
        }
      }),
      { numRuns: 50 },
    )
  })

  it('gives a code where there is none', () => {
    expect(codeOf(4.99, 105, 100, 1, 1, 1)).toBe(ivCodes.below_intrinsic)
    expect(codeOf(5, 105, 100, 1, 1, 1)).toBe(ivCodes.below_intrinsic)
    expect(codeOf(0, 100, 105, 1, 1, 1)).toBe(ivCodes.below_intrinsic)
    expect(codeOf(-1, 100, 105, 1, 1, 1)).toBe(ivCodes.below_intrinsic)
    expect(codeOf(100, 100, 105, 1, 1, 1)).toBe(ivCodes.above_bound)
    expect(codeOf(95, 100, 95, 1, 1, 2)).toBe(ivCodes.above_bound)
    expect(codeOf(Infinity, 100, 105, 1, 1, 1)).toBe(ivCodes.above_bound)
    expect(codeOf(NaN, 100, 105, 1, 1, 1)).toBe(ivCodes.no_bid)
    expect(codeOf(1, 100, 105, 0, 1, 1)).toBe(ivCodes.expired)
    expect(codeOf(1, 100, 105, -1, 1, 1)).toBe(ivCodes.expired)
    expect(codeOf(1, 100, 105, NaN, 1, 1)).toBe(ivCodes.expired)
    expect(codeOf(1, NaN, 105, 1, 1, 1)).toBe(ivCodes.no_forward)
    expect(codeOf(1, 0, 105, 1, 1, 1)).toBe(ivCodes.no_forward)
    expect(codeOf(1, 100, 105, 1, 0, 1)).toBe(ivCodes.no_forward)
    expect(codeOf(1, 100, NaN, 1, 1, 1)).toBe(ivCodes.no_forward)
    expect(codeOf(1, 100, 105, 1, 1, 0)).toBe(ivCodes.no_forward)
    expect(codeOf(1, 100, 105, 1, 1, NaN)).toBe(ivCodes.no_forward)
  })

  it('never throws, hangs or calls NaN ok, whatever it is given', () => {
    const anything = fc.oneof(
      fc.double(),
      fc.constantFrom(NaN, Infinity, -Infinity, 0, -0, -1, 1, 100, 5e-324, 1e-300, 1e300, Number.MAX_VALUE),
    )
    fc.assert(
      fc.property(anything, anything, anything, anything, anything, anything, (p, f, k, t, d, right) => {
        const { sigma, code } = solveImpliedVolatility(p, f, k, t, d, right)
        expect(code === ivCodes.ok).toBe(Number.isFinite(sigma) && sigma > 0)
      }),
      { numRuns: sizedTest(2_000, 20_000) },
    )
  })
})
