import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { termFeatures, type TermPoint } from './term.ts'

const spot = 100
/** An expiry so many days away; what is left out is missing. */
const point = (days: number, figures: Partial<TermPoint> = {}): TermPoint => ({
  root: 'XYZ',
  expiryDay: 20_000 + Math.floor(days),
  yearsToExpiry: days / 365,
  atmIv: NaN,
  atmHalfSpreadVp: NaN,
  rr25: NaN,
  bf25: NaN,
  expectedMove: NaN,
  expectedMoveStraddle: NaN,
  varianceIndex: NaN,
  varianceComplete: NaN,
  varianceNUsed: 0,
  varianceNTotal: 0,
  varianceQuality: 0,
  ...figures,
})
const withIv = (days: number, atmIv: number, figures: Partial<TermPoint> = {}) => point(days, { atmIv, ...figures })
const of = (...points: TermPoint[]) => termFeatures(points, spot)

describe('constant maturities', () => {
  it('are linear in total variance, and missing far from every expiry', () => {
    const features = of(withIv(20, 0.2), withIv(50, 0.3), withIv(100, 0.25))
    const at = (days: number, t1: number, s1: number, t2: number, s2: number) =>
      Math.sqrt((s1 * s1 * t1 + ((s2 * s2 * t2 - s1 * s1 * t1) * (days - t1)) / (t2 - t1)) / days)
    expect(features.atmIv30d).toBeCloseTo(at(30, 20, 0.2, 50, 0.3), 14)
    expect(features.atmIv60d).toBeCloseTo(at(60, 50, 0.3, 100, 0.25), 14)
    expect(features.atmIv90d).toBeCloseTo(at(90, 50, 0.3, 100, 0.25), 14)
    expect(features.atmIv7d).toBeNaN()
    expect(features.atmIv180d).toBeNaN()
    expect(features.atmIv365d).toBeNaN()
  })

  it('are the volatility itself where it is the same throughout', () => {
    const features = of(...[3, 10, 45, 120, 400].map((days) => withIv(days, 0.22, { rr25: -0.03, bf25: 0.004 })))
    for (const name of ['atmIv7d', 'atmIv30d', 'atmIv60d', 'atmIv90d', 'atmIv180d', 'atmIv365d'] as const) {
      expect(features[name]).toBeCloseTo(0.22, 14)
    }
    expect(features.termSlope).toBeCloseTo(0, 13)
    expect(features.rr25At30d).toBeCloseTo(-0.03, 15)
    expect(features.bf25At30d).toBeCloseTo(0.004, 15)
    expect(features.expectedMove1d).toBeCloseTo((100 * 0.22) / Math.sqrt(252), 12)
  })

  it('have a skew linear in time, flat within 20 % of 30 days', () => {
    expect(of(point(20, { rr25: -0.02 }), point(50, { rr25: -0.05 })).rr25At30d).toBeCloseTo(-0.03, 15)
    expect(of(point(35, { rr25: -0.02 })).rr25At30d).toBe(-0.02)
    expect(of(point(37, { rr25: -0.02 })).rr25At30d).toBeNaN()
  })

  it('have a slope from 30 to 90 days', () => {
    expect(of(withIv(30, 0.2), withIv(90, 0.25)).termSlope).toBeCloseTo(0.25, 14)
    expect(of(withIv(30, 0.2), withIv(60, 0.25)).termSlope).toBeNaN()
  })
})

describe('the front', () => {
  it('is the nearest expiry at least a day away that has a volatility, with its expected moves', () => {
    const moves = { expectedMove: 3, expectedMoveStraddle: 2.5 }
    const features = of(withIv(0.5, 0.9), point(1), withIv(2, 0.4, moves), withIv(9, 0.3))
    expect(features).toMatchObject({ atmIvFront: 0.4, expectedMove: 3, expectedMoveStraddle: 2.5 })
  })

  it('is missing with all that follows from it when no expiry has one', () => {
    expect(of(point(5), withIv(0.2, 0.3))).toMatchObject({ atmIvFront: NaN, expectedMove: NaN, expectedMove1d: NaN })
    expect(of()).toMatchObject({ atmIvFront: NaN, atmIv30d: NaN, termInverted: NaN, negativeForwardVariance: NaN })
  })
})

describe('inversion', () => {
  const half = (atmHalfSpreadVp: number) => ({ atmHalfSpreadVp })

  it('needs a fall by more than both half spreads', () => {
    expect(of(withIv(6, 0.3, half(0.5)), withIv(13, 0.285, half(0.5))).termInverted).toBe(1)
    expect(of(withIv(6, 0.3, half(0.5)), withIv(13, 0.285, half(1.1))).termInverted).toBe(0)
    expect(of(withIv(6, 0.3, half(0.5)), withIv(13, 0.31, half(0.5))).termInverted).toBe(0)
  })

  it('looks at the first two expiries beyond five days', () => {
    const front = withIv(4.9, 0.9, half(0.1))
    expect(of(front, withIv(13, 0.2, half(0.1)), withIv(20, 0.21, half(0.1))).termInverted).toBe(0)
    expect(of(front, withIv(13, 0.2, half(0.1))).termInverted).toBeNaN()
    expect(of(withIv(6, 0.3), withIv(13, 0.2, half(0.1))).termInverted).toBeNaN()
  })

  it('takes the two settlements of one day for one expiry', () => {
    const morning = withIv(20.1, 0.3, { ...half(0.1), root: 'SPX' })
    const close = withIv(20.4, 0.25, { ...half(0.1), root: 'SPXW' })
    expect(of(morning, close).termInverted).toBeNaN()
    expect(of(morning, close, withIv(27, 0.31, half(0.1))).termInverted).toBe(0)
  })
})

describe('forward variance', () => {
  it('counts the neighbours of a root whose total variance falls', () => {
    expect(of(withIv(10, 0.4), withIv(20, 0.2), withIv(30, 0.25)).negativeForwardVariance).toBe(1)
    expect(of(withIv(10, 0.2), withIv(20, 0.2)).negativeForwardVariance).toBe(0)
    expect(of(withIv(10, 0.4), point(15), withIv(20, 0.2)).negativeForwardVariance).toBe(1)
  })

  it('keeps roots apart', () => {
    const other = withIv(20, 0.2, { root: 'SPX' })
    expect(of(withIv(10, 0.4), other).negativeForwardVariance).toBeNaN()
    expect(of(withIv(10, 0.4), other, withIv(30, 0.4)).negativeForwardVariance).toBe(0)
  })
})

describe('the 30-day variance index', () => {
  const term = (days: number, volatility: number, figures: Partial<TermPoint> = {}) =>
    point(days, {
      varianceIndex: volatility ** 2,
      varianceComplete: 1,
      varianceNUsed: 40,
      varianceNTotal: 60,
      varianceQuality: 80,
      ...figures,
    })

  it('is made of the terms on both sides of 30 days', () => {
    const features = of(term(5, 0.9), term(24, 0.2), term(31, 0.3), term(60, 0.9))
    expect(features.varianceIndex30d).toBeCloseTo(Math.sqrt((24 * 0.04 * (1 / 7) + 31 * 0.09 * (6 / 7)) / 30), 14)
    expect(features).toMatchObject({ varianceNUsed: 80, varianceNTotal: 120, varianceQuality: 80 })
    expect(features.varianceComplete30d).toBe(1)
  })

  it('is complete only with complete terms between 23 and 37 days', () => {
    expect(of(term(24, 0.2), term(31, 0.3, { varianceComplete: 0 })).varianceComplete30d).toBe(0)
    expect(of(term(22, 0.2), term(31, 0.3)).varianceComplete30d).toBe(0)
    expect(of(term(24, 0.2), term(38, 0.3, { varianceQuality: 50 }))).toMatchObject({
      varianceComplete30d: 0,
      varianceQuality: 50,
    })
  })

  it('is never extrapolated', () => {
    for (const features of [of(term(24, 0.2), term(29, 0.2)), of(term(31, 0.2)), of(point(24), term(31, 0.2))]) {
      expect(features).toMatchObject({ varianceIndex30d: NaN, varianceComplete30d: NaN, varianceNUsed: 0 })
    }
  })
})

describe('any expiries', () => {
  const any = fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -Infinity, -1, 0, 0.2))
  const years = fc.constantFrom(-1, 0, 0.01, 20 / 365, 30 / 365, 40 / 365, NaN, Infinity)
  const garbage = fc.record({
    root: fc.constantFrom('A', 'B'),
    expiryDay: fc.integer({ min: 0, max: 3 }),
    yearsToExpiry: years,
    atmIv: any,
    atmHalfSpreadVp: any,
    rr25: any,
    bf25: any,
    expectedMove: any,
    expectedMoveStraddle: any,
    varianceIndex: any,
    varianceComplete: any,
    varianceNUsed: any,
    varianceNTotal: any,
    varianceQuality: any,
  })

  it('never throw, and give no negative volatility', () => {
    fc.assert(
      fc.property(fc.array(garbage), any, (points, spot) => {
        const { atmIv7d, atmIv30d, atmIvFront, varianceIndex30d } = termFeatures(points, spot)
        for (const volatility of [atmIv7d, atmIv30d, atmIvFront, varianceIndex30d]) {
          expect(volatility).not.toBeLessThan(0)
        }
      }),
    )
  })

  it('give the same bits in any order, two roots of one instant included', () => {
    const volatility = fc.double({ min: 0.05, max: 1, noNaN: true })
    const points = fc.uniqueArray(
      fc.record({ root: fc.constantFrom('A', 'B'), days: fc.integer({ min: 1, max: 60 }), atmIv: volatility }),
      { selector: ({ root, days }) => `${root} ${days}`, maxLength: 12 },
    )
    fc.assert(
      fc.property(points, (inputs) => {
        const made = inputs.map(({ root, days, atmIv }) =>
          withIv(days, atmIv, { root, rr25: -atmIv / 10, varianceIndex: atmIv ** 2, atmHalfSpreadVp: 0.1 }),
        )
        const straight = termFeatures(made, spot)
        expect(termFeatures(made.toReversed(), spot)).toEqual(straight)
        const { atmIv30d } = straight
        expect(Number.isNaN(atmIv30d) || (atmIv30d >= 0 && atmIv30d < Infinity)).toBe(true)
      }),
    )
  })
})
