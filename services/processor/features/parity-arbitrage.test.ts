import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ExerciseStyle } from '../../../shared/model/features.ts'
import { AmericanPricer } from '../../../shared/quant/american/american-price.ts'
import { black76Price } from '../../../shared/quant/black76.ts'
import { chainOf, type ContractInput, reordered } from '../../../tests/fixtures/quant/chain-builder.ts'
import { cboeFiles, cboeSnapshot, readCboe, recordingsRoot } from '../../../tests/fixtures/quant/recorded-chain.ts'
import { solvedChain } from '../../../tests/fixtures/quant/solved-chain.ts'
import { chainArbitrage, expiryArbitrage } from './arbitrage.ts'
import { expiryMarket } from './expiry-market.ts'
import { parityTests } from './parity-arbitrage.ts'
import { sizedTest } from '../../../tests/support/size.ts'

const marketTimeMs = Date.UTC(2026, 5, 22, 20)
const marketTimeS = marketTimeMs / 1000
const strikes = [70, 76, 82, 86, 90, 92.5, 95, 97.5, 100, 102.5, 105, 107.5, 110, 114, 118, 124, 130]
const sides = ['C', 'P'] as const
const pricer = new AmericanPricer()

interface Model {
  readonly rate: number
  readonly dividendYield: number
  readonly sigma: number
  readonly days: number
  readonly half: number
}

/** Both legs of every strike at their model price on a spot of 100, half a spread to either side. */
function modelChain(style: ExerciseStyle, { rate, dividendYield, sigma, days, half }: Model): ContractInput[] {
  const years = days / 365
  const forward = 100 * Math.exp((rate - dividendYield) * years)
  return strikes.flatMap((strike) =>
    sides.map((right) => {
      const code = right === 'C' ? 1 : 2
      const mid =
        style === 'american'
          ? pricer.price(100, strike, years, rate, dividendYield, sigma, code)
          : black76Price(forward, strike, years, Math.exp(-rate * years), sigma, code)
      const expiry = new Date(marketTimeMs + days * 86_400_000).toISOString().slice(0, 10)
      const expiryAtS = marketTimeS + days * 86_400
      return { root: 'XYZ', expiry, expiryAtS, strike, right, bid: Math.max(0, mid - half), ask: mid + half }
    }),
  )
}

function solve(contracts: readonly ContractInput[], exerciseStyle: ExerciseStyle, rate: number) {
  const { context, expiries } = solvedChain(chainOf(contracts, { marketTimeMs }), { exerciseStyle, rate })
  return expiries.map((expiry) => expiryMarket(context.columns, expiry))
}

function testsOf(contracts: readonly ContractInput[], style: ExerciseStyle, rate: number) {
  const [market] = solve(contracts, style, rate)
  if (!market) throw new Error('no expiry')
  return parityTests(market)
}

const moved = (legs: readonly ContractInput[], right: 'C' | 'P', strike: number, by: number) =>
  legs.map((leg) =>
    leg.right === right && leg.strike === strike
      ? { ...leg, bid: (leg.bid ?? NaN) + by, ask: (leg.ask ?? NaN) + by }
      : leg,
  )
const midOf = (legs: readonly ContractInput[], right: 'C' | 'P', strike: number) => {
  const leg = legs.find((one) => one.right === right && one.strike === strike)
  return ((leg?.bid ?? NaN) + (leg?.ask ?? NaN)) / 2
}

/** Spreads well above the pricer's own error, 1.3e-5 of spot. */
const model = fc.record({
  rate: fc.double({ min: -0.02, max: 0.12, noNaN: true }),
  dividendYield: fc.double({ min: -0.02, max: 0.2, noNaN: true }),
  sigma: fc.double({ min: 0.05, max: 1, noNaN: true }),
  days: fc.integer({ min: 1, max: 730 }),
  half: fc.double({ min: 0.004, max: 0.4, noNaN: true }),
})

describe('American pairs at model prices', () => {
  it('have no finding, for rates and yields of either order', () => {
    fc.assert(
      fc.property(model, (input) => {
        const [market] = solve(modelChain('american', input), 'american', input.rate)
        if (!market) throw new Error('no expiry')
        expect(parityTests(market)).toMatchObject({ found: 0, worst: 0 })
        const { worstArbitrage, parityArbitrage, verticalArbitrage } = expiryArbitrage(market)
        expect([worstArbitrage || 0, parityArbitrage || 0, verticalArbitrage || 0]).toEqual([0, 0, 0])
      }),
      { numRuns: sizedTest(100, 300) },
    )
  })

  it.each([
    { rate: 0, dividendYield: 0.03, sigma: 0.2, days: 88, half: 0.01 },
    { rate: 0, dividendYield: 0.1, sigma: 0.1, days: 360, half: 0.0005 },
    { rate: 0.1, dividendYield: 0.02, sigma: 0.1, days: 360, half: 0.0005 },
    { rate: 0.037, dividendYield: 0.6, sigma: 1, days: 88, half: 0.02 },
  ])('have none where early exercise moves the synthetic from strike to strike: $rate, $dividendYield', (input) => {
    const legs = modelChain('american', input)
    expect(testsOf(legs, 'american', input.rate)).toMatchObject({ found: 0, allowed: strikes.length - 1 })
    // The test of European pairs would call it arbitrage.
    expect(testsOf(legs, 'european', input.rate).found).toBeGreaterThan(0)
  })

  it('have none where the share falls by a dividend before expiry', () => {
    // Every call is exercised before the drop of 2, every put held until after it; a rate of 0 and hardly any volatility.
    const legs = strikes.flatMap((strike) =>
      sides.map((right): ContractInput => {
        const intrinsic = Math.max(0, right === 'C' ? 100 - strike : strike - 98)
        const mid = intrinsic + 0.05
        return { root: 'XYZ', expiry: '2026-07-01', strike, right, bid: mid - 0.01, ask: mid + 0.01 }
      }),
    )
    expect(testsOf(legs, 'american', 0)).toMatchObject({ found: 0, made: strikes.length - 1 })
  })

  it('have none under a negative rate, where the width of a box is worth least at once', () => {
    // C - P = 100 - K: deep legs at what exercise pays, the box at its width.
    const legs = strikes.flatMap((strike) =>
      sides.map((right): ContractInput => {
        const mid = Math.max(0, right === 'C' ? 100 - strike : strike - 100) + 1
        return { root: 'XYZ', expiry: '2027-06-22', strike, right, bid: mid - 0.01, ask: mid + 0.01 }
      }),
    )
    expect(testsOf(legs, 'american', -0.05)).toMatchObject({ found: 0, made: strikes.length - 1 })
    expect(testsOf(legs, 'european', -0.05).found).toBeGreaterThan(0)
  })
})

describe('a real violation', () => {
  // Inside these strikes either leg has a bid in every model below.
  const [lower, off, upper] = [92.5, 95, 97.5]
  const tame = fc.record({
    rate: fc.double({ min: 0, max: 0.1, noNaN: true }),
    dividendYield: fc.double({ min: 0, max: 0.1, noNaN: true }),
    sigma: fc.double({ min: 0.2, max: 0.8, noNaN: true }),
    days: fc.integer({ min: 60, max: 400 }),
    half: fc.double({ min: 0.005, max: 0.1, noNaN: true }),
  })

  it('of an American call below or above parity by more than the spreads is found, once, at its edge', () => {
    fc.assert(
      fc.property(tame, fc.constantFrom(1, -1), (input, sign) => {
        const legs = modelChain('american', input)
        const discount = Math.exp((-input.rate * input.days) / 365)
        const prepaid = (k: number) => midOf(legs, 'C', k) - midOf(legs, 'P', k) + k * discount
        // What early exercise lets the synthetic fall by from strike to strike, and four half spreads.
        const room = (sign > 0 ? prepaid(lower) - prepaid(off) : prepaid(off) - prepaid(upper)) + 4 * input.half
        const found = testsOf(moved(legs, 'C', off, sign * (room + 0.2)), 'american', input.rate)
        expect(found.found).toBe(1)
        expect(found.worst).toBeCloseTo(0.2, 8)
        expect(testsOf(moved(legs, 'C', off, sign * (room - 0.001)), 'american', input.rate).found).toBe(0)
      }),
      { numRuns: 100 },
    )
  })

  it('of a European pair is found, once, at its edge against the forward', () => {
    fc.assert(
      fc.property(tame, fc.constantFrom(1, -1), fc.constantFrom(...sides), (input, sign, right) => {
        const legs = modelChain('european', input)
        const { found, worst } = testsOf(moved(legs, right, off, sign * (4 * input.half + 0.2)), 'european', input.rate)
        expect(found).toBe(1)
        expect(worst).toBeCloseTo(0.2, 8)
      }),
      { numRuns: 100 },
    )
  })

  it('is not looked for where two pairs do not lie together', () => {
    const input = { rate: 0.04, dividendYield: 0, sigma: 0.3, days: 90, half: 0.01 }
    const legs = modelChain('american', input).filter(({ strike }) => strike === 100)
    expect(testsOf(legs, 'american', 0.04)).toEqual({ allowed: 0, made: 0, found: 0, worst: 0 })
    const two = modelChain('american', input).filter(({ strike }) => strike === 100 || strike === 105)
    expect(testsOf(two, 'american', 0.04)).toMatchObject({ allowed: 1, made: 1, found: 0 })
    const unquoted = two.map((leg) => (leg.strike === 105 && leg.right === 'P' ? { ...leg, bid: 0 } : leg))
    expect(testsOf(unquoted, 'american', 0.04)).toMatchObject({ allowed: 1, made: 0 })
  })

  it('gives the same bits in any order of contracts', () => {
    const input = { rate: 0.01, dividendYield: 0.06, sigma: 0.25, days: 180, half: 0.02 }
    const contracts = moved(moved(modelChain('american', input), 'C', 92.5, -1.3), 'P', 105, -0.9)
    const snapshot = chainOf(contracts, { marketTimeMs })
    const figuresOf = (from: typeof snapshot) => {
      const { context, expiries } = solvedChain(from, { exerciseStyle: 'american', rate: input.rate })
      return expiries.map((expiry) => expiryArbitrage(expiryMarket(context.columns, expiry)))
    }
    const straight = figuresOf(snapshot)
    expect(straight[0]?.parityArbitrage).toBe(2)
    const rows = Array.from({ length: contracts.length }, (_, i) => i)
    fc.assert(
      fc.property(fc.shuffledSubarray(rows, { minLength: rows.length }), (order) => {
        expect(figuresOf(reordered(snapshot, order))).toEqual(straight)
      }),
      { numRuns: 50 },
    )
  })
})

describe('recorded chains of dividend payers', () => {
  it('have no finding, whether the rate is a little off or not, in tests made by the ten thousand', (ctx) => {
    const files = cboeFiles().filter((path, i) => path.includes('/TLT/') || i % 5 === 0)
    if (files.length === 0) ctx.skip(`no recordings under ${recordingsRoot}`)
    const total = { made: 0, allowed: 0, found: 0 }
    for (const file of files) {
      const snapshot = cboeSnapshot(readCboe(file))
      for (const rate of [0.03, 0.037, 0.043]) {
        const { context, expiries } = solvedChain(snapshot, { rate, exerciseStyle: 'american' })
        const markets = expiries.map((expiry) => expiryMarket(context.columns, expiry))
        for (const tests of markets.map(parityTests))
          for (const name of ['made', 'allowed', 'found'] as const) total[name] += tests[name]
        expect(chainArbitrage(markets, markets.map(expiryArbitrage)).parityArbitrage || 0).toBe(0)
      }
    }
    process.stdout.write(`${JSON.stringify({ files: files.length, ...total })}\n`)
    expect(total.found).toBe(0)
    expect(total.made).toBeGreaterThan(10_000)
  }, 120_000)
})
