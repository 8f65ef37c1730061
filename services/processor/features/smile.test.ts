import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ivCodes } from '../../../shared/model/features.ts'
import type { ContractInput } from '../../../tests/fixtures/quant/chain-builder.ts'
import {
  expiryOf,
  smileContracts,
  smileExpiry,
  type SmileInput,
  type StrikeRow,
  writtenExpiry,
} from '../../../tests/fixtures/quant/solved-expiry.ts'
import { smileFeatures } from './smile.ts'

const strikesFrom = (from: number, to: number, step: number) =>
  Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => from + i * step)
const dense = strikesFrom(60, 150, 0.5)
const features = (input: Partial<SmileInput>) =>
  smileFeatures(smileExpiry({ strikes: dense, sigma: () => 0.25, days: 60, ...input }))

describe('a flat smile', () => {
  it('has its volatility at the money and no skew, butterfly, slope or curvature', () => {
    const flat = features({ rate: 0.04, forward: 101 })
    expect(flat.atmIv).toBeCloseTo(0.25, 12)
    for (const name of ['rr25', 'bf25', 'rr10', 'bf10', 'normalisedSkew', 'skewSlope', 'skewCurvature'] as const) {
      expect(flat[name]).toBeCloseTo(0, 9)
    }
    expect(flat.smirk).toBeCloseTo(0, 9)
    expect(flat.expectedMove).toBeCloseTo(101 * 0.25 * Math.sqrt(60 / 365), 9)
  })
})

describe('the risk reversal and the butterfly', () => {
  const rows: StrikeRow[] = [
    [80, 0.4, -0.05],
    [90, 0.3, -0.15],
    [95, 0.26, -0.35],
    [100, 0.22, 0.55],
    [105, 0.2, 0.3],
    [110, 0.19, 0.2],
    [120, 0.21, 0.05],
  ]

  it('are linear in delta between the strikes around it', () => {
    const wings = smileFeatures(writtenExpiry(rows))
    const [call25, put25, call10, put10] = [0.195, 0.28, 0.19 + (0.02 * 10) / 15, 0.35]
    expect(wings.atmIv).toBe(0.22)
    expect(wings.rr25).toBeCloseTo(call25 - put25, 14)
    expect(wings.bf25).toBeCloseTo((call25 + put25) / 2 - 0.22, 14)
    expect(wings.rr10).toBeCloseTo(call10 - put10, 14)
    expect(wings.bf10).toBeCloseTo((call10 + put10) / 2 - 0.22, 14)
    expect(wings.normalisedSkew).toBeCloseTo((call25 - put25) / 0.22, 14)
  })

  it('read forward deltas, not spot deltas', () => {
    const perSpot = 0.9
    const scaled = rows.map(([k, iv, delta]): StrikeRow => [k, iv, delta * perSpot])
    const wings = smileFeatures(writtenExpiry(scaled, { discount: 0.9 }))
    expect(wings.rr25).toBeCloseTo(smileFeatures(writtenExpiry(rows)).rr25, 14)
    expect(smileFeatures(writtenExpiry(scaled, { discount: 0.9, spot: 90 })).rr25).not.toBeCloseTo(wings.rr25, 3)
  })

  it('are missing where a delta is not between two strikes', () => {
    const without = (...strikes: number[]) => smileFeatures(writtenExpiry(rows.filter(([k]) => !strikes.includes(k))))
    expect(without(80).rr10).toBeNaN()
    expect(without(80).bf10).toBeNaN()
    expect(without(80).rr25).toBeCloseTo(-0.085, 14)
    expect(without(110, 120)).toMatchObject({ rr25: NaN, bf25: NaN, rr10: NaN, normalisedSkew: NaN })
  })

  it('are missing where a delta lies between strikes more than one standard deviation apart', () => {
    const near = smileContracts({ strikes: [98, 100, 102], sigma: () => 0.2, days: 30 })
    const [template] = near
    const penny = (strike: number, right: 'C' | 'P'): ContractInput => ({
      ...(template ?? { root: 'XYZ', expiry: '2026-07-22' }),
      strike,
      right,
      bid: 0.01,
      ask: 0.05,
    })
    const wide = smileFeatures(expiryOf([...near, penny(50, 'P'), penny(150, 'C')]).expiry)
    expect(wide).toMatchObject({ rr25: NaN, bf25: NaN, rr10: NaN, bf10: NaN, normalisedSkew: NaN })
    expect(wide.atmIv).toBeCloseTo(0.2, 9)
    const tight = smileContracts({ strikes: [93, 95, 98, 100, 102, 105, 108], sigma: () => 0.2, days: 30 })
    const { rr25, bf25, rr10, bf10 } = smileFeatures(expiryOf([...tight, penny(50, 'P'), penny(150, 'C')]).expiry)
    for (const figure of [rr25, bf25, rr10, bf10]) expect(figure).toBeCloseTo(0, 9)
  })

  it('measure that distance by the lower volatility of the two, and look for no other crossing', () => {
    // sqrt(T) is 0.5: 0.2 reaches as far as 10 %.
    const rr25 = (gap: number, ...more: StrikeRow[]) =>
      smileFeatures(
        writtenExpiry([[97, 0.2, -0.2], [99, 0.2, -0.4], [101, 0.2, 0.4], [101 * Math.exp(gap), 0.9, 0.1], ...more]),
      ).rr25
    expect(rr25(0.0999)).toBeCloseTo(0.35, 12)
    expect(rr25(0.1001)).toBeNaN()
    expect(rr25(0.1001, [113, 0.2, 0.3], [114, 0.2, 0.2])).toBeNaN()
  })

  it('take the crossing nearest the money where noise makes several', () => {
    const noisy: StrikeRow[] = [[70, 0.9, -0.3], [75, 0.9, -0.01], ...rows, [125, 0.9, 0.3], [130, 0.9, 0.01]]
    expect(smileFeatures(writtenExpiry(noisy)).rr25).toBeCloseTo(-0.085, 14)
    expect(smileFeatures(writtenExpiry(noisy)).rr10).toBeCloseTo(smileFeatures(writtenExpiry(rows)).rr10, 14)
  })

  it('have no reversal and their own butterfly where the smile is symmetric in d1', () => {
    const sqrtT = Math.sqrt(60 / 365)
    const sigmaOf = (k: number) => {
      let sigma = 0.2
      for (let i = 0; i < 200; i++) sigma = 0.2 + 0.02 * (-k / (sigma * sqrtT) + (sigma * sqrtT) / 2) ** 2
      return sigma
    }
    const wings = features({ sigma: sigmaOf, strikes: strikesFrom(80, 125, 0.05) })
    const d25 = 0.6744897501960817
    expect(wings.rr25).toBeCloseTo(0, 6)
    expect(wings.rr10).toBeCloseTo(0, 6)
    expect(wings.bf25).toBeCloseTo(0.2 + 0.02 * d25 ** 2 - sigmaOf(0), 6)
    expect(wings.bf10).toBeGreaterThan(wings.bf25)
  })

  it('find the 25-delta put above the forward when the volatility is very high', () => {
    const wings = features({ sigma: () => 1.5, days: 365, strikes: strikesFrom(5, 2000, 5) })
    expect(wings.rr25).toBeCloseTo(0, 9)
  })

  it('have the sign of the skew', () => {
    expect(features({ sigma: (k) => 0.25 - 0.2 * k }).rr25).toBeLessThan(-0.01)
    expect(features({ sigma: (k) => 0.25 + 0.2 * k }).rr25).toBeGreaterThan(0.01)
  })
})

describe('the smirk', () => {
  const rows: StrikeRow[] = [
    [79, 0.5, -0.1],
    [82, 0.45, -0.1],
    [94, 0.33, -0.3],
    [95.5, 0.31, -0.3],
    [99, 0.26, -0.45],
    [101, 0.24, 0.45],
    [104, 0.22, 0.3],
  ]
  const without = (...strikes: number[]) =>
    smileFeatures(writtenExpiry(rows.filter(([k]) => !strikes.includes(k)))).smirk

  it('is the put nearest 95 % of spot less the call nearest the money', () => {
    expect(without()).toBeCloseTo(0.33 - 0.24, 14)
    expect(without(94)).toBeCloseTo(0.45 - 0.24, 14)
    expect(without(101)).toBeCloseTo(0.33 - 0.22, 14)
  })

  it('needs a put within 80 to 95 % and a call within 95 to 105 %', () => {
    expect(without(82, 94)).toBeNaN()
    expect(without(101, 104)).toBeNaN()
  })
})

describe('the straddle', () => {
  it('is both mids at the strike nearest the forward, and 0.85 of it the expected move', () => {
    const expiry = smileExpiry({ strikes: [90, 99.5, 104, 110], sigma: () => 0.2, days: 30 })
    const { callMid, putMid } = expiry.strikes
    const both = (callMid[1] ?? NaN) + (putMid[1] ?? NaN)
    expect(smileFeatures(expiry)).toMatchObject({ straddle: both, expectedMoveStraddle: 0.85 * both })
    // A straddle at the money is sqrt(2/pi) of a standard deviation.
    const { straddle, expectedMove } = features({ days: 30 })
    expect(straddle / expectedMove).toBeCloseTo(Math.sqrt(2 / Math.PI), 3)
  })

  it('is missing farther than 5 % away, and there below the time floor', () => {
    expect(features({ strikes: [94, 106] }).straddle).toBeNaN()
    const expiry = smileExpiry({ strikes: [99, 100, 101], sigma: () => 0.2, days: 30 })
    const refused = smileFeatures({ ...expiry, isSolved: false })
    expect(refused.straddle).toBeGreaterThan(0)
    expect(refused).toMatchObject({ atmIv: NaN, rr25: NaN, skewSlope: NaN, smirk: NaN, expectedMove: NaN })
  })
})

describe('any smile', () => {
  const inputs = fc.record({
    sigma: fc.double({ min: 0.1, max: 0.8, noNaN: true }),
    skew: fc.double({ min: -0.2, max: 0.2, noNaN: true }),
    days: fc.integer({ min: 7, max: 300 }),
    rate: fc.double({ min: -0.01, max: 0.06, noNaN: true }),
  })

  it('has figures that crossed quotes and quotes without a bid do not change', () => {
    fc.assert(
      fc.property(inputs, fc.uniqueArray(fc.integer({ min: 70, max: 139 }), { maxLength: 8 }), (input, extra) => {
        const { sigma, skew, days, rate } = input
        const contracts = smileContracts({
          strikes: strikesFrom(70, 140, 1),
          sigma: (k) => sigma + skew * k,
          days,
          rate,
          halfSpread: () => 0.01,
        })
        const [template] = contracts
        const added = extra.flatMap((strike, i): ContractInput[] =>
          (['C', 'P'] as const).map((right) => ({
            ...(template ?? { root: 'XYZ', expiry: '2026-07-22' }),
            strike: strike + 0.5,
            right,
            bid: i % 2 === 0 ? 5 : 0,
            ask: i % 2 === 0 ? 4 : 0.05,
          })),
        )
        const straight = smileFeatures(expiryOf(contracts, { rate }).expiry)
        expect(smileFeatures(expiryOf([...contracts, ...added], { rate }).expiry)).toEqual(straight)
        expect(straight.atmIv).toBeGreaterThan(0)
      }),
      { numRuns: 50 },
    )
  })

  it('never throws on garbage, and gives no infinite and no negative volatility', () => {
    const any = fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -Infinity, -1, 0, 0.2, 0.5, 95, 100, 105))
    const strike = fc.oneof(any, fc.integer({ min: 80, max: 120 }))
    const row = fc.tuple(strike, any, any, any, any)
    const terms = fc.record({ spot: any, forward: any, discount: any, yearsToExpiry: any })
    fc.assert(
      fc.property(fc.array(row, { maxLength: 12 }), terms, fc.array(any, { minLength: 12 }), (rows, terms, mids) => {
        const expiry = writtenExpiry(rows, terms)
        for (let i = 0; i < rows.length; i++) {
          expiry.strikes.callMid[i] = mids[i] ?? NaN
          expiry.strikes.putMid[i] = mids[11 - i] ?? NaN
          expiry.strikes.biasVp[i] = mids[i] ?? NaN
          expiry.strikes.ivCode[i] = i === 5 ? ivCodes.crossed : ivCodes.ok
        }
        const { atmIv, atmIvBiasVp, atmHalfSpreadVp, straddle } = smileFeatures(expiry)
        for (const value of [atmIv, atmHalfSpreadVp, straddle]) expect(value).not.toBeLessThan(0)
        for (const value of [atmIv, atmIvBiasVp, atmHalfSpreadVp, straddle]) {
          expect(Math.abs(value)).not.toBe(Infinity)
        }
      }),
    )
  })
})
