import { existsSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { americanFile, americanRows, distribution } from '../../../tests/fixtures/quant/american-reference.ts'
import { ivCodes } from '../../model/features.ts'
import { solveImpliedVolatility } from '../implied-volatility.ts'
import { AmericanPricer } from './american-price.ts'
import { AmericanVolatility } from './american-volatility.ts'
import { schemes } from './scheme.ts'
import { sizedTest } from '../../../tests/support/size.ts'

const termsOf = (rate: number, q: number, yearsToExpiry: number, spot = 100) => ({
  spot,
  forward: spot * Math.exp((rate - q) * yearsToExpiry),
  discount: Math.exp(-rate * yearsToExpiry),
  yearsToExpiry,
})

describe('American implied volatility', () => {
  it.for(['fast', 'standard', 'accurate'] as const)(
    'is within 0.011 vol points of all reference rows out of the money, %s scheme',
    (name, ctx) => {
      if (!existsSync(americanFile)) ctx.skip(`${americanFile} is not there`)
      const solver = new AmericanVolatility(schemes[name])
      const errors: Record<'otm' | 'itm', number[]> = { otm: [], itm: [] }
      const rows = americanRows()
      const startedAt = performance.now()
      for (const row of rows) {
        solver.setTerms({ ...row, yearsToExpiry: row.years })
        const { sigma, code } = solver.solve(row.price, row.strike, row.right)
        expect(code).toBe(ivCodes.ok)
        errors[row.isOtm ? 'otm' : 'itm'].push(Math.abs(sigma - row.sigma) * 100)
      }
      const perIv = ((performance.now() - startedAt) * 1000) / rows.length
      const otm = distribution(errors.otm)
      const itm = distribution(errors.itm)
      process.stdout.write(
        `American IV ${name}: OTM ${otm.text}, ITM ${itm.text} vol points; ${perIv.toFixed(1)} us under the test runner\n`,
      )
      expect(errors.otm.length + errors.itm.length).toBe(700)
      expect(otm.max).toBeLessThan(0.011)
      expect(itm.p99).toBeLessThan(0.1)
    },
  )

  it('returns the volatility a price was made from', () => {
    const pricer = new AmericanPricer(schemes.accurate)
    const solver = new AmericanVolatility(schemes.accurate)
    const inputs = fc.record({
      strike: fc.double({ min: 80, max: 125, noNaN: true }),
      years: fc.double({ min: 0.02, max: 2, noNaN: true }),
      rate: fc.double({ min: 0.001, max: 0.08, noNaN: true }),
      q: fc.double({ min: -0.02, max: 0.08, noNaN: true }),
      sigma: fc.double({ min: 0.1, max: 1.5, noNaN: true }),
    })
    fc.assert(
      fc.property(inputs, ({ strike, years, rate, q, sigma }) => {
        const terms = termsOf(rate, q, years)
        const right = strike < terms.forward ? 2 : 1
        const price = pricer.price(100, strike, years, rate, q, sigma, right)
        fc.pre(price > 0.05 + Math.max(0, right === 1 ? 100 - strike : strike - 100))
        solver.setTerms(terms)
        const solved = solver.solve(price, strike, right)
        expect(solved.code).toBe(ivCodes.ok)
        // In the money the premium's grid is coarse beside what little time value is left: 2e-4 is the worst of 30,000 draws.
        const isItm = right === 2 ? strike > 100 : strike < 100
        expect(Math.abs(solved.sigma - sigma)).toBeLessThan(isItm ? 5e-4 : 2e-5)
      }),
      { numRuns: 500 },
    )
  })

  it('is the European figure, bit for bit, where early exercise never pays', () => {
    const terms = termsOf(0.04, 0, 0.5)
    const solver = new AmericanVolatility()
    solver.setTerms(terms)
    for (const price of [3, 8, 0.01, 200, NaN, -1]) {
      expect(solver.solve(price, 102, 1)).toEqual(
        solveImpliedVolatility(price, terms.forward, 102, 0.5, terms.discount, 1),
      )
    }
  })

  it('is never above the European one', () => {
    const solver = new AmericanVolatility()
    const terms = termsOf(0.05, 0.01, 0.75)
    solver.setTerms(terms)
    for (let strike = 70; strike <= 115; strike += 2.5) {
      const price = Math.max(0, strike - 100) + 4
      const european = solveImpliedVolatility(price, terms.forward, strike, 0.75, terms.discount, 2)
      expect(solver.solve(price, strike, 2).sigma).toBeLessThan(european.sigma)
    }
  })

  it('gives a code where there is none', () => {
    const solver = new AmericanVolatility()
    solver.setTerms(termsOf(0.05, 0.02, 0.5))
    const code = (price: number, strike: number, right: number) => solver.solve(price, strike, right).code
    expect(code(20, 120, 2)).toBe(ivCodes.below_intrinsic)
    expect(code(19, 120, 2)).toBe(ivCodes.below_intrinsic)
    expect(code(0, 90, 2)).toBe(ivCodes.below_intrinsic)
    expect(code(120, 120, 2)).toBe(ivCodes.above_bound)
    expect(code(100, 90, 1)).toBe(ivCodes.above_bound)
    expect(code(NaN, 100, 2)).toBe(ivCodes.no_bid)
    expect(code(5, NaN, 2)).toBe(ivCodes.no_forward)
    solver.setTerms({ ...termsOf(0.05, 0.02, 0.5), yearsToExpiry: 0 })
    expect(code(5, 100, 2)).toBe(ivCodes.expired)
    solver.setTerms({ ...termsOf(0.05, 0.02, 0.5), forward: NaN })
    expect(code(5, 100, 2)).toBe(ivCodes.no_forward)
  })

  it('has no premium but the word for exercise at once below the boundary', () => {
    const solver = new AmericanVolatility()
    solver.setTerms(termsOf(0.05, 0.02, 0.5))
    expect(solver.premium(150, 0.2, 2)).toBe(Infinity)
    expect(solver.premium(20, 0.2, 1)).toBe(Infinity)
    expect(solver.premium(105, 0.2, 2)).toBeLessThan(1)
    expect(solver.price(150, 0.2, 2)).toBe(50)
  })

  it('has one where the European price is out of bounds and the American is not', () => {
    const solver = new AmericanVolatility()
    const terms = termsOf(0.08, 0, 2)
    solver.setTerms(terms)
    const price = 0.9 * 100
    expect(solveImpliedVolatility(price, terms.forward, 100, 2, terms.discount, 2).code).toBe(ivCodes.above_bound)
    const { sigma, code } = solver.solve(price, 100, 2)
    expect(code).toBe(ivCodes.ok)
    expect(solver.price(100, sigma, 2)).toBeCloseTo(price, 4)
  })

  it('never throws, hangs or calls NaN ok, whatever it is given', () => {
    const solver = new AmericanVolatility(schemes.fast)
    const anything = fc.double()
    const near = fc.double({ min: 0.01, max: 300 })
    const inputs = [fc.oneof(anything, near), fc.oneof(anything, near), fc.oneof(anything, near)] as const
    const rate = fc.oneof(anything, fc.double({ min: -0.1, max: 0.3 }))
    fc.assert(
      fc.property(...inputs, rate, rate, fc.integer({ min: 0, max: 3 }), (price, strike, years, r, q, right) => {
        solver.setTerms(termsOf(r, q, years))
        const { sigma, code } = solver.solve(price, strike, right)
        expect(code === ivCodes.ok).toBe(Number.isFinite(sigma) && sigma > 0)
      }),
      { numRuns: sizedTest(500, 3_000) },
    )
  })
})
