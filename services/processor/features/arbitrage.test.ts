import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { black76Price } from '../../../shared/quant/black76.ts'
import { chainOf, type ContractInput, reordered } from '../../../tests/fixtures/quant/chain-builder.ts'
import { cboeFiles, cboeSnapshot, readCboe, recordingsRoot } from '../../../tests/fixtures/quant/recorded-chain.ts'
import { type SolvedChain, solvedChain } from '../../../tests/fixtures/quant/solved-chain.ts'
import { chainArbitrage, expiryArbitrage } from './arbitrage.ts'
import { expiryMarket } from './expiry-market.ts'

/** 16:00 New York: expiries are whole days away. */
const marketTimeMs = Date.UTC(2026, 5, 22, 20)
const near = [90, 92, 94, 96, 98, 100, 102, 104, 106, 108, 110]

interface FairInput {
  readonly expiry?: string
  readonly days?: number
  readonly sigma?: number
  readonly forward?: number
  readonly root?: string
  readonly halfSpread?: number
}

/** Both legs of each strike at their model price without a rate. */
function fair(input: FairInput = {}): ContractInput[] {
  const { expiry = '2026-07-22', days = 30, sigma = 0.3, forward = 100, root = 'XYZ', halfSpread = 0.02 } = input
  return near.flatMap((strike) =>
    (['C', 'P'] as const).map((right) => {
      const mid = black76Price(forward, strike, days / 365, 1, sigma, right === 'C' ? 1 : 2)
      return { root, expiry, strike, right, bid: mid - halfSpread, ask: mid + halfSpread }
    }),
  )
}

const solve = (contracts: readonly ContractInput[], options = {}) =>
  solvedChain(chainOf(contracts, { marketTimeMs }), options)
const chainFigures = ({ context, expiries }: SolvedChain) => {
  const markets = expiries.map((expiry) => expiryMarket(context.columns, expiry))
  return chainArbitrage(markets, markets.map(expiryArbitrage))
}
const figuresOf = (contracts: readonly ContractInput[], options = {}) => chainFigures(solve(contracts, options))

/** Moves one leg's quote. */
const moved = (legs: readonly ContractInput[], right: 'C' | 'P', strike: number, by: number) =>
  legs.map((leg) =>
    leg.right === right && leg.strike === strike
      ? { ...leg, bid: (leg.bid ?? NaN) + by, ask: (leg.ask ?? NaN) + by }
      : leg,
  )
const quoted = (right: 'C' | 'P', strike: number, bid: number, ask: number): ContractInput => ({
  root: 'XYZ',
  expiry: '2026-07-22',
  strike,
  right,
  bid,
  ask,
})
const none = { verticalArbitrage: 0, butterflyArbitrage: 0, parityArbitrage: 0, worstArbitrage: 0, midViolations: 0 }

describe('a chain at fair prices', () => {
  it('has no arbitrage in any test, and all tests made', () => {
    // A right of 11 strikes allows 2 x 10 verticals and 9 butterflies; 11 pairs.
    expect(figuresOf(fair())).toEqual({
      ...none,
      calendarArbitrage: NaN,
      arbitrageNUsed: 69,
      arbitrageNTotal: 69,
      arbitrageQuality: 100,
    })
  })

  it('has none either where it is American', () => {
    expect(figuresOf(fair(), { exerciseStyle: 'american', rate: 0.05 })).toMatchObject(none)
  })
})

describe('verticals', () => {
  it('are violated where the further strike can be sold for more than the nearer costs', () => {
    const calls = figuresOf([quoted('C', 95, 6, 6.2), quoted('C', 105, 6.5, 6.9)])
    expect(calls).toMatchObject({ verticalArbitrage: 1, arbitrageNUsed: 2, parityArbitrage: NaN })
    expect(calls.worstArbitrage).toBeCloseTo(0.3, 12)
    const puts = figuresOf([quoted('P', 95, 6.5, 6.9), quoted('P', 105, 6, 6.2)])
    expect(puts).toMatchObject({ verticalArbitrage: 1, butterflyArbitrage: NaN, midViolations: NaN })
    expect(puts.worstArbitrage).toBeCloseTo(0.3, 12)
  })

  it('are violated where the spread can be sold for more than its width', () => {
    expect(figuresOf([quoted('C', 95, 12, 12.5), quoted('C', 105, 1, 1.5)]).worstArbitrage).toBeCloseTo(0.5, 12)
    expect(figuresOf([quoted('P', 95, 1, 1.5), quoted('P', 105, 12, 12.5)]).worstArbitrage).toBeCloseTo(0.5, 12)
    // European: the width is paid at expiry, 30 days on. American: it may have to be paid at once.
    const tight = [quoted('C', 95, 11.02, 11.1), quoted('C', 105, 1, 1.04)]
    const rate = 0.05
    expect(figuresOf(tight, { rate, exerciseStyle: 'american' }).verticalArbitrage).toBe(0)
    expect(figuresOf(tight, { rate, exerciseStyle: 'european' }).worstArbitrage).toBeCloseTo(
      9.98 - 10 * Math.exp((-rate * 30) / 365),
      10,
    )
  })

  it('need a bid to sell and an ask to buy', () => {
    const bidless = figuresOf([quoted('C', 95, 0, 0.05), quoted('C', 105, 0.2, 0.3)])
    expect(bidless).toMatchObject({ verticalArbitrage: 1, arbitrageNUsed: 1, arbitrageNTotal: 2, arbitrageQuality: 50 })
    expect(figuresOf([quoted('C', 95, 0, 0), quoted('C', 105, 0.2, 0.3)])).toMatchObject({
      verticalArbitrage: NaN,
      worstArbitrage: NaN,
      arbitrageQuality: 0,
    })
  })
})

describe('butterflies', () => {
  it('are violated where the middle can be sold for more than the wings cost, weighted by distance', () => {
    // Strikes 90, 100, 130: 3/4 of the first and 1/4 of the last pay at least as much as the middle.
    const legs = [quoted('C', 90, 11, 11.2), quoted('C', 100, 9, 9.1), quoted('C', 130, 0.3, 0.4)]
    const wings = 0.75 * 11.2 + 0.25 * 0.4
    expect(figuresOf(legs)).toMatchObject({ butterflyArbitrage: 1, verticalArbitrage: 0 })
    expect(figuresOf(legs).worstArbitrage).toBeCloseTo(9 - wings, 12)
    const mirrored = [quoted('P', 110, 11, 11.2), quoted('P', 100, 9, 9.1), quoted('P', 70, 0.3, 0.4)]
    expect(figuresOf(mirrored).worstArbitrage).toBeCloseTo(9 - wings, 12)
  })

  it('at mid are a matter of quality and no arbitrage', () => {
    const legs = moved(fair({ halfSpread: 0.2 }), 'C', 104, 0.25)
    expect(figuresOf(legs)).toMatchObject({ butterflyArbitrage: 0, midViolations: 1, worstArbitrage: 0 })
  })

  it('and verticals are both counted at mid', () => {
    // The call at 104 is dearer at mid than the one at 102, and dearer than its wings.
    expect(figuresOf(moved(fair({ halfSpread: 1 }), 'C', 104, 1))).toMatchObject({ ...none, midViolations: 2 })
  })

  it('are no finding where they are 0 but for rounding', () => {
    const linear = [80.1, 80.2, 80.4, 80.7, 81.1, 81.3, 82.9].map((k) => quoted('C', k, 100.3 - k, 100.3 - k))
    expect(figuresOf(linear)).toMatchObject({ butterflyArbitrage: 0, verticalArbitrage: 0, midViolations: 0 })
  })
})

describe('parity', () => {
  it('is violated by the strike that is off, and by that one alone', () => {
    for (const by of [0.5, -0.5]) {
      const figures = figuresOf(moved(fair(), 'C', 98, by))
      // Four half spreads lie between: two of the strike and two of the market for the forward.
      expect(figures.parityArbitrage).toBe(1)
      expect(figuresOf(moved(fair(), 'C', 98, by * 0.15)).parityArbitrage).toBe(0)
    }
    const far = figuresOf(moved(fair(), 'P', 110, 0.5))
    expect(far).toMatchObject({ parityArbitrage: 1, butterflyArbitrage: 0 })
    expect(far.worstArbitrage).toBeCloseTo(0.5 - 4 * 0.02, 8)
  })

  it('is not tested on a strike by itself', () => {
    const two = fair().filter(({ strike }) => strike === 100 || strike === 102)
    expect(figuresOf(moved(two, 'C', 100, 3)).parityArbitrage).toBeNaN()
  })

  it.each([0.1, -0.1])('leaves American options the worth of exercise before expiry at a rate of %d', (rate) => {
    // Deep in the money, a put, or at a negative rate a call, is worth its intrinsic value at once: more than parity has it.
    const legs = fair({ halfSpread: 0.01 }).map((leg) => {
      const years = 30 / 365
      const discount = Math.exp(-rate * years)
      const price = black76Price(100 / discount, leg.strike, years, discount, 0.1, leg.right === 'C' ? 1 : 2)
      const mid = Math.max(price, leg.right === 'C' ? 100 - leg.strike : leg.strike - 100)
      return { ...leg, bid: mid - 0.01, ask: mid + 0.01 }
    })
    const cheapened = legs.filter(({ bid }) => bid > 0)
    expect(figuresOf(cheapened, { rate, exerciseStyle: 'american' })).toMatchObject({ parityArbitrage: 0 })
    expect(figuresOf(cheapened, { rate, exerciseStyle: 'european' }).parityArbitrage).toBeGreaterThan(0)
  })
})

describe('calendars', () => {
  const later = { expiry: '2026-08-21', days: 60 }

  it('are violated where the total variance of a later expiry can be bought for less', () => {
    expect(figuresOf([...fair(), ...fair(later)])).toMatchObject({ ...none, calendarArbitrage: 0 })
    // 0.3^2 x 30 days against 0.2^2 x 60: total variance falls.
    const falling = figuresOf([...fair(), ...fair({ ...later, sigma: 0.2 })])
    expect(falling.calendarArbitrage).toBeGreaterThan(4)
    const [bid, ask] = [fair(), fair({ ...later, sigma: 0.2 })].map((legs) =>
      legs.find(({ right, strike }) => right === 'C' && strike === 102),
    )
    // Forwards at their worst move the later strike by four half spreads, at a delta of two fifths.
    expect(falling.worstArbitrage).toBeLessThan((bid?.bid ?? NaN) - (ask?.ask ?? NaN))
    expect(falling.worstArbitrage).toBeGreaterThan((bid?.bid ?? NaN) - (ask?.ask ?? NaN) - 0.06)
  })

  it('are taken at the same moneyness, not at the same strike', () => {
    // The forward of the later expiry lies 8 % up: a call of the same strike is in the money, a put out of reach.
    const carried = figuresOf([...fair(), ...fair({ ...later, forward: 106, sigma: 0.25 })])
    expect(carried.calendarArbitrage).toBe(0)
    expect(figuresOf([...fair(), ...fair({ ...later, forward: 106, sigma: 0.2 })]).calendarArbitrage).toBeGreaterThan(0)
  })

  it('are taken in units of the discounted forward', () => {
    // Total variance 2 % lower in the later expiry, whose prices are 6 % higher for its forward.
    const dear = fair({ ...later, forward: 106, sigma: 0.2095, halfSpread: 0.001 })
    expect(figuresOf([...fair({ halfSpread: 0.001 }), ...dear]).calendarArbitrage).toBeGreaterThan(0)
  })

  it('are taken within a root', () => {
    const legs = [...fair(), ...fair({ ...later, sigma: 0.2, root: 'XYZW' })]
    expect(figuresOf(legs).calendarArbitrage).toBeNaN()
  })
})

describe('quotes of no worth', () => {
  const legs = moved(moved(fair(), 'C', 98, 0.5), 'P', 106, -0.8)
  const before = figuresOf(legs)

  it('crossed ones change nothing, at a strike of their own or in place of a missing one', () => {
    const crossed = [quoted('C', 99, 9, 3), quoted('P', 99, 9, 3), quoted('C', 130, 50, 1)]
    const { arbitrageNTotal, arbitrageQuality, ...after } = figuresOf([...legs, ...crossed])
    expect(before).toMatchObject(after)
    expect(arbitrageNTotal).toBeGreaterThan(before.arbitrageNTotal)
    expect(arbitrageQuality).toBeLessThan(100)
  })

  it('never throw and never give infinity', () => {
    const wild = fc.oneof(fc.double(), fc.constantFrom(NaN, 0, -1, Infinity, 1e300, 5e-324))
    const contract = fc.record({
      root: fc.constantFrom('XYZ', 'XYZW'),
      expiry: fc.constantFrom('2026-06-23', '2026-07-17', '2026-07-22'),
      strike: fc.oneof(fc.integer({ min: 95, max: 105 }), wild),
      right: fc.constantFrom('C' as const, 'P' as const),
      bid: fc.oneof(fc.double({ min: 0, max: 5 }), wild),
      ask: fc.oneof(fc.double({ min: 0, max: 9 }), wild),
    })
    fc.assert(
      fc.property(fc.array(contract, { maxLength: 40 }), fc.boolean(), (contracts, isAmerican) => {
        const figures = figuresOf(contracts, { exerciseStyle: isAmerican ? 'american' : 'european' })
        expect(Object.values(figures).filter((value) => value < 0 || value === Infinity)).toEqual([])
        expect(figures.arbitrageNUsed).toBeLessThanOrEqual(figures.arbitrageNTotal)
      }),
      { numRuns: 500 },
    )
  })

  it('give the same bits in any order of contracts', () => {
    const contracts = [...legs, ...fair({ expiry: '2026-08-21', days: 60, sigma: 0.2 }), ...fair({ root: 'XYZW' })]
    const snapshot = chainOf(contracts, { marketTimeMs })
    const straight = chainFigures(solvedChain(snapshot))
    const rows = Array.from({ length: contracts.length }, (_, i) => i)
    fc.assert(
      fc.property(fc.shuffledSubarray(rows, { minLength: rows.length }), (order) => {
        expect(chainFigures(solvedChain(reordered(snapshot, order)))).toEqual(straight)
      }),
      { numRuns: 30 },
    )
  })
})

/** Cboe's example for the VIX methodology: SPX quotes of two terms, European. */
const vixQuotes = join(recordingsRoot, 'reference/quant_vix_cboe_quotes.csv')

function vixTerm(term: string) {
  const rows = readFileSync(vixQuotes, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(','))
    .filter(([name]) => name === term)
    .map((cells) => cells.slice(1).map(Number))
  const minutes = term === 'near' ? 34_484 : 44_954
  const expiryAtS = marketTimeMs / 1000 + minutes * 60
  const contracts = rows.flatMap(([strike = NaN, callBid = NaN, callAsk = NaN, putBid = NaN, putAsk = NaN]) => {
    const leg = { root: 'SPX', expiry: term === 'near' ? '2026-07-17' : '2026-07-24', expiryAtS, strike }
    return [
      { ...leg, right: 'C' as const, bid: callBid, ask: callAsk },
      { ...leg, right: 'P' as const, bid: putBid, ask: putAsk },
    ]
  })
  return { rows, contracts }
}

describe('Cboe’s example chain', () => {
  it.for([
    ['near', 41, 184],
    ['next', 28, 126],
  ] as const)(
    'has no executable violation in the %s term, where %i of %i call butterflies are negative at mids',
    ([term, negative, butterflies], ctx) => {
      if (!existsSync(vixQuotes)) ctx.skip(`no ${vixQuotes}`)
      const { rows, contracts } = vixTerm(term)
      const chain = solvedChain(chainOf(contracts, { marketTimeMs, spot: 1962.9 }), { rate: 0.0003 })
      const figures = chainFigures(chain)
      expect(figures).toMatchObject({ ...none, midViolations: figures.midViolations })
      // The count usually told takes every strike listed, half the ask where there is no bid; ours needs bids.
      const mids = rows.map(([strike = NaN, bid = NaN, ask = NaN]) => ({ strike, mid: (bid + ask) / 2 }))
      const gaps = mids.slice(2).map((high, i) => {
        const [low, middle] = [mids[i] ?? high, mids[i + 1] ?? high]
        const share = (high.strike - middle.strike) / (high.strike - low.strike)
        return share * low.mid + (1 - share) * high.mid - middle.mid
      })
      expect(gaps).toHaveLength(butterflies)
      expect(gaps.filter((gap) => gap < -1e-9)).toHaveLength(negative)
      expect(figures.midViolations).toBeGreaterThan(negative)
    },
  )
})

describe('recorded chains', () => {
  it('have next to no executable arbitrage, and butterflies negative at mids by the hundred', (ctx) => {
    const files = cboeFiles().filter((_, i) => i % 6 === 0)
    if (files.length === 0) ctx.skip(`no recordings under ${recordingsRoot}`)
    const total = { verticalArbitrage: 0, butterflyArbitrage: 0, parityArbitrage: 0, calendarArbitrage: 0 }
    let [made, atMids] = [0, 0]
    for (const file of files) {
      const figures = chainFigures(
        solvedChain(cboeSnapshot(readCboe(file)), { rate: 0.037, exerciseStyle: 'american' }),
      )
      for (const name of ['verticalArbitrage', 'butterflyArbitrage', 'parityArbitrage', 'calendarArbitrage'] as const)
        total[name] += figures[name] || 0
      made += figures.arbitrageNUsed
      atMids += figures.midViolations || 0
    }
    process.stdout.write(`${JSON.stringify({ files: files.length, made, ...total, atMids })}\n`)
    expect(total.verticalArbitrage + total.butterflyArbitrage + total.calendarArbitrage).toBeLessThan(made / 10_000)
    expect(total.parityArbitrage).toBe(0)
    expect(atMids).toBeGreaterThan(made / 100)
  }, 60_000)
})
