import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { black76Greeks, black76Price } from '../../../shared/quant/black76.ts'
import { chainOf, type ContractInput, reordered } from '../../../tests/fixtures/quant/chain-builder.ts'
import { cboeFiles, cboeSnapshot, readCboe, recordingsRoot } from '../../../tests/fixtures/quant/recorded-chain.ts'
import { type SolvedChain, solvedChain } from '../../../tests/fixtures/quant/solved-chain.ts'
import { exposeStrikes, sumExposures } from './exposures.ts'
import { type ChainExposures, chainExposures } from './gamma-levels.ts'
import { sizedTest } from '../../../tests/support/size.ts'

/** 16:00 New York: expiries are whole days away. */
const marketTimeMs = Date.UTC(2026, 5, 22, 20)

interface BookInput {
  readonly expiry: string
  readonly days: number
  readonly sigma?: number
  readonly root?: string
  /** Open interest by strike: calls, puts. */
  readonly book: Readonly<Record<number, readonly [number, number]>>
}

function legsOf({ expiry, days, sigma = 0.2, root = 'XYZ', book }: BookInput): ContractInput[] {
  return Object.entries(book).flatMap(([key, [calls, puts]]) =>
    (['C', 'P'] as const).map((right): ContractInput => {
      const strike = Number(key)
      const mid = black76Price(100, strike, days / 365, 1, sigma, right === 'C' ? 1 : 2)
      const openInterest = right === 'C' ? calls : puts
      return { root, expiry, strike, right, bid: mid * 0.999, ask: mid * 1.001, openInterest }
    }),
  )
}

const expose = ({ context, expiries }: SolvedChain): ChainExposures =>
  chainExposures(
    context,
    expiries,
    expiries.map((expiry) => exposeStrikes(context, expiry)),
  )
const exposuresOf = (contracts: readonly ContractInput[]) => expose(solvedChain(chainOf(contracts, { marketTimeMs })))
const july = { expiry: '2026-07-22', days: 30 }

describe('levels of a small chain', () => {
  const book = { 90: [0, 900], 95: [50, 400], 100: [300, 300], 105: [500, 100], 110: [900, 0] } as const
  const { figures, byStrike } = exposuresOf(legsOf({ ...july, book }))

  it('has walls, the strike of most gamma and of most open interest', () => {
    expect(figures).toMatchObject({ callWall: 105, putWall: 100, absGammaStrike: 100, highestOiStrike: 90 })
    expect(figures.exposureNUsed).toBe(10)
  })

  it('has exposures by strike that add up to those of the expiry', () => {
    expect([...byStrike.strike]).toEqual([90, 95, 100, 105, 110])
    expect(byStrike.gexUsd1pct[2]).toBe(0)
    for (const name of ['gexUsd1pct', 'dexUsd', 'vexUsd', 'cexUsd'] as const)
      expect(byStrike[name].reduce((sum, value) => sum + value, 0) / figures[name]).toBeCloseTo(1, 10)
  })

  it('flips where strikes change sign: in themselves and in the running sum', () => {
    // Between 95 (minus) and 105 (plus) lies only 100, which is 0.
    expect(figures.flipLocal).toBe(100)
    const [g90 = NaN, g95 = NaN, , g105 = NaN, g110 = NaN] = byStrike.gexUsd1pct
    const before = g90 + g95 + g105
    expect([before < 0, before + g110 > 0]).toEqual([true, true])
    expect(figures.flipCumulative).toBeCloseTo(105 + (5 * -before) / g110, 10)
  })

  it('has no flip where the sign does not change', () => {
    const calls = exposuresOf(legsOf({ ...july, book: { 95: [5, 0], 100: [0, 0], 105: [9, 3] } })).figures
    expect(calls).toMatchObject({ flipLocal: NaN, flipCumulative: NaN, zeroGamma: NaN, gammaRegime: 1, putWall: 105 })
    const puts = exposuresOf(legsOf({ ...july, book: { 95: [0, 5], 105: [0, 9] } })).figures
    expect(puts).toMatchObject({ callWall: NaN, zeroGamma: NaN, gammaRegime: -1 })
  })

  it('flips locally nearest spot, linear between strikes', () => {
    const book = { 80: [9, 0], 85: [0, 9], 99: [0, 10], 101: [30, 0], 120: [0, 9] } as const
    const { figures, byStrike } = exposuresOf(legsOf({ ...july, book }))
    const [low = NaN, high = NaN] = byStrike.gexUsd1pct.slice(2, 4)
    expect(figures.flipLocal).toBeCloseTo(99 + (2 * -low) / (high - low), 10)
    expect(figures.flipLocal).toBeCloseTo(99.5, 1)
  })

  it.each([
    ['at spot, which lies between them', [98, 103], 100],
    ['at the lowest of those above spot', [102, 104], 102],
    ['at the highest of those below spot', [92, 94], 94],
  ] as const)('flips locally, where strikes of no gamma lie between, %s', (_, [low, high], expected) => {
    const book = { 90: [0, 9], [low]: [5, 5], [high]: [7, 7], 110: [9, 0] } as const
    expect(exposuresOf(legsOf({ ...july, book })).figures.flipLocal).toBe(expected)
  })

  it('says nothing of a chain without open interest, and 0 of one held by nobody', () => {
    const unknown = exposuresOf(legsOf({ ...july, book: { 95: [NaN, NaN], 105: [NaN, NaN] } }))
    expect(Object.values(unknown.figures).filter((value) => !Number.isNaN(value))).toEqual([0, 0])
    expect(unknown.byStrike.strike).toHaveLength(0)
    const empty = exposuresOf(legsOf({ ...july, book: { 95: [0, 0], 105: [0, 0] } }))
    expect(empty.figures).toMatchObject({ gexUsd1pct: 0, zeroGamma: NaN, gammaRegime: NaN, callWall: NaN })
    expect(exposuresOf([]).figures).toMatchObject({ gexUsd1pct: NaN, exposureNUsed: 0, highestOiStrike: NaN })
  })

  it('counts open interest at strikes without a gamma for the strike of most open interest alone', () => {
    const legs = legsOf({ ...july, book: { 70: [5000, 5000], 95: [5, 4], 105: [9, 3] } })
    const { figures, byStrike } = exposuresOf(legs.map((leg) => (leg.strike === 70 ? { ...leg, bid: 0 } : leg)))
    expect(figures).toMatchObject({ highestOiStrike: 70, callWall: 105, putWall: 95 })
    expect([...byStrike.strike]).toEqual([95, 105])
  })
})

describe('several expiries', () => {
  const near = { 95: [500, 0], 100: [0, 100], 105: [0, 700] } as const
  const today = { 98: [0, 40], 101: [30, 30] } as const
  const contracts = [
    ...legsOf({ ...july, book: near }),
    ...legsOf({ ...july, root: 'XYZW', book: { 100: [100, 0], 105: [50, 20] } }),
    ...legsOf({ expiry: '2026-09-20', days: 90, sigma: 0.3, book: { 100: [10, 900], 120: [300, 0] } }),
  ]

  it('are pooled by strike over expiries and roots', () => {
    const chain = solvedChain(chainOf(contracts, { marketTimeMs }))
    const { figures, byStrike } = expose(chain)
    expect([...byStrike.strike]).toEqual([95, 100, 105, 120])
    const sum = chain.expiries.reduce(
      (total, expiry) => total + sumExposures([exposeStrikes(chain.context, expiry)], 100).gexUsd1pct,
      0,
    )
    expect(figures.gexUsd1pct / sum).toBeCloseTo(1, 12)
    expect(byStrike.gexUsd1pct.reduce((total, value) => total + value, 0) / sum).toBeCloseTo(1, 12)
  })

  it('have a magnet only among the contracts that expire on the day of the session', () => {
    expect(exposuresOf(contracts).figures.zeroDteMagnet).toBeNaN()
    const expiring = (expiry: string) =>
      legsOf({ expiry, days: 0.2, book: today }).map((leg) => ({
        ...leg,
        expiryAtS: marketTimeMs / 1000 + 0.2 * 86_400,
      }))
    expect(exposuresOf([...contracts, ...expiring('2026-06-22')]).figures.zeroDteMagnet).toBe(101)
    expect(exposuresOf([...contracts, ...expiring('2026-06-23')]).figures.zeroDteMagnet).toBeNaN()
  })

  it('have a zero gamma at which the whole chain, repriced, has none', () => {
    const chain = solvedChain(chainOf(contracts, { marketTimeMs }))
    const { zeroGamma, gammaRegime } = expose(chain).figures
    expect(gammaRegime).toBeCloseTo((100 - zeroGamma) / 100, 12)
    expect(Math.abs(gammaAt(chain, zeroGamma))).toBeLessThan(1e-6 * Math.abs(gammaAt(chain, 100)))
    expect(gammaAt(chain, 100)).toBeCloseTo(expose(chain).figures.gexUsd1pct, 4)
  })

  it('have the same bits in any order of contracts', () => {
    const snapshot = chainOf(contracts, { marketTimeMs })
    const straight = exposuresOf(contracts)
    const rows = Array.from({ length: contracts.length }, (_, i) => i)
    fc.assert(
      fc.property(fc.shuffledSubarray(rows, { minLength: rows.length }), (order) => {
        expect(expose(solvedChain(reordered(snapshot, order)))).toEqual(straight)
      }),
      { numRuns: 50 },
    )
  })
})

/** G(x) of the whole chain by the scalar greeks, volatility by strike held, forwards moving with x. */
function gammaAt({ context, expiries }: SolvedChain, x: number): number {
  let sum = 0
  for (const { strikes, terms, isSolved } of expiries) {
    if (!isSolved) continue
    const moved = { ...terms, spot: x, forward: (terms.forward * x) / terms.spot }
    for (let i = 0; i < strikes.count; i++) {
      const sigma = strikes.iv[i] ?? NaN
      const known = (row = -1) => (row >= 0 ? context.columns.openInterest[row] || 0 : 0)
      const net = known(strikes.callRow[i]) - known(strikes.putRow[i])
      if (Number.isNaN(sigma) || net === 0) continue
      const { gamma } = black76Greeks(moved, strikes.strike[i] ?? NaN, sigma, 1)
      sum += gamma * net * context.multiplier * x * x * 0.01
    }
  }
  return sum
}

/** The root nearest spot a scan of 2,000 prices sees, by bisection; NaN without. */
function scannedZeroGamma(chain: SolvedChain): number {
  const { spot } = chain.context
  let nearest = NaN
  let [before, last] = [NaN, NaN]
  for (let i = 0; i < 2000; i++) {
    const x = spot * (0.8 + (0.4 * i) / 1999)
    const value = gammaAt(chain, x)
    if (before * value < 0 && !(Math.abs(x - spot) >= Math.abs(nearest - spot) + spot * 2e-4)) {
      let [low, high] = [last, x]
      for (let j = 0; j < 40; j++) {
        const middle = (low + high) / 2
        if (gammaAt(chain, middle) * before > 0) low = middle
        else high = middle
      }
      if (!(Math.abs(low - spot) >= Math.abs(nearest - spot))) nearest = low
    }
    before = value
    last = x
  }
  return nearest
}

describe('recorded chains', () => {
  const absent = `no recordings under ${recordingsRoot}`
  const options = { rate: 0.037, exerciseStyle: 'american' } as const

  it.for(['IWM', 'TLT'])(
    'of %s have the zero gamma a scan of 2,000 prices finds',
    { timeout: 60_000 },
    (underlying, ctx) => {
      const files = cboeFiles(underlying)
      if (files.length === 0) ctx.skip(absent)
      // The last of a day has narrow expiries, of some minutes.
      for (const file of [files[3], files.at(-3)]) {
        const chain = solvedChain(cboeSnapshot(readCboe(file ?? '')), options)
        const expected = scannedZeroGamma(chain)
        expect(expected).not.toBeNaN()
        expect(Math.abs(expose(chain).figures.zeroGamma / expected - 1)).toBeLessThan(1e-8)
      }
    },
  )

  it('of IWM on 2026-06-22 have three gamma flips that are three numbers', (ctx) => {
    const file = cboeFiles('IWM').find((path) => path.includes('20260622T153330Z'))
    if (!file) ctx.skip(absent)
    const { figures } = expose(solvedChain(cboeSnapshot(readCboe(file ?? '')), options))
    expect(figures.flipCumulative).toBeNaN()
    expect(figures.flipLocal).toBeCloseTo(294.05, 1)
    expect(figures.zeroGamma).toBeCloseTo(300.4, 0)
    expect(figures.gexUsd1pct / 1e6).toBeCloseTo(-461, -1)
    expect(figures).toMatchObject({ callWall: 300, putWall: 290 })
  })

  it('of any underlying give finite figures or none', (ctx) => {
    const files = cboeFiles()
    if (files.length === 0) ctx.skip(absent)
    for (const file of files.filter((_, i) => i % 8 === 0)) {
      const { figures } = expose(solvedChain(cboeSnapshot(readCboe(file)), options))
      expect(Object.values(figures).filter((value) => Math.abs(value) === Infinity)).toEqual([])
    }
  }, 60_000)
})

describe('garbage', () => {
  it('never throws and never gives infinity', () => {
    const wild = fc.oneof(fc.double(), fc.constantFrom(NaN, 0, -1, Infinity, 1e300, 5e-324))
    const contract = fc.record({
      root: fc.constantFrom('XYZ', 'XYZW'),
      expiry: fc.constantFrom('2026-06-23', '2026-07-17', '2026-07-22'),
      strike: fc.oneof(fc.integer({ min: 95, max: 105 }), wild),
      right: fc.constantFrom('C' as const, 'P' as const),
      bid: fc.oneof(fc.double({ min: 0, max: 5 }), wild),
      ask: fc.oneof(fc.double({ min: 0, max: 9 }), wild),
      openInterest: wild,
    })
    fc.assert(
      fc.property(fc.array(contract, { maxLength: 40 }), (contracts) => {
        const { figures, byStrike } = exposuresOf(contracts)
        expect(Object.values(figures).filter((value) => Math.abs(value) === Infinity)).toEqual([])
        expect([...byStrike.strike]).toEqual([...byStrike.strike].toSorted((a, b) => a - b))
      }),
      { numRuns: sizedTest(100, 500) },
    )
  })
})
