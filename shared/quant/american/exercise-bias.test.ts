import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { americanFile, americanRows, distribution } from '../../../tests/fixtures/quant/american-reference.ts'
import { black76Price } from '../black76.ts'
import { solveImpliedVolatility } from '../implied-volatility.ts'
import { AmericanPricer } from './american-price.ts'
import { ExerciseBias } from './exercise-bias.ts'
import { schemes } from './scheme.ts'

const termsOf = (rate: number, q: number, yearsToExpiry: number, spot = 100) => ({
  spot,
  forward: spot * Math.exp((rate - q) * yearsToExpiry),
  discount: Math.exp(-rate * yearsToExpiry),
  yearsToExpiry,
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
      const { forward, discount } = terms
      const price = (strike: number, right: number) => pricer.price(100, strike, years, rate, q, 0.25, right)
      const parity = forward + (price(forward, 1) - price(forward, 2)) / discount
      const strike = Float64Array.of(85, 95, 99, 102, 110, 120)
      const right = Int8Array.from(strike, (k) => (k < parity ? 2 : 1))
      const sigma = strike.map(
        (k, i) => solveImpliedVolatility(price(k, right[i] ?? 0), parity, k, years, discount, right[i] ?? 0).sigma,
      )
      const vega = strike.map((k, i) => {
        const value = (s: number) => black76Price(parity, k, years, discount, s, right[i] ?? 0)
        return (value((sigma[i] ?? NaN) + 1e-4) - value((sigma[i] ?? NaN) - 1e-4)) / 0.02
      })
      const out = new Float64Array(strike.length)
      bias.estimate({ count: strike.length, strike, right, sigma, vega }, { ...terms, forward: parity }, out, true)
      for (const [i, estimate] of out.entries()) {
        const truth = ((sigma[i] ?? NaN) - 0.25) * 100
        expect(Math.abs(estimate - truth)).toBeLessThan(0.02 + 0.22 * Math.abs(truth))
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
