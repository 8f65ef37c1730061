import { existsSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ReferenceRow, referenceFile, referenceRows } from '../../tests/fixtures/quant/reference.ts'
import { greekNames, solvedColumns } from '../../tests/fixtures/quant/solved-columns.ts'
import { black76Greeks, black76Price, thetaToExpiry } from './black76.ts'
import { computeExpiryGreeks, solveExpiryWithGreeks } from './implied-volatility.ts'

const day = 1 / 365

type Figures = Readonly<Record<(typeof greekNames)[number], number>>

const termsOf = ({ S, T, r, q }: ReferenceRow) => ({
  spot: S,
  forward: S * Math.exp((r - q) * T),
  discount: Math.exp(-r * T),
  yearsToExpiry: T,
})

/** In the units of the reference: per 1.00 and per year, the carry part of theta and charm added. */
function inReferenceUnits(row: ReferenceRow, greeks: Figures): Figures {
  const { thetaCarry, charmCarry } = black76Greeks(termsOf(row), row.K, row.sigma, row.right)
  return {
    delta: greeks.delta,
    gamma: greeks.gamma,
    vega: greeks.vega * 100,
    theta: (greeks.theta + thetaCarry) * 365,
    rho: greeks.rho * 100,
    vanna: greeks.vanna * 100,
    charm: (greeks.charm + charmCarry) * 365,
    volga: greeks.volga * 10_000,
  }
}

/** What a figure is at its vega when d1, d2 and F/S count as 1: a volga at d1 = 1e-6 has no more digits in doubles. */
function typicalSizes({ S, K, T, sigma, vega }: ReferenceRow): Figures {
  const s = sigma * Math.sqrt(T)
  return {
    delta: vega / (S * Math.sqrt(T)),
    gamma: vega / (S * S * sigma * T),
    vega,
    theta: (vega * sigma) / (2 * T),
    rho: (vega * K * Math.sqrt(T)) / S,
    vanna: vega / (S * s),
    charm: vega / (S * Math.sqrt(T) * 2 * T),
    volga: vega / sigma,
  }
}

function worstOf(rows: readonly ReferenceRow[], greeksOf: (row: ReferenceRow) => Figures): Record<string, number> {
  const worst: Record<string, number> = Object.fromEntries(greekNames.map((name) => [name, 0]))
  for (const row of rows) {
    const greeks = inReferenceUnits(row, greeksOf(row))
    const sizes = typicalSizes(row)
    for (const name of greekNames) {
      const error = Math.abs(greeks[name] - row[name]) / Math.max(Math.abs(row[name]), sizes[name])
      if (!(error <= (worst[name] ?? 0))) worst[name] = error
    }
  }
  return worst
}

const printed = (worst: Record<string, number>): string =>
  Object.entries(worst)
    .map(([name, error]) => `${name} ${error.toExponential(1)}`)
    .join(', ')

function oneByBatch(row: ReferenceRow, isGiven: boolean): Figures {
  const out = solvedColumns(1)
  const one = { count: 1, strike: Float64Array.of(row.K), right: Int8Array.of(row.right) }
  if (isGiven) computeExpiryGreeks({ ...one, iv: Float64Array.of(row.sigma) }, termsOf(row), out)
  else solveExpiryWithGreeks({ ...one, price: Float64Array.of(row.price) }, termsOf(row), out)
  return Object.fromEntries(greekNames.map((name) => [name, out[name][0] ?? NaN])) as Figures
}

describe('Black-76', () => {
  it('has the 40-digit prices of all reference rows, to 1e-12 or a unit in the last place of spot or strike', (ctx) => {
    if (!existsSync(referenceFile)) ctx.skip(`${referenceFile} is not there`)
    let worst = 0
    for (const row of referenceRows()) {
      const { forward, discount, yearsToExpiry } = termsOf(row)
      const price = black76Price(forward, row.K, yearsToExpiry, discount, row.sigma, row.right)
      const unit = 2 ** (Math.floor(Math.log2(Math.max(row.S, row.K))) - 52)
      worst = Math.max(worst, Math.abs(price - row.price) / Math.max(1e-12 * row.price, unit))
    }
    process.stdout.write(`worst price error over 2,400 reference rows: ${worst.toFixed(2)} x what is allowed\n`)
    expect(worst).toBeLessThan(1)
  })

  it('has the 40-digit greeks of all reference rows: scalar, batch of given and batch of solved volatilities', (ctx) => {
    if (!existsSync(referenceFile)) ctx.skip(`${referenceFile} is not there`)
    const rows = referenceRows()
    const ways = {
      scalar: (row: ReferenceRow) => black76Greeks(termsOf(row), row.K, row.sigma, row.right),
      given: (row: ReferenceRow) => oneByBatch(row, true),
      solved: (row: ReferenceRow) => oneByBatch(row, false),
    }
    for (const [name, greeksOf] of Object.entries(ways)) {
      const worst = worstOf(rows, greeksOf)
      process.stdout.write(`worst greeks over 2,400 reference rows, ${name}: ${printed(worst)}\n`)
      for (const error of Object.values(worst)) expect(error).toBeLessThan(1e-9)
    }
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
        const { discount } = terms
        const call = black76Greeks(terms, strike, sigma, 1)
        const put = black76Greeks(terms, strike, sigma, 2)
        expect(call.price - put.price).toBeCloseTo(discount * (101.5 - strike), 10)
        expect(call.delta - put.delta).toBeCloseTo((discount * 101.5) / 100, 12)
        for (const name of ['gamma', 'vega', 'vanna', 'volga'] as const) expect(call[name]).toBe(put[name])
        expect(call.theta - put.theta).toBeCloseTo((rate * discount * (101.5 - strike)) / 365, 10)
        expect(call.rho - put.rho).toBeCloseTo((strike * yearsToExpiry * discount) / 100, 10)
        expect(call.charm - put.charm).toBeCloseTo((rate * discount * 101.5) / 100 / 365, 12)
        expect(call.price).toBeCloseTo(black76Price(101.5, strike, yearsToExpiry, discount, sigma, 1), 10)
      }),
    )
  })

  it('rises with volatility, between intrinsic value and bound', () => {
    const inputs = fc.record({
      strike: fc.double({ min: 20, max: 500, noNaN: true }),
      years: fc.double({ min: 1e-4, max: 3, noNaN: true }),
      low: fc.double({ min: 0.01, max: 3, noNaN: true }),
      ratio: fc.double({ min: 1.01, max: 3, noNaN: true }),
      right: fc.constantFrom(1, 2),
    })
    fc.assert(
      fc.property(inputs, ({ strike, years, low, ratio, right }) => {
        const price = (sigma: number) => black76Price(100, strike, years, 0.97, sigma, right)
        const slack = 1e-13 * Math.max(100, strike)
        expect(price(low * ratio)).toBeGreaterThanOrEqual(price(low) - slack)
        expect(price(low)).toBeGreaterThanOrEqual(price(0) - slack)
        expect(price(low)).toBeLessThanOrEqual(0.97 * (right === 1 ? 100 : strike) + slack)
      }),
    )
  })

  it('is the derivative it claims to be, forward held fixed', () => {
    const terms = { spot: 100, forward: 101, discount: Math.exp(-0.04 * 0.3), yearsToExpiry: 0.3 }
    const at = (years: number) => ({ ...terms, discount: Math.exp(-0.04 * years), yearsToExpiry: years })
    const greeks = black76Greeks(terms, 95, 0.3, 2)
    const perDay = (figure: 'price' | 'delta') =>
      (black76Greeks(at(0.3 - 1e-5), 95, 0.3, 2)[figure] - black76Greeks(at(0.3 + 1e-5), 95, 0.3, 2)[figure]) /
      2e-5 /
      365
    expect(greeks.theta).toBeCloseTo(perDay('price'), 8)
    // Delta per spot at a fixed forward: D N F/S with F/S held as it is.
    expect(greeks.charm).toBeCloseTo(perDay('delta'), 8)
  })

  it('is worth its intrinsic value without volatility', () => {
    expect(black76Price(105, 100, 1, 0.9, 0, 1)).toBeCloseTo(4.5, 12)
    expect(black76Price(105, 100, 1, 0.9, 0, 2)).toBe(0)
  })
})

describe('theta to expiry', () => {
  const terms = (yearsToExpiry: number) => ({
    spot: 100,
    forward: 100,
    discount: Math.exp(-0.05 * yearsToExpiry),
    yearsToExpiry,
  })

  it('is what is lost until expiry with the forward fixed, never more than the time value', () => {
    const inputs = fc.record({
      strike: fc.double({ min: 90, max: 110, noNaN: true }),
      years: fc.double({ min: day / 1440, max: 0.999 * day, noNaN: true }),
      sigma: fc.double({ min: 0.05, max: 3, noNaN: true }),
      right: fc.constantFrom(1, 2),
    })
    fc.assert(
      fc.property(inputs, ({ strike, years, sigma, right }) => {
        const t = terms(years)
        const price = black76Price(100, strike, years, t.discount, sigma, right)
        const intrinsic = Math.max(0, right === 1 ? 100 - strike : strike - 100)
        const loss = -thetaToExpiry(t, strike, sigma, right)
        expect(loss).toBeCloseTo(price - intrinsic, 11)
        expect(loss).toBeLessThanOrEqual(price - t.discount * intrinsic + 1e-12)
        expect(black76Greeks(t, strike, sigma, right).thetaToExpiry).toBe(-loss)
      }),
    )
  })

  it('stays finite where theta per day exceeds the price', () => {
    const t = terms(day / 24)
    const { price, theta, thetaToExpiry: loss } = black76Greeks(t, 100, 0.3, 1)
    expect(-theta).toBeGreaterThan(5 * price)
    expect(-loss).toBeCloseTo(price, 12)
  })

  it('is none with a day or more left, or after expiry', () => {
    expect(thetaToExpiry(terms(day), 100, 0.3, 1)).toBeNaN()
    expect(thetaToExpiry(terms(1), 100, 0.3, 1)).toBeNaN()
    expect(thetaToExpiry(terms(0), 100, 0.3, 1)).toBeNaN()
    expect(thetaToExpiry(terms(day / 2), 100, NaN, 1)).toBeNaN()
  })
})
