import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { computeNamedChain } from '../../../tests/fixtures/quant/computed-chain.ts'
import { ivCodes } from '../../../shared/model/features.ts'
import { contractFlags, type Snapshot } from '../../../shared/model/snapshot.ts'
import { black76Greeks } from '../../../shared/quant/black76.ts'
import { chainOf, type ContractInput, reordered } from '../../../tests/fixtures/quant/chain-builder.ts'
import { flatParams } from '../../../tests/fixtures/quant/parameters.ts'
import { marketTimeMs, near, smile } from '../../../tests/fixtures/quant/smile-chain.ts'

const params = flatParams(0)
const compute = (contracts: readonly ContractInput[], meta = {}) =>
  computeNamedChain(chainOf(contracts, { marketTimeMs, ...meta }), params)
const codesOf = (result: ReturnType<typeof compute>) => [...result.contracts.ivCode]

describe('a small chain checked by hand', () => {
  // Forward 100 by symmetry, 30 days to the minute from 16:00 on 2026-06-22.
  const atClose = Date.UTC(2026, 5, 22, 20)
  const positions: Record<string, number> = { C90: 100, C100: 3000, C110: 2000, P90: 1500, P100: 2500, P110: 50 }
  const legs = (['C', 'P'] as const).flatMap((right) =>
    [90, 100, 110].map((strike): ContractInput => {
      const inside = right === 'C' ? 100 - strike : strike - 100
      const timeValue = strike === 100 ? 3 : 0.5
      const mid = Math.max(0, inside) + timeValue
      const openInterest = positions[`${right}${strike}`] ?? 0
      return {
        root: 'XYZ',
        expiry: '2026-07-22',
        strike,
        right,
        bid: mid - 0.1,
        ask: mid + 0.1,
        volume: 150,
        openInterest,
      }
    }),
  )
  const { contracts, expiries, chain } = computeNamedChain(chainOf(legs, { marketTimeMs: atClose }), params)

  it('has the forward, straddle and expected move of its quotes', () => {
    expect(expiries[0]).toMatchObject({ forward: 100, forwardSource: 'parity', straddle: 6, nContracts: 6, nUsed: 3 })
    // 3 = 100 (2 N(s/2) - 1) gives s = 0.0752168, over sqrt(30/365).
    expect(expiries[0]?.atmIv).toBeCloseTo(0.0752168 / Math.sqrt(30 / 365), 5)
    expect(expiries[0]?.expectedMove).toBeCloseTo(7.5217, 3)
    expect(chain?.atmIv30d).toBe(expiries[0]?.atmIv)
    expect(chain?.atmIvFront).toBe(expiries[0]?.atmIv)
  })

  it('has the ratios and max pain of its positions', () => {
    expect(chain).toMatchObject({ callVolume: 450, putVolume: 450, pcrVolume: 1 })
    expect(chain).toMatchObject({ callOpenInterest: 5100, putOpenInterest: 4050, pcrOi: 0.7941 })
    // Payouts: at 90 2500x10 + 50x20 = 26,000; at 100 100x10 + 50x10 = 1,500; at 110 100x20 + 3000x10 = 32,000.
    expect(chain?.maxPain).toBe(100)
    expect(expiries[0]?.maxPain).toBe(100)
  })

  it('has the gamma exposure of its greeks, calls plus and puts minus', () => {
    const openInterest = legs.map((leg) => (leg.right === 'C' ? 1 : -1) * (leg.openInterest ?? 0))
    const gex = openInterest.reduce(
      (sum, signed, i) => sum + signed * (contracts.gamma[i] ?? NaN) * 100 * 100 * 100 * 0.01,
      0,
    )
    expect(chain?.gexUsd1pct).toBeCloseTo(gex, -1)
  })

  it('gives the leg in the money the volatility of its twin and greeks of its own', () => {
    // Rows: C90 C100 C110 P90 P100 P110.
    const { ok, itm_twin: twin } = ivCodes
    expect([...contracts.ivCode]).toEqual([twin, ok, ok, ok, twin, twin])
    expect(contracts.iv[0]).toBe(contracts.iv[3])
    const terms = { spot: 100, forward: 100, discount: 1, yearsToExpiry: 30 / 365 }
    const greeks = black76Greeks(terms, 90, contracts.iv[0] ?? NaN, 1)
    for (const name of ['delta', 'gamma', 'theta', 'vega'] as const)
      expect(contracts[name][0]).toBeCloseTo(greeks[name], 12)
  })
})

describe('greeks of both legs', () => {
  it('are those of Black-76 on the implied forward, theta with the forward held fixed', () => {
    const contracts = smile({ expiry: '2026-12-18', strikes: near, sigma: 0.3 })
    const { contracts: figures, expiries } = computeNamedChain(chainOf(contracts, { marketTimeMs }), flatParams(0.05))
    const yearsToExpiry = (Date.UTC(2026, 11, 18, 21) - marketTimeMs) / 31_536_000_000
    const discount = Math.exp(-0.05 * yearsToExpiry)
    expect(expiries[0]?.forward).toBe(100)
    for (const [i, { strike, right }] of contracts.entries()) {
      const terms = { spot: 100, forward: 100, discount, yearsToExpiry }
      const greeks = black76Greeks(terms, strike, figures.iv[i] ?? NaN, right === 'C' ? 1 : 2)
      for (const name of ['delta', 'gamma', 'theta', 'vega'] as const)
        expect(figures[name][i]).toBeCloseTo(greeks[name], 10)
    }
  })
})

describe('contracts that take no part', () => {
  const live = smile({ expiry: '2026-07-17', strikes: near, sigma: 0.2 })
  const alone = compute(live)

  it('leave every feature as it was, apart from the counts of the chain', () => {
    const dead: ContractInput[] = [
      ...smile({ expiry: '2026-06-18', strikes: near, sigma: 0.2 }),
      ...live.slice(0, 4).map((leg) => ({ ...leg, root: 'XYZ1', flags: contractFlags.adjusted })),
      ...smile({ expiry: '2026-08-21', strikes: near, sigma: 0.3 }).map((leg) => ({
        ...leg,
        flags: contractFlags.expired,
      })),
    ]
    const result = compute([...dead, ...live])
    expect(result.expiries).toEqual(alone.expiries)
    expect(result.chain).toEqual({ ...alone.chain, nContracts: live.length + dead.length, nExpired: 36, nAdjusted: 4 })
    const codes = codesOf(result)
    expect(new Set(codes.slice(0, 18))).toEqual(new Set([ivCodes.expired]))
    expect(new Set(codes.slice(18, 22))).toEqual(new Set([ivCodes.adjusted]))
    expect(new Set(codes.slice(22, 40))).toEqual(new Set([ivCodes.expired]))
  })

  it('say why: no bid, crossed, out of bounds', () => {
    const changed = live.map((leg) => {
      if (leg.right === 'P' && leg.strike === 94) return { ...leg, bid: 0 }
      if (leg.right === 'P' && leg.strike === 96) return { ...leg, bid: 3, ask: 2 }
      if (leg.right === 'C' && leg.strike === 106) return { ...leg, bid: 150, ask: 151 }
      return leg
    })
    const result = compute(changed)
    const codeOf = (right: string, strike: number) =>
      result.contracts.ivCode[changed.findIndex((leg) => leg.right === right && leg.strike === strike)]
    expect(codeOf('P', 94)).toBe(ivCodes.no_bid)
    expect(codeOf('C', 94)).toBe(ivCodes.no_bid)
    expect(codeOf('P', 96)).toBe(ivCodes.crossed)
    expect(codeOf('C', 106)).toBe(ivCodes.above_bound)
    expect(result.expiries[0]?.atmIv).toBe(alone.expiries[0]?.atmIv)
    expect(result.expiries[0]?.nUsed).toBe((alone.expiries[0]?.nUsed ?? 0) - 3)
  })

  it('have figures exactly where the code says so', () => {
    const result = compute([...live, ...smile({ expiry: '2026-06-18', strikes: near, sigma: 0.2 })])
    const { iv, ivCode, delta, gamma, theta, vega } = result.contracts
    for (let i = 0; i < ivCode.length; i++) {
      const has = ivCode[i] === ivCodes.ok || ivCode[i] === ivCodes.itm_twin
      expect([iv, delta, gamma, theta, vega].map((column) => Number.isFinite(column[i]))).toEqual(Array(5).fill(has))
    }
  })
})

describe('the last day', () => {
  const contracts = smile({ expiry: '2026-06-22', strikes: near, sigma: 0.4 })

  it('is computed by the minute: five hours at 11:00', () => {
    const { expiries, chain } = compute(contracts)
    expect(expiries[0]?.yearsToExpiry).toBeCloseTo(5 / 24 / 365, 10)
    expect(expiries[0]?.atmIv).toBeCloseTo(0.4, 4)
    // Less than a day left is no front month.
    expect(chain).toMatchObject({ atmIvFront: null, atmIv30d: null, expectedMove: null })
  })

  it('has no volatility in its last five minutes, but positions and a forward', () => {
    const result = compute(contracts, { marketTimeMs: Date.UTC(2026, 5, 22, 19, 55, 1) })
    expect(new Set(codesOf(result))).toEqual(new Set([ivCodes.below_time_floor]))
    expect(result.expiries[0]).toMatchObject({ atmIv: null, gexUsd1pct: null, quality: 0, callOpenInterest: 9000 })
    expect(result.expiries[0]?.forward).not.toBeNull()
  })

  it('is over at the instant of expiry', () => {
    const result = compute(contracts, { marketTimeMs: Date.UTC(2026, 5, 22, 20) })
    expect(result.expiries).toEqual([])
    expect(result.chain).toMatchObject({ nExpired: 18, nUsed: 0, maxPain: null, quality: 0, pcrOi: null })
    expect(new Set(codesOf(result))).toEqual(new Set([ivCodes.expired]))
  })
})

describe('the chain as a whole', () => {
  it('interpolates 30 days between expiries in total variance', () => {
    const { chain, expiries } = compute([
      ...smile({ expiry: '2026-08-21', strikes: near, sigma: 0.3 }),
      ...smile({ expiry: '2026-07-10', strikes: near, sigma: 0.2 }),
    ])
    const [first, second] = expiries
    const w1 = 0.04 * (first?.yearsToExpiry ?? NaN)
    const w2 = 0.09 * (second?.yearsToExpiry ?? NaN)
    const share =
      (30 / 365 - (first?.yearsToExpiry ?? NaN)) / ((second?.yearsToExpiry ?? NaN) - (first?.yearsToExpiry ?? NaN))
    expect(chain?.atmIv30d).toBeCloseTo(Math.sqrt((w1 + share * (w2 - w1)) / (30 / 365)), 4)
    expect(chain?.atmIvFront).toBeCloseTo(0.2, 4)
  })

  it('takes the carry of spot for a forward where pairs are missing, and says so', () => {
    const puts = smile({ expiry: '2026-07-17', strikes: near, sigma: 0.2 }).filter((leg) => leg.right === 'P')
    const { expiries } = computeNamedChain(chainOf(puts, { marketTimeMs }), flatParams(0.04))
    const years = expiries[0]?.yearsToExpiry ?? NaN
    expect(expiries[0]).toMatchObject({ forwardSource: 'spot_carry', straddle: null, atmIv: null, quality: 0 })
    expect(expiries[0]?.forward).toBeCloseTo(100 * Math.exp(0.04 * years), 4)
  })

  it('says nothing without a spot', () => {
    const contracts = [
      ...smile({ expiry: '2026-07-17', strikes: near, sigma: 0.2 }),
      ...smile({ expiry: '2026-06-18', strikes: [100], sigma: 0.2 }),
    ]
    for (const spot of [null, 0, NaN]) {
      const result = compute(contracts, { spot })
      expect(result.chain).toBeNull()
      expect(result.expiries).toEqual([])
      expect(codesOf(result)).toEqual([...Array(18).fill(ivCodes.no_forward), ivCodes.expired, ivCodes.expired])
      expect(result.contracts.iv.every(Number.isNaN)).toBe(true)
    }
  })

  it('counts volume whose last trade lies before the session as none', () => {
    const contracts = smile({ expiry: '2026-07-17', strikes: near, sigma: 0.2 }).map((leg, i) => ({
      ...leg,
      lastTradeAtS: Date.UTC(2026, 5, i < 2 ? 22 : 18, 14) / 1000,
    }))
    expect(compute(contracts).chain).toMatchObject({ callVolume: 100, putVolume: 100 })
    expect(compute(contracts, { sessionDate: '2026-06-18' }).chain).toMatchObject({ callVolume: 900, putVolume: 900 })
  })

  it('is empty of an empty chain', () => {
    const { expiries, chain } = compute([])
    expect(expiries).toEqual([])
    expect(chain).toMatchObject({ nContracts: 0, nUsed: 0, atmIv30d: null, gexUsd1pct: null, callVolume: null })
  })
})

describe('order and garbage', () => {
  const snapshot = chainOf(
    [
      ...smile({ expiry: '2026-07-17', strikes: near, sigma: 0.21 }),
      ...smile({ expiry: '2026-07-17', strikes: near, sigma: 0.23, root: 'XYZW' }),
      ...smile({ expiry: '2026-08-21', strikes: near, sigma: 0.25, forward: 100.7 }),
      ...smile({ expiry: '2026-06-18', strikes: [100], sigma: 0.2 }),
    ],
    { marketTimeMs },
  )
  const figures = (input: Snapshot) => {
    const { contracts, expiries, chain } = computeNamedChain(input, flatParams(0.037))
    return { contracts, expiries, chain }
  }
  const straight = figures(snapshot)
  const { length } = snapshot.columns

  it('does not matter in what order contracts arrive: the same bits come out', () => {
    const order = fc.shuffledSubarray(
      Array.from({ length }, (_, i) => i),
      { minLength: length, maxLength: length },
    )
    fc.assert(
      fc.property(order, (rows) => {
        const shuffled = figures(reordered(snapshot, rows))
        expect(shuffled.expiries).toEqual(straight.expiries)
        expect(shuffled.chain).toEqual(straight.chain)
        for (const name of ['iv', 'ivCode', 'delta', 'gamma', 'theta', 'vega'] as const) {
          expect([...shuffled.contracts[name]]).toEqual(rows.map((row) => straight.contracts[name][row]))
        }
      }),
    )
  })

  it('keeps roots apart that expire on the same day', () => {
    expect(straight.expiries.map(({ root, expiryDay }) => [root, expiryDay])).toEqual([
      ['XYZ', 20_651],
      ['XYZ', 20_686],
      ['XYZW', 20_651],
    ])
  })

  it('never lets NaN or infinity out in a scalar, whatever the columns hold', () => {
    const wild = fc.oneof(fc.double(), fc.constantFrom(NaN, 0, -1, Infinity, 1e300, 5e-324))
    const contract = fc.record({
      root: fc.constantFrom('XYZ', 'XYZW'),
      expiry: fc.constantFrom('2026-06-18', '2026-06-22', '2026-07-17'),
      expiryAtS: fc.oneof(fc.constant(marketTimeMs / 1000 + 1e6), wild),
      strike: fc.oneof(fc.integer({ min: 95, max: 105 }), wild),
      right: fc.constantFrom('C' as const, 'P' as const),
      bid: fc.oneof(fc.double({ min: 0, max: 5 }), wild),
      ask: fc.oneof(fc.double({ min: 0, max: 9 }), wild),
      volume: wild,
      openInterest: wild,
    })
    fc.assert(
      fc.property(fc.array(contract, { maxLength: 40 }), wild, (contracts, spot) => {
        const { expiries, chain } = compute(contracts, { spot })
        const scalars = [...expiries, ...(chain ? [chain] : [])].flatMap((figure) => Object.values(figure) as unknown[])
        expect(scalars.filter((value) => typeof value === 'number' && !Number.isFinite(value))).toEqual([])
      }),
      { numRuns: 500 },
    )
  })
})
