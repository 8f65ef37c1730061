import { describe, expect, it } from 'vitest'
import { ivCodes } from '../../model/features.ts'
import { black76Price } from '../black76.ts'
import { solveExpiry } from '../implied-volatility.ts'
import { solveAmericanExpiry } from './american-expiry.ts'
import { AmericanPricer } from './american-price.ts'
import { AmericanVolatility } from './american-volatility.ts'
import { ExerciseBias } from './exercise-bias.ts'
import { schemes } from './scheme.ts'

const termsOf = (rate: number, q: number, yearsToExpiry: number, spot = 100) => ({
  spot,
  forward: spot * Math.exp((rate - q) * yearsToExpiry),
  discount: Math.exp(-rate * yearsToExpiry),
  yearsToExpiry,
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
    return sigma.map((_, i) => value(i, 0.005) - value(i, -0.005))
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
