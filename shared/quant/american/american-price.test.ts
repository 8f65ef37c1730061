import { existsSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { americanFile, americanRows, distribution } from '../../../tests/fixtures/quant/american-reference.ts'
import { black76Price } from '../black76.ts'
import { AmericanPricer, earlyExercise } from './american-price.ts'
import { type SchemeName, schemes } from './scheme.ts'

const european = (spot: number, strike: number, years: number, rate: number, q: number, sigma: number, right: number) =>
  black76Price(spot * Math.exp((rate - q) * years), strike, years, Math.exp(-rate * years), sigma, right)

const market = fc.record({
  strike: fc.double({ min: 50, max: 200, noNaN: true }),
  years: fc.double({ min: 1 / 365, max: 2, noNaN: true }),
  rate: fc.double({ min: -0.03, max: 0.1, noNaN: true }),
  q: fc.double({ min: -0.03, max: 0.1, noNaN: true }),
  sigma: fc.double({ min: 0.02, max: 2, noNaN: true }),
  right: fc.constantFrom(1, 2),
})

describe('American prices', () => {
  const bars: Record<SchemeName, { perSpot: number; otmVp: number; itmP99Vp: number }> = {
    estimate: { perSpot: 2e-3, otmVp: 0.05, itmP99Vp: 1 },
    fast: { perSpot: 6e-5, otmVp: 0.004, itmP99Vp: 0.03 },
    standard: { perSpot: 2e-5, otmVp: 0.001, itmP99Vp: 0.007 },
    accurate: { perSpot: 2e-6, otmVp: 3e-4, itmP99Vp: 6e-4 },
  }
  it.for(Object.keys(bars) as SchemeName[])('of all 700 reference rows are met by the %s scheme', (name, ctx) => {
    if (!existsSync(americanFile)) ctx.skip(`${americanFile} is not there`)
    const pricer = new AmericanPricer(schemes[name])
    const rows = americanRows()
    const errors = rows.map((row) => {
      const price = pricer.price(row.spot, row.strike, row.years, row.rate, row.dividendYield, row.sigma, row.right)
      return {
        isOtm: row.isOtm,
        perSpot: Math.abs(price - row.price) / row.spot,
        gap: Math.abs(price - row.price) / row.vega,
      }
    })
    const startedAt = performance.now()
    for (const row of rows)
      pricer.price(row.spot, row.strike, row.years, row.rate, row.dividendYield, row.sigma, row.right)
    const perPrice = ((performance.now() - startedAt) * 1000) / rows.length
    const otm = distribution(errors.filter((error) => error.isOtm).map((error) => error.gap * 100))
    const itm = distribution(errors.filter((error) => !error.isOtm).map((error) => error.gap * 100))
    const perSpot = distribution(errors.map((error) => error.perSpot))
    process.stdout.write(
      `American ${name}: vol points OTM ${otm.text}, ITM ${itm.text}; of spot ${perSpot.text}; ${perPrice.toFixed(1)} us a price under the test runner\n`,
    )
    expect(rows).toHaveLength(700)
    expect(perSpot.max).toBeLessThan(bars[name].perSpot)
    expect(otm.max).toBeLessThan(bars[name].otmVp)
    expect(itm.p99).toBeLessThan(bars[name].itmP99Vp)
  })

  // QuantLib 1.29, QdFpAmericanEngine, high-precision scheme: a carry that is steep for the volatility, and equal rates.
  it.for([
    [97.99920892104063, 100, 1, 0.1, 0, 0.03, 2.0007912941115813],
    [98.81777348757002, 100, 2, 0.045, -0.02, 0.01, 1.1822264026493894],
    [99.68074976597039, 100, 1, 0.1, 0.09, 0.01, 0.33623354566808533],
    [100.36281125762396, 100, 1000 / 365, 0.05, 0, 0.03, 0.2202554611016774],
    [100.06560366040978, 100, 1, 0.1, 0, 0.02, 0.05295311479878434],
    [30.69525168701428, 100, 1000 / 365, 0.03, 0.0305, 2, 91.13473899628069],
  ] as const)('hold at the edges of the iteration: %j', ([spot, strike, years, rate, q, sigma, price]) => {
    for (const name of ['fast', 'standard', 'accurate'] as const) {
      const pricer = new AmericanPricer(schemes[name])
      expect(Math.abs(pricer.price(spot, strike, years, rate, q, sigma, 2) - price)).toBeLessThan(0.002)
    }
  })

  it('are neither below the European nor below the intrinsic value, and rise with volatility', () => {
    const pricer = new AmericanPricer()
    fc.assert(
      fc.property(market, ({ strike, years, rate, q, sigma, right }) => {
        fc.pre(earlyExercise(rate, q, right) !== 'two_boundaries')
        const price = pricer.price(100, strike, years, rate, q, sigma, right)
        expect(price).toBeGreaterThanOrEqual(european(100, strike, years, rate, q, sigma, right) - 1e-9)
        const isEarly = earlyExercise(rate, q, right) === 'single_boundary'
        const intrinsic = Math.max(0, right === 1 ? 100 - strike : strike - 100)
        // A price of nothing at all may come out below zero by the last digit of the smallest numbers.
        expect(price).toBeGreaterThanOrEqual(isEarly ? intrinsic : -1e-300)
        const higher = pricer.price(100, strike, years, rate, q, sigma * 1.05, right)
        expect(higher).toBeGreaterThanOrEqual(price - 2e-3)
      }),
      { numRuns: 1000 },
    )
  })

  it('of a call are those of the put with spot and strike, rate and yield exchanged', () => {
    const pricer = new AmericanPricer()
    fc.assert(
      fc.property(market, ({ strike, years, rate, q, sigma }) => {
        const call = pricer.price(100, strike, years, rate, q, sigma, 1)
        const put = pricer.price(strike, 100, years, q, rate, sigma, 2)
        expect(call).toBeCloseTo(put, 9)
      }),
    )
  })

  it('are the European ones for a call without a yield and a put without a rate', () => {
    const pricer = new AmericanPricer()
    for (const strike of [80, 100, 125]) {
      for (const q of [0, -0.01])
        expect(pricer.price(100, strike, 0.5, 0.04, q, 0.3, 1)).toBe(european(100, strike, 0.5, 0.04, q, 0.3, 1))
      for (const rate of [0, -0.01])
        expect(pricer.price(100, strike, 0.5, rate, 0.02, 0.3, 2)).toBe(european(100, strike, 0.5, rate, 0.02, 0.3, 2))
    }
  })

  it('approach the European ones as the yield of a call vanishes', () => {
    const pricer = new AmericanPricer()
    const gaps = [1e-2, 1e-4, 1e-6].map(
      (q) => pricer.price(100, 90, 1, 0.04, q, 0.3, 1) - european(100, 90, 1, 0.04, q, 0.3, 1),
    )
    expect(gaps[1]).toBeLessThan((gaps[0] ?? 0) / 10)
    expect(Math.abs(gaps[2] ?? NaN)).toBeLessThan(1e-6)
  })

  it('say where negative rates leave two boundaries', () => {
    expect(earlyExercise(-0.01, -0.03, 2)).toBe('two_boundaries')
    expect(earlyExercise(-0.03, -0.01, 2)).toBe('none')
    expect(earlyExercise(-0.03, -0.01, 1)).toBe('two_boundaries')
    expect(earlyExercise(0, 0, 1)).toBe('none')
    expect(earlyExercise(0, 0, 2)).toBe('none')
    expect(earlyExercise(0.04, 0, 1)).toBe('none')
    expect(earlyExercise(0.04, 0, 2)).toBe('single_boundary')
  })

  it('share a boundary between strikes without remembering the wrong one', () => {
    const shared = new AmericanPricer()
    const cases: [number, number, number, number, number][] = [
      [0.5, 0.04, 0.02, 0.3, 2],
      [0.5, 0.04, 0.02, 0.3, 1],
      [0.5, 0.04, 0.02, 0.31, 1],
      [0.6, 0.04, 0.02, 0.31, 1],
      [0.6, 0.05, 0.02, 0.31, 2],
      [0.6, 0.05, 0.03, 0.31, 2],
    ]
    for (const args of cases) {
      for (const strike of [85, 100, 110])
        expect(shared.price(100, strike, ...args)).toBe(new AmericanPricer().price(100, strike, ...args))
    }
  })
})
