import { existsSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { americanFile, americanRows, distribution } from '../../../tests/fixtures/quant/american-reference.ts'
import { ivCodes } from '../../model/features.ts'
import { black76Price } from '../black76.ts'
import { solveExpiry, solveImpliedVolatility } from '../implied-volatility.ts'
import { solveAmericanExpiry } from './american-expiry.ts'
import { AmericanPricer, earlyExercise } from './american-price.ts'
import { AmericanVolatility } from './american-volatility.ts'
import { ExerciseBias } from './exercise-bias.ts'
import { schemes } from './scheme.ts'

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
        expect(Math.abs(solved.sigma - sigma)).toBeLessThan(2e-5)
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
      { numRuns: 3000 },
    )
  })
})

describe('a whole American expiry', () => {
  const terms = termsOf(0.045, 0.015, 0.6)
  const strike = Float64Array.from({ length: 80 }, (_, i) => 60 + Math.floor(i / 2) * 2)
  const right = Int8Array.from(strike, (_, i) => (i % 2) + 1)
  const smile = strike.map((k) => 0.25 + 0.2 * Math.log(k / 100) ** 2)
  const pricer = new AmericanPricer(schemes.accurate)
  const price = strike.map((k, i) => pricer.price(100, k, 0.6, 0.045, 0.015, smile[i] ?? NaN, right[i] ?? 0))
  const quotes = { count: strike.length, price, strike, right }
  const columns = () => ({ iv: new Float64Array(80), ivCode: new Uint8Array(80) })
  const biasOf = (sigma: Float64Array, vega: Float64Array) => {
    const biasVp = new Float64Array(80)
    new ExerciseBias().estimate({ count: 80, strike, right, sigma, vega }, terms, biasVp)
    return biasVp
  }
  const vegaOf = (sigma: Float64Array) => {
    const value = (i: number, bump: number) =>
      black76Price(terms.forward, strike[i] ?? 0, 0.6, terms.discount, (sigma[i] ?? NaN) + bump, right[i] ?? 0)
    return sigma.map((_, i) => (value(i, 0.005) - value(i, -0.005)) * 1)
  }

  it('gets the volatility of its prices back, the European ones only where they are good enough', () => {
    const out = columns()
    solveExpiry(quotes, terms, out)
    const european = out.iv.slice()
    const biasVp = biasOf(out.iv, vegaOf(out.iv))
    const solved = solveAmericanExpiry(quotes, terms, biasVp, new AmericanVolatility(), out)
    expect(solved).toBeGreaterThan(10)
    expect(solved).toBeLessThan(80)
    // A price at its intrinsic value has none.
    const hasTimeValue = (i: number) =>
      (price[i] ?? 0) > 1e-3 + Math.max(0, ((strike[i] ?? 0) - 100) * (right[i] === 2 ? 1 : -1))
    for (let i = 0; i < 80; i++) {
      const error = Math.abs((out.iv[i] ?? NaN) - (smile[i] ?? NaN)) * 100
      expect(hasTimeValue(i) ? error : 0).toBeLessThan(0.06)
      expect(out.ivCode[i] === ivCodes.ok).toBe(!Number.isNaN(out.iv[i]))
    }
    const worstBefore = Math.max(
      ...european.filter((_, i) => hasTimeValue(i)).map((iv, i) => Math.abs(iv - (smile[i] ?? 0))),
    )
    expect(worstBefore * 100).toBeGreaterThan(0.3)
  })

  it('keeps the European volatility below the threshold and solves all with none', () => {
    const out = columns()
    solveExpiry(quotes, terms, out)
    const european = out.iv.slice()
    const solver = new AmericanVolatility()
    expect(solveAmericanExpiry(quotes, terms, new Float64Array(80).fill(0.049), solver, out)).toBe(0)
    expect(out.iv).toEqual(european)
    const priced = european.filter((iv) => !Number.isNaN(iv)).length
    expect(solveAmericanExpiry(quotes, terms, new Float64Array(80), solver, out, 0)).toBeGreaterThanOrEqual(priced)
  })

  it('leaves contracts without a European volatility their code', () => {
    const out = columns()
    solveExpiry({ ...quotes, price: price.map((p, i) => (i === 6 ? NaN : p)) }, terms, out)
    solveAmericanExpiry(quotes, terms, new Float64Array(80), new AmericanVolatility(), out, 0)
    expect(out.ivCode[6]).toBe(ivCodes.no_bid)
    expect(out.iv[6]).toBeNaN()
  })
})

describe('the estimated bias of the European volatility', () => {
  it('is close to the true one on the reference rows', (ctx) => {
    if (!existsSync(americanFile)) ctx.skip(`${americanFile} is not there`)
    const bias = new ExerciseBias()
    const found: Record<'otm' | 'itm', { truth: number; gap: number }[]> = { otm: [], itm: [] }
    const out = new Float64Array(1)
    for (const row of americanRows()) {
      const terms = { ...row, yearsToExpiry: row.years }
      const iv = solveImpliedVolatility(row.price, row.forward, row.strike, row.years, row.discount, row.right).sigma
      if (Number.isNaN(iv)) continue
      const at = (sigma: number) => black76Price(row.forward, row.strike, row.years, row.discount, sigma, row.right)
      const vega = (at(iv + 1e-4) - at(iv - 1e-4)) / 0.02
      const column = (value: number) => Float64Array.of(value)
      const one = {
        count: 1,
        right: Int8Array.of(row.right),
        strike: column(row.strike),
        sigma: column(iv),
        vega: column(vega),
      }
      bias.estimate(one, terms, out)
      const truth = (iv - row.sigma) * 100
      found[row.isOtm ? 'otm' : 'itm'].push({ truth, gap: (out[0] ?? NaN) - truth })
    }
    for (const [leg, list] of Object.entries(found)) {
      const truth = distribution(list.map((x) => Math.abs(x.truth)))
      const gap = distribution(list.map((x) => Math.abs(x.gap)))
      process.stdout.write(`European bias ${leg}: true ${truth.text}, estimate off by ${gap.text} vol points\n`)
    }
    const large = found.otm.filter(({ truth }) => truth > 0.05)
    const relative = distribution(large.map(({ gap, truth }) => Math.abs(gap / truth)))
    process.stdout.write(`European bias otm above 0.05: ${large.length} rows, relative error ${relative.text}\n`)
    expect(found.otm).toHaveLength(347)
    expect(distribution(found.otm.map(({ gap }) => Math.abs(gap))).max).toBeLessThan(0.2)
    expect(relative.p99).toBeLessThan(0.1)
  })

  it('includes what a forward that was not corrected does to puts and calls', () => {
    const pricer = new AmericanPricer(schemes.accurate)
    const bias = new ExerciseBias()
    for (const [rate, q, years] of [
      [0.045, 0, 30 / 365],
      [0.045, 0, 1],
      [0.045, 0.015, 0.25],
      [0.03, 0.06, 0.5],
    ] as const) {
      const terms = termsOf(rate, q, years)
      const at = Math.round(terms.forward)
      const price = (strike: number, right: number) => pricer.price(100, strike, years, rate, q, 0.25, right)
      const parity = at + (price(at, 1) - price(at, 2)) / terms.discount
      for (const strike of [85, 95, 110, 120]) {
        const right = strike < parity ? 2 : 1
        const value = (sigma: number) => black76Price(parity, strike, years, terms.discount, sigma, right)
        const iv = solveImpliedVolatility(price(strike, right), parity, strike, years, terms.discount, right).sigma
        const column = (x: number) => Float64Array.of(x)
        const vega = column((value(iv + 1e-4) - value(iv - 1e-4)) / 0.02)
        const one = { count: 1, right: Int8Array.of(right), strike: column(strike), sigma: column(iv), vega }
        const out = new Float64Array(1)
        bias.estimate(one, { ...terms, forward: parity }, out, terms.forward)
        const truth = (iv - 0.25) * 100
        expect(Math.abs((out[0] ?? NaN) - truth)).toBeLessThan(0.01 + 0.1 * Math.abs(truth))
      }
    }
  })

  it('is zero without early exercise and missing without a volatility', () => {
    const out = new Float64Array(5)
    const columns = {
      count: 5,
      strike: Float64Array.of(100, 100, 100, NaN, 100),
      right: Int8Array.of(1, 2, 2, 2, 2),
      sigma: Float64Array.of(0.3, 0.3, NaN, 0.3, 0.3),
      vega: Float64Array.of(0.2, 0.2, 0.2, 0.2, 0),
    }
    const bias = new ExerciseBias()
    bias.estimate(columns, termsOf(0.05, 0, 0.5), out)
    expect(out[0]).toBe(0)
    expect(out[1]).toBeGreaterThan(0.1)
    expect([...out.subarray(2)]).toEqual([NaN, NaN, NaN])
    bias.estimate(columns, termsOf(-0.01, -0.01, 0.5), out)
    expect([...out.subarray(0, 2)]).toEqual([0, 0])
    bias.estimate(columns, { ...termsOf(0.05, 0, 0.5), forward: NaN }, out)
    expect(out.every(Number.isNaN)).toBe(true)
  })

  it('is estimated for a chain of two hundred contracts at once', () => {
    const count = 200
    const strike = Float64Array.from({ length: count }, (_, i) => 60 + i * 0.4)
    const columns = {
      count,
      strike,
      right: Int8Array.from(strike, (k) => (k < 100 ? 2 : 1)),
      sigma: strike.map((k) => 0.25 + 0.3 * Math.abs(Math.log(k / 100))),
      vega: new Float64Array(count).fill(0.1),
    }
    const bias = new ExerciseBias()
    const out = new Float64Array(count)
    let best = Infinity
    for (let run = 0; run < 5; run++) {
      const startedAt = performance.now()
      for (let i = 0; i < 100; i++) bias.estimate(columns, termsOf(0.045, 0.01 + 1e-5 * (run * 100 + i), 0.5), out)
      best = Math.min(best, ((performance.now() - startedAt) * 1000) / (100 * count))
    }
    process.stdout.write(`European bias: ${best.toFixed(2)} us a contract under the test runner\n`)
    expect(out.every((x) => x >= 0)).toBe(true)
  })
})

describe('early exercise', () => {
  it('has no premium on either right without rates', () => {
    expect([1, 2].map((right) => earlyExercise(0, 0, right))).toEqual(['none', 'none'])
  })
})
