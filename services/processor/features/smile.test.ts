import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ivCodes } from '../../../shared/model/features.ts'
import type { ContractInput } from '../../../tests/fixtures/quant/chain-builder.ts'
import { expiryOf, smileContracts, smileExpiry, type SmileInput } from '../../../tests/fixtures/quant/solved-expiry.ts'
import type { SolvedExpiry } from './context.ts'
import { smileFeatures } from './smile.ts'
import { createStrikes } from './strikes.ts'

const strikesFrom = (from: number, to: number, step: number) =>
  Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => from + i * step)
const dense = strikesFrom(60, 150, 0.5)
const features = (input: Partial<SmileInput>) =>
  smileFeatures(smileExpiry({ strikes: dense, sigma: () => 0.25, days: 60, ...input }))

/** Strike, IV, delta per spot of the leg out of the money, half spread, vega per vol point. */
type StrikeRow = readonly [number, number, number, number?, number?]

/** An expiry with figures as given: forward and spot 100, no discount, a year less than it takes to matter. */
function written(rows: readonly StrikeRow[], terms: Partial<SolvedExpiry['terms']> = {}): SolvedExpiry {
  const all = { spot: 100, forward: 100, discount: 1, yearsToExpiry: 0.25, ...terms }
  const base = smileExpiry({ strikes: [100], sigma: () => 0.2, days: 91 })
  const strikes = createStrikes(rows.length)
  for (const [i, [strike, iv, delta, half = 0.05, vega = 0.1]] of rows.entries()) {
    const isPut = strike < all.forward
    strikes.strike[i] = strike
    strikes.right[i] = isPut ? 2 : 1
    strikes.iv[i] = iv
    strikes.delta[i] = delta
    strikes.vega[i] = vega
    ;(isPut ? strikes.putSpread : strikes.callSpread)[i] = 2 * half
    strikes.callMid[i] = NaN
    strikes.putMid[i] = NaN
    strikes.biasVp[i] = strike / 1000
  }
  strikes.count = rows.length
  return { ...base, strikes, terms: all }
}

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

describe('the fit at the money', () => {
  it('gives a linear and a quadratic smile their own coefficients', () => {
    const linear = features({ sigma: (k) => 0.25 - 0.12 * k })
    expect(linear.skewSlope).toBeCloseTo(-0.12, 9)
    expect(linear.skewCurvature).toBeCloseTo(0, 8)
    const quadratic = features({ sigma: (k) => 0.25 - 0.12 * k + 0.4 * k * k, halfSpread: (k) => 0.002 * Math.abs(k) })
    expect(quadratic.skewSlope).toBeCloseTo(-0.12, 6)
    expect(quadratic.skewCurvature).toBeCloseTo(0.8, 4)
  })

  it('needs five strikes within one standard deviation, on both sides of the forward', () => {
    // sigma sqrt(T) is 0.1, so the strikes from 91 to 110 count.
    const slopeOf = (strikes: number[]) =>
      smileFeatures(written(strikes.map((k) => [k, 0.2 - 0.1 * Math.log(k / 100), 0.5]))).skewSlope
    expect(slopeOf([85, 92, 96, 100, 104, 108, 115])).toBeCloseTo(-0.1, 12)
    expect(slopeOf([85, 90, 96, 100, 104, 108, 115])).toBeNaN()
    expect(slopeOf([85, 90, 101, 102, 103, 104, 105, 106])).toBeNaN()
  })

  it('listens less to a wide quote', () => {
    const rows = (half: number): StrikeRow[] =>
      [92, 94, 96, 98, 100, 102, 104, 106].map((k) => [k, k === 106 ? 0.3 : 0.2, 0.5, k === 106 ? half : 0.01])
    const tight = smileFeatures(written(rows(0.01))).skewSlope
    const wide = smileFeatures(written(rows(0.5))).skewSlope
    expect(tight).toBeGreaterThan(0.1)
    expect(wide / tight).toBeLessThan(0.02)
  })

  it('weighs a strike by 1 / (half spread^2 + 0.25^2)', () => {
    // With weight (0.5^2 + 0.25^2)^-1 against (0.25^2)^-1 = 5 : 1 a wide point counts as the fifth of a tight one.
    const x = [-0.8, -0.4, 0.1, 0.4, 0.8]
    const y = [0.27, 0.21, 0.2, 0.22, 0.21]
    const rows = (halves: number[]) =>
      x.map((place, i): StrikeRow => [100 * Math.exp(place * 0.1), y[i] ?? NaN, 0.5, (halves[i] ?? 0) / 10])
    const base = [-100, -50].map((k): StrikeRow => [-k / 10, 0.2, 0.5])
    // ATM by hand: total variance linear between the strikes at x = -0.4 and 0.1.
    const atm = Math.sqrt(0.21 ** 2 + 0.8 * (0.2 ** 2 - 0.21 ** 2))
    const scale = atm * 0.5
    const w = [1, 1, 1, 1, 0.2]
    const place = x.map((value) => (value * 0.1) / scale)
    const sums = (px: number, py: number) =>
      place.reduce((sum, v, i) => sum + (w[i] ?? NaN) * v ** px * (y[i] ?? NaN) ** py, 0)
    const [b, c] = solveNormal(sums)
    const fitted = smileFeatures(written([...base, ...rows([0, 0, 0, 0, 0.5])]))
    expect(fitted.atmIv).toBeCloseTo(atm, 12)
    expect(fitted.skewSlope).toBeCloseTo(b / scale, 10)
    expect(fitted.skewCurvature).toBeCloseTo((2 * c) / scale ** 2, 8)
  })
})

/** Cramer's rule on the normal equations of a + b x + c x^2; returns b and c. */
function solveNormal(sums: (px: number, py: number) => number): [number, number] {
  const m = [0, 1, 2].map((row) => [0, 1, 2].map((column) => sums(row + column, 0)))
  const t = [0, 1, 2].map((row) => sums(row, 1))
  const det = (n: number[][]) => {
    const [[a = 0, b = 0, c = 0] = [], [d = 0, e = 0, f = 0] = [], [g = 0, h = 0, i = 0] = []] = n
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
  }
  const replaced = (at: number) => m.map((row, r) => row.map((value, c) => (c === at ? (t[r] ?? NaN) : value)))
  return [det(replaced(1)) / det(m), det(replaced(2)) / det(m)]
}

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
    const wings = smileFeatures(written(rows))
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
    const wings = smileFeatures(written(scaled, { discount: 0.9 }))
    expect(wings.rr25).toBeCloseTo(smileFeatures(written(rows)).rr25, 14)
    expect(smileFeatures(written(scaled, { discount: 0.9, spot: 90 })).rr25).not.toBeCloseTo(wings.rr25, 3)
  })

  it('are missing where a delta is not between two strikes', () => {
    const without = (...strikes: number[]) => smileFeatures(written(rows.filter(([k]) => !strikes.includes(k))))
    expect(without(80).rr10).toBeNaN()
    expect(without(80).bf10).toBeNaN()
    expect(without(80).rr25).toBeCloseTo(-0.085, 14)
    expect(without(110, 120)).toMatchObject({ rr25: NaN, bf25: NaN, rr10: NaN, normalisedSkew: NaN })
  })

  it('take the crossing nearest the money where noise makes several', () => {
    const noisy: StrikeRow[] = [[70, 0.9, -0.3], [75, 0.9, -0.01], ...rows, [125, 0.9, 0.3], [130, 0.9, 0.01]]
    expect(smileFeatures(written(noisy)).rr25).toBeCloseTo(-0.085, 14)
    expect(smileFeatures(written(noisy)).rr10).toBeCloseTo(smileFeatures(written(rows)).rr10, 14)
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

describe('at the money', () => {
  it('is linear in total variance between the strikes around the forward', () => {
    const share = Math.log(100 / 98) / Math.log(103 / 98)
    const atm = smileFeatures(
      written([
        [98, 0.3, -0.4, 0.05, 0.1],
        [103, 0.2, 0.4],
      ]),
    )
    expect(atm.atmIv).toBeCloseTo(Math.sqrt(0.09 + share * (0.04 - 0.09)), 14)
  })

  it('has the bias and the half spread of the strike nearest the forward', () => {
    const below = smileFeatures(
      written([
        [98, 0.3, -0.4, 0.06, 0.1],
        [103, 0.2, 0.4, 0.5, 0.1],
      ]),
    )
    expect(below.atmIvBiasVp).toBe(0.098)
    expect(below.atmHalfSpreadVp).toBeCloseTo(0.6, 14)
    const above = smileFeatures(
      written([
        [97, 0.3, -0.4],
        [101, 0.2, 0.4, 0.5, 0.2],
      ]),
    )
    expect(above.atmIvBiasVp).toBe(0.101)
    expect(above.atmHalfSpreadVp).toBeCloseTo(2.5, 14)
    const tie = smileFeatures(
      written([
        [98, 0.3, -0.4, 0.06, 0.1],
        [102, 0.2, 0.4, 0.5, 0.2],
      ]),
    )
    expect(tie.atmIvBiasVp).toBe(0.098)
  })

  it('passes over a strike whose code is not ok', () => {
    const expiry = written([
      [98, 0.3, -0.4],
      [99.9, 0.9, -0.45],
      [103, 0.2, 0.4],
    ])
    expiry.strikes.ivCode[1] = ivCodes.crossed
    const without = written([
      [98, 0.3, -0.4],
      [103, 0.2, 0.4],
    ])
    expect(smileFeatures(expiry)).toEqual(smileFeatures(without))
  })

  it('needs a strike on either side', () => {
    expect(smileFeatures(written([[98, 0.3, -0.4]]))).toMatchObject({ atmIv: NaN, atmIvBiasVp: NaN, bf25: NaN })
    expect(smileFeatures(written([[103, 0.3, 0.4]]))).toMatchObject({ atmIv: NaN, atmHalfSpreadVp: NaN })
    expect(smileFeatures(written([]))).toMatchObject({ atmIv: NaN, expectedMove: NaN })
    expect(smileFeatures(written([[100, 0.3, 0.5]])).atmIv).toBe(0.3)
  })

  it('is missing between strikes farther apart than 5 % and two standard deviations', () => {
    const gap = (years: number, low: number) =>
      smileFeatures(
        written(
          [
            [low, 0.2, -0.4],
            [103, 0.2, 0.4],
          ],
          { yearsToExpiry: years },
        ),
      ).atmIv
    // 15 % apart; two standard deviations are 2 x 0.2 x sqrt(T).
    expect(gap(0.25, 88.65)).toBeCloseTo(0.2, 14)
    expect(gap(0.1, 88.65)).toBeNaN()
    expect(gap(0.001, 98.5)).toBeCloseTo(0.2, 14)
    expect(gap(0.001, 97.5)).toBeNaN()
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
  const without = (...strikes: number[]) => smileFeatures(written(rows.filter(([k]) => !strikes.includes(k)))).smirk

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
        const expiry = written(rows, terms)
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
