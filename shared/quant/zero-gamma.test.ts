import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { absoluteProfileAt, type GammaProfile, profileAt, tabulateProfile } from './gamma-profile.ts'
import { zeroGamma } from './zero-gamma.ts'
import { sizedTest } from '../../tests/support/size.ts'

interface Option {
  readonly weight: number
  readonly centre: number
  readonly width: number
}

const profileOf = (options: readonly Option[]): GammaProfile => ({
  count: options.length,
  weight: Float64Array.from(options, ({ weight }) => weight),
  centre: Float64Array.from(options, ({ centre }) => centre),
  width: Float64Array.from(options, ({ width }) => width),
})

/** The nearest of the roots a scan of 2,000 prices between 0.8 S and 1.2 S sees, each taken to the end by bisection. */
function scanned(profile: GammaProfile, spot: number): number {
  const at = (x: number) => profileAt(profile, Math.log(x / spot))
  let nearest = NaN
  let [before, last] = [NaN, NaN]
  for (let i = 0; i < 2000; i++) {
    const x = spot * (0.8 + (0.4 * i) / 1999)
    const value = at(x)
    if (before * value < 0) {
      let [low, high] = [last, x]
      for (let j = 0; j < 50; j++) {
        const middle = (low + high) / 2
        if (at(middle) * before > 0) low = middle
        else high = middle
      }
      if (!(Math.abs(low - spot) >= Math.abs(nearest - spot))) nearest = low
    }
    before = value
    last = x
  }
  return nearest
}

/** Of expiries between two minutes and two years, 40 strikes each. */
const books = fc
  .array(
    fc.record({
      years: fc.double({ min: -12, max: 0.7, noNaN: true }).map(Math.exp),
      sigma: fc.double({ min: 0.08, max: 0.9, noNaN: true }),
      net: fc.array(fc.integer({ min: -5000, max: 5000 }), { minLength: 40, maxLength: 40 }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((expiries) =>
    profileOf(
      expiries.flatMap(({ years, sigma, net }) =>
        net.map((contracts, i) => {
          const width = sigma * Math.sqrt(years)
          const reach = Math.min(0.5, 5 * width)
          return { weight: contracts / width, centre: reach * (i / 20 - 0.975) - 0.5 * width * width, width }
        }),
      ),
    ),
  )

describe('a tabulated profile', () => {
  it('is the profile itself to 1e-7 of the absolute profile', () => {
    fc.assert(
      fc.property(books, fc.double({ min: -0.2, max: 0.18, noNaN: true }), (book, near) => {
        const { first, step, values } = tabulateProfile(book, Math.log(0.8), Math.log(1.2))
        const node = Math.round(near / step)
        const absolute = absoluteProfileAt(book, node * step)
        const peaks = book.weight.reduce((sum, weight) => sum + Math.abs(weight), 0)
        const error = Math.abs((values[node - first] ?? NaN) - profileAt(book, node * step))
        expect(error).toBeLessThanOrEqual(1e-7 * absolute + 1e-9 * peaks)
      }),
      { numRuns: sizedTest(100, 400) },
    )
  })
})

describe('zero gamma', () => {
  it('of a call and a put is where their bells cross', () => {
    // Equal widths and weights: half way between the centres, ln(x/S) = (0.02 + 0.06) / 2.
    const pair = profileOf([
      { weight: -7, centre: 0.02, width: 0.05 },
      { weight: 7, centre: 0.06, width: 0.05 },
    ])
    expect(zeroGamma(pair, 250).price).toBeCloseTo(250 * Math.exp(0.04), 8)
    expect(zeroGamma(pair, 250).sign).toBe(-1)
    // Weights 3 : 1 move it by width^2 ln(3) / (distance of the centres) towards the lighter one.
    const uneven = profileOf([
      { weight: -3, centre: 0.02, width: 0.05 },
      { weight: 1, centre: 0.06, width: 0.05 },
    ])
    expect(zeroGamma(uneven, 250).price).toBeCloseTo(250 * Math.exp(0.04 + (0.0025 * Math.log(3)) / 0.04), 7)
  })

  it('is none where the gamma has one sign throughout, which is told', () => {
    const calls = profileOf([{ weight: 5, centre: 0.01, width: 0.1 }])
    const puts = profileOf([{ weight: -5, centre: 0.01, width: 0.1 }])
    expect(zeroGamma(calls, 100)).toEqual({ price: NaN, sign: 1 })
    expect(zeroGamma(puts, 100)).toEqual({ price: NaN, sign: -1 })
    expect(zeroGamma(profileOf([]), 100)).toEqual({ price: NaN, sign: 0 })
  })

  it('is found between two clusters that hardly reach one another', () => {
    const apart = profileOf([
      { weight: 1, centre: -0.05, width: 0.003 },
      { weight: -1, centre: 0.05, width: 0.003 },
    ])
    expect(zeroGamma(apart, 100).price).toBeCloseTo(100, 6)
  })

  it('is not beyond 0.8 and 1.2 of spot', () => {
    const far = (centre: number) =>
      profileOf([
        { weight: 1, centre: centre - 0.05, width: 0.1 },
        { weight: -1, centre: centre + 0.05, width: 0.1 },
      ])
    expect(zeroGamma(far(Math.log(1.2) - 0.001), 100).price).toBeCloseTo(120 * Math.exp(-0.001), 6)
    expect(zeroGamma(far(Math.log(1.2) + 0.001), 100)).toEqual({ price: NaN, sign: 1 })
    expect(zeroGamma(far(Math.log(0.8) + 0.001), 100).price).toBeCloseTo(80 * Math.exp(0.001), 6)
    expect(zeroGamma(far(Math.log(0.8) - 0.001), 100)).toEqual({ price: NaN, sign: -1 })
  })

  it('is the nearest of several, near as they may lie together', () => {
    // A narrow bell under a wide one: two roots around its centre.
    const dip = (depth: number) =>
      profileOf([
        { weight: 1, centre: 0, width: 0.3 },
        { weight: -depth * Math.exp(-0.5 * (0.03 / 0.3) ** 2), centre: 0.03, width: 0.004 },
      ])
    for (const depth of [1.5, 1.02, 1.001]) {
      const expected = scanned(dip(depth), 100)
      expect(expected).toBeLessThan(103.1)
      expect(zeroGamma(dip(depth), 100).price).toBeCloseTo(expected, 6)
    }
    expect(zeroGamma(dip(0.99), 100).price).toBeNaN()
  })

  it('is the nearer of two on either side of spot, hardly different as their distances may be', () => {
    const dips = (right: number) =>
      profileOf([
        { weight: 1, centre: 0, width: 0.3 },
        { weight: -1.5, centre: -0.03, width: 0.004 },
        { weight: -1.5, centre: right, width: 0.004 },
      ])
    for (let i = -20; i <= 20; i++) {
      const book = dips(0.0295 + i * 5e-5)
      expect(zeroGamma(book, 100).price).toBeCloseTo(scanned(book, 100), 6)
    }
  })

  it('is none where the profile only all but touches 0', () => {
    const touching = (depth: number) =>
      profileOf([
        { weight: 1, centre: 0.03, width: 0.3 },
        { weight: -depth, centre: 0.03, width: 0.004 },
      ])
    for (let share = 1e-9; share < 1e-5; share *= 1.3) {
      expect(zeroGamma(touching(1 - share), 100)).toEqual({ price: NaN, sign: 1 })
    }
    expect(zeroGamma(touching(1.002), 100).price).toBeCloseTo(100 * Math.exp(0.03), 1)
  })

  it('is at least as near as the one a scan of 2,000 prices finds, and a root', () => {
    let roots = 0
    fc.assert(
      fc.property(books, (book) => {
        const { price } = zeroGamma(book, 100)
        const expected = scanned(book, 100)
        const absolute = absoluteProfileAt(book, 0)
        const around = (x: number, gap: number) =>
          [x - gap, x + gap].map((price) => profileAt(book, Math.log(price / 100)) / absolute)
        const [left = NaN, right = NaN] = around(price, 1e-7)
        const isFound = !Number.isNaN(price)
        if (isFound) roots++
        expect(isFound && left * right > 1e-18).toBe(false)
        // Only where the profile has a figure worth the name on either side is the scan's root one.
        const isClear = Math.min(...around(expected, 0.02).map(Math.abs)) > 1e-6
        const isNearer = Math.abs(price - 100) <= Math.abs(expected - 100) + 1e-6
        expect(isClear && !isNearer).toBe(false)
      }),
      { numRuns: 100 },
    )
    expect(roots).toBeGreaterThan(25)
  })

  it('does not notice options of negligible gamma', () => {
    const book: Option[] = [
      { weight: -700, centre: 0.01, width: 0.05 },
      { weight: 900, centre: 0.06, width: 0.05 },
    ]
    const absolute = absoluteProfileAt(profileOf(book), 0)
    const dust = Array.from({ length: 500 }, (_, i) => ({
      weight: (0.9e-9 * absolute) / 502,
      centre: i / 2500 - 0.1,
      width: 0.001,
    }))
    const far = Array.from({ length: 500 }, () => ({ weight: -1e12, centre: 0.9, width: 0.05 }))
    const alone = zeroGamma(profileOf(book), 100).price
    expect(zeroGamma(profileOf([...book, ...dust]), 100).price).toBe(alone)
    expect(zeroGamma(profileOf([...book, ...far]), 100).price).toBe(alone)
    // Ten times the bound is noticed.
    const seen = dust.map((option) => ({ ...option, weight: 10 * option.weight }))
    expect(zeroGamma(profileOf([...book, ...seen]), 100).price).not.toBe(alone)
  })

  it('never throws and is never infinite, whatever the columns hold', () => {
    const wild = fc.oneof(fc.double(), fc.constantFrom(NaN, 0, -1, Infinity, 1e300, 5e-324))
    const option = fc.record({ weight: wild, centre: wild, width: wild })
    fc.assert(
      fc.property(fc.array(option, { maxLength: 20 }), (options) => {
        const { price, sign } = zeroGamma(profileOf(options), 100)
        expect(Math.abs(price)).not.toBe(Infinity)
        expect([-1, 0, 1, NaN]).toContain(sign)
      }),
      { numRuns: sizedTest(100, 500) },
    )
  })
})
