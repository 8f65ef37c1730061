import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  cashDividendsFile,
  cashDividendsRows,
  distribution,
  type CashDividendsRow,
} from '../../../tests/fixtures/quant/american-reference.ts'
import { ivCodes } from '../../model/features.ts'
import { black76Price } from '../black76.ts'
import { solveImpliedVolatility } from '../implied-volatility.ts'
import { AmericanPricer } from './american-price.ts'
import { CashDividendVolatility, escrowedForward } from './cash-dividend-volatility.ts'
import { type CashDividendOption, CashDividendPricer } from './cash-dividends.ts'

const optionOf = (row: CashDividendsRow): CashDividendOption => ({
  ...row,
  yearsToExpiry: row.years,
  isAmerican: true,
})

const plain: CashDividendOption = {
  spot: 100,
  strike: 100,
  yearsToExpiry: 0.5,
  rate: 0.05,
  right: 2,
  dividends: [],
  isAmerican: true,
}
const quarterly = [
  { years: 0.1, amount: 0.8 },
  { years: 0.35, amount: 0.8 },
]

describe('options on a share that pays cash', () => {
  it('meet the price of all 150 reference rows within twice its grid error, on the same grid', (ctx) => {
    if (!existsSync(cashDividendsFile)) ctx.skip(`${cashDividendsFile} is not there`)
    const rows = cashDividendsRows()
    for (const [steps, nodes] of [
      [600, 2400],
      [200, 400],
    ] as const) {
      const pricer = new CashDividendPricer(steps, nodes)
      const errors = rows.map((row) => Math.abs(pricer.price(optionOf(row), row.sigma) - row.price))
      const within = errors.filter((error, i) => error <= 2 * (rows[i]?.gridError ?? 0)).length
      const relative = distribution(errors.map((error, i) => error / (rows[i]?.gridError ?? 0)))
      process.stdout.write(
        `cash dividends ${steps} x ${nodes}: ${within} of ${rows.length} within 2 grid errors; price off by ${distribution(errors).text}, of the grid error ${relative.text}\n`,
      )
      expect(steps === 600 ? within : rows.length).toBe(150)
      expect(Math.max(...errors)).toBeLessThan(steps === 600 ? 1e-4 : 0.01)
    }
  }, 60_000)

  it('have the volatility they were priced with, on a grid a hundredth as large', (ctx) => {
    if (!existsSync(cashDividendsFile)) ctx.skip(`${cashDividendsFile} is not there`)
    const solver = new CashDividendVolatility()
    const errors: Record<'otm' | 'itm', number[]> = { otm: [], itm: [] }
    const european: number[] = []
    for (const row of cashDividendsRows()) {
      const { sigma, code } = solver.solve(row.price, optionOf(row))
      expect(code).toBe(ivCodes.ok)
      const forward = escrowedForward(optionOf(row))
      const isOtm = row.right === 1 ? row.strike >= forward : row.strike < forward
      errors[isOtm ? 'otm' : 'itm'].push(Math.abs(sigma - row.sigma) * 100)
      const plainIv = solveImpliedVolatility(row.price, forward, row.strike, row.years, row.discount, row.right)
      if (isOtm) european.push(Math.abs(plainIv.sigma - row.sigma) * 100)
    }
    const otm = distribution(errors.otm)
    const itm = distribution(errors.itm)
    process.stdout.write(`cash dividends, IV: OTM ${otm.text}, ITM ${itm.text} vol points\n`)
    process.stdout.write(`cash dividends, European IV on the escrowed forward: OTM ${distribution(european).text}\n`)
    expect(otm.max).toBeLessThan(0.011)
    expect(itm.max).toBeLessThan(0.3)
  }, 60_000)

  it('are those of the other pricers without dividends', () => {
    const pricer = new CashDividendPricer(800, 1600)
    const american = new AmericanPricer()
    for (const strike of [80, 100, 120]) {
      for (const right of [1, 2]) {
        const option = { ...plain, strike, right }
        const exact = american.price(100, strike, 0.5, 0.05, 0, 0.3, right)
        expect(Math.abs(pricer.price(option, 0.3) - exact)).toBeLessThan(1e-3)
        const european = black76Price(100 * Math.exp(0.025), strike, 0.5, Math.exp(-0.025), 0.3, right)
        expect(Math.abs(pricer.price({ ...option, isAmerican: false }, 0.3) - european)).toBeLessThan(3e-4)
      }
    }
  })

  it('keep put-call parity when European: C - P = S - PV(dividends) - K D', () => {
    const pricer = new CashDividendPricer(400, 1600)
    const option = { ...plain, dividends: quarterly, isAmerican: false }
    const gap = pricer.price({ ...option, right: 1 }, 0.25) - pricer.price({ ...option, right: 2 }, 0.25)
    const present = quarterly.reduce((sum, { years, amount }) => sum + amount * Math.exp(-0.05 * years), 0)
    expect(Math.abs(gap - (100 - present - 100 * Math.exp(-0.025)))).toBeLessThan(2e-4)
    expect(escrowedForward(option)).toBeCloseTo((100 - present) * Math.exp(0.025), 12)
  })

  it('are exercised where it pays: deep calls before the dividend, deep puts after it', () => {
    const pricer = new CashDividendPricer()
    const call = { ...plain, right: 1, strike: 50, dividends: [{ years: 0.25, amount: 5 }] }
    expect(pricer.price(call, 0.2)).toBeCloseTo(100 - 50 * Math.exp(-0.05 * 0.25), 2)
    const put = { ...plain, strike: 170, dividends: [{ years: 0.02, amount: 3 }] }
    expect(pricer.price(put, 0.2)).toBeCloseTo(170 * Math.exp(-0.05 * 0.02) - 100 + 3 * Math.exp(-0.05 * 0.02), 2)
  })

  it('are worth at least the European and the intrinsic value, and rise with volatility', () => {
    const pricer = new CashDividendPricer(50, 200)
    for (const right of [1, 2]) {
      for (const strike of [70, 90, 100, 110, 140]) {
        const option = { ...plain, right, strike, dividends: quarterly }
        let previous = 0
        for (const sigma of [0.05, 0.1, 0.2, 0.4, 0.8, 1.6]) {
          const price = pricer.price(option, sigma)
          expect(price).toBeGreaterThanOrEqual(pricer.price({ ...option, isAmerican: false }, sigma) - 1e-9)
          expect(price).toBeGreaterThanOrEqual(Math.max(0, right === 1 ? 100 - strike : strike - 100) - 1e-3)
          expect(price).toBeGreaterThanOrEqual(previous - 2e-3)
          previous = price
        }
      }
    }
  })

  it('do not see dividends before now or from expiry on', () => {
    const pricer = new CashDividendPricer(50, 200)
    const elsewhere = [
      { years: -0.1, amount: 5 },
      { years: 0, amount: 5 },
      { years: 0.5, amount: 5 },
      { years: 0.7, amount: 5 },
    ]
    expect(pricer.price({ ...plain, dividends: elsewhere }, 0.3)).toBe(pricer.price(plain, 0.3))
  })

  it('survive a dividend larger than the spot', () => {
    const price = new CashDividendPricer().price({ ...plain, dividends: [{ years: 0.2, amount: 150 }] }, 0.4)
    expect(price).toBeGreaterThan(90)
    expect(price).toBeLessThan(100)
  })

  it('have no price and a code for bad input', () => {
    const pricer = new CashDividendPricer(20, 50)
    const solver = new CashDividendVolatility(pricer)
    for (const name of ['spot', 'strike', 'yearsToExpiry', 'rate'] as const) {
      for (const value of [NaN, Infinity, -Infinity]) {
        expect(pricer.price({ ...plain, [name]: value }, 0.3)).toBeNaN()
        const { sigma, code } = solver.solve(5, { ...plain, [name]: value })
        expect(sigma).toBeNaN()
        expect(code).not.toBe(ivCodes.ok)
      }
    }
    expect(pricer.price(plain, NaN)).toBeNaN()
    expect(pricer.price(plain, 0)).toBeNaN()
    const code = (price: number, strike: number) => solver.solve(price, { ...plain, strike, dividends: quarterly }).code
    expect(code(10, 110)).toBe(ivCodes.below_intrinsic)
    expect(code(110, 110)).toBe(ivCodes.above_bound)
    expect(code(NaN, 110)).toBe(ivCodes.no_bid)
    expect(code(0, 90)).toBe(ivCodes.below_intrinsic)
  })
})
