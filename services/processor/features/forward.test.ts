import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { completeForwards, type KnownCarry, type ParityForward, rememberCarries, usableCarries } from './forward.ts'

const spot = 100
const rate = 0.04

/** An expiry whose pairs say `carry`, or nothing. */
const expiry = (days: number, carry: number | null, root = 'XYZ'): ParityForward => ({
  root,
  expiryDay: 20_000 + days,
  yearsToExpiry: days / 365,
  rate,
  forward: carry === null ? NaN : spot * Math.exp((carry * days) / 365),
  confidence: carry === null ? 0 : 0.9,
  correction: 0,
  isUncorrected: false,
  strikesUsed: carry === null ? 1 : 5,
})

const only = (expiries: readonly ParityForward[], known: readonly KnownCarry[] = []) =>
  completeForwards(expiries, spot, known)
const carryOf = ({ forward }: { readonly forward: number }, days: number) => (Math.log(forward / spot) * 365) / days

describe('the forwards of a chain', () => {
  it('are their own where the pairs say one', () => {
    expect(only([expiry(30, 0.02)])).toEqual([
      {
        forward: expiry(30, 0.02).forward,
        source: 'parity',
        correction: 0,
        isUncorrected: false,
        nUsed: 5,
        quality: 90,
      },
    ])
  })

  it('are trusted a quarter as much where no sane carry leads to them from spot', () => {
    const far = { ...expiry(30, null), forward: 110, confidence: 0.9, strikesUsed: 5 }
    expect(only([far])[0]).toMatchObject({ forward: 110, source: 'parity', quality: 22.5 })
    expect(only([{ ...far, forward: 90 }])[0]?.quality).toBe(22.5)
    // 4 % in thirty days are 48 % a year; 2.9 % in a day may be a dividend.
    expect(only([{ ...far, forward: 104 }])[0]?.quality).toBe(90)
    expect(only([{ ...expiry(1, null), forward: 102.9, confidence: 0.9 }])[0]?.quality).toBe(90)
    expect(only([{ ...expiry(1, null), forward: 103.1, confidence: 0.9 }])[0]?.quality).toBe(22.5)
  })

  it('take the carry of the snapshot before, ahead of any neighbour', () => {
    const known = [{ root: 'XYZ', expiryDay: 20_030, carry: -0.05, sessionDay: 20_000, marketTimeMs: 1 }]
    const [, second] = only([expiry(20, 0.02), expiry(30, null)], known)
    expect(second).toMatchObject({ source: 'previous_carry', quality: 50, nUsed: 1 })
    expect(carryOf(second as never, 30)).toBeCloseTo(-0.05, 12)
    // Another root's carry is not taken for it.
    expect(only([expiry(30, null, 'XYZW')], known)[0]?.source).toBe('spot_carry')
  })

  it('lie between their neighbours, in ln(F/S) linear in time', () => {
    const [, middle] = only([expiry(20, 0.03), expiry(30, null), expiry(60, 0.01)])
    expect(middle).toMatchObject({ source: 'neighbour_carry', quality: 25 })
    const logRatio = (0.03 * 20 + ((0.01 * 60 - 0.03 * 20) * 10) / 40) / 365
    expect(Math.log((middle?.forward ?? NaN) / spot)).toBeCloseTo(logRatio, 12)
  })

  it('start from the spot itself before the first expiry', () => {
    const [first] = only([expiry(10, null), expiry(20, 0.03)])
    expect(carryOf(first as never, 10)).toBeCloseTo(0.03, 12)
  })

  it('reach no further beyond the last expiry than to four times its time', () => {
    const last = expiry(20, 0.03)
    expect(only([last, expiry(80, null)])[1]?.source).toBe('neighbour_carry')
    expect(only([last, expiry(81, null)])[1]).toMatchObject({ source: 'spot_carry', quality: 0 })
  })

  it('are the spot at the rate of the curve where nothing else is known', () => {
    const [alone] = only([expiry(365, null)])
    expect(alone?.source).toBe('spot_carry')
    expect(alone?.forward).toBeCloseTo(spot * Math.exp(rate), 10)
  })

  it('are positive and in the order asked, whatever is missing', () => {
    const days = fc.integer({ min: 1, max: 700 })
    const carry = fc.option(fc.double({ min: -0.5, max: 0.5, noNaN: true }))
    fc.assert(
      fc.property(fc.array(fc.tuple(days, carry), { maxLength: 12 }), (inputs) => {
        const expiries = inputs.map(([at, value]) => expiry(at, value))
        const forwards = only(expiries)
        expect(forwards).toHaveLength(expiries.length)
        forwards.forEach(({ forward, source }, i) => {
          expect(forward).toBeGreaterThan(0)
          expect(source === 'parity').toBe(inputs[i]?.[1] !== null)
        })
      }),
    )
  })
})

describe('remembered carries', () => {
  const now = { sessionDay: 20_000, marketTimeMs: 5000 }
  const later = { sessionDay: 20_000, marketTimeMs: 6000 }
  const days = (carries: readonly KnownCarry[]) => carries.map(({ expiryDay }) => expiryDay - 20_000)

  it('are the same number before and after being stored as JSON', () => {
    const carries = rememberCarries([expiry(30, 0.0123456789), expiry(60, null)], spot, now, [])
    expect(carries).toEqual([
      { root: 'XYZ', expiryDay: 20_030, carry: 0.01234568, sessionDay: 20_000, marketTimeMs: 5000 },
    ])
    expect(JSON.parse(JSON.stringify(carries))).toEqual(carries)
  })

  it('stay as they were where the snapshot brings none', () => {
    const before = rememberCarries([expiry(30, 0.01), expiry(60, 0.02)], spot, now, [])
    const after = rememberCarries([expiry(30, 0.03), expiry(60, null)], spot, later, before)
    expect(after.map(({ expiryDay, carry, marketTimeMs }) => [expiryDay, carry, marketTimeMs])).toEqual([
      [20_030, 0.03, 6000],
      [20_060, 0.02, 5000],
    ])
  })

  it('are used within their session only, and only by what comes after them', () => {
    const known = rememberCarries([expiry(30, 0.01)], spot, now, [])
    expect(usableCarries(known, later)).toEqual(known)
    expect(usableCarries(known, now)).toEqual([])
    expect(usableCarries(known, { ...now, marketTimeMs: 4000 })).toEqual([])
    expect(usableCarries(known, { sessionDay: 20_001, marketTimeMs: 6000 })).toEqual([])
  })

  it('are not used as they were stored before their time was kept', () => {
    const stored: unknown = JSON.parse('[{"root":"XYZ","expiryDay":20030,"carry":0.01,"sessionDay":20000}]')
    expect(usableCarries(stored as readonly KnownCarry[], now)).toEqual([])
  })

  it('leave out a forward too far from spot, and all of a chain whose nearest one is', () => {
    const far = (at: number) => ({ ...expiry(at, null), forward: 110 })
    expect(days(rememberCarries([expiry(10, 0.02), far(20), expiry(365, 0.02)], spot, now, []))).toEqual([10, 365])
    const before = rememberCarries([expiry(10, 0.02)], spot, now, [])
    // 10 % are no insane carry for a year, but they are the same 10 %.
    expect(rememberCarries([far(10), far(365)], spot, later, before)).toEqual(before)
  })
})
