import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { completeForwards, type KnownCarry, type ParityForward, rememberCarries } from './forward.ts'

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
  strikesUsed: carry === null ? 1 : 5,
})

const only = (expiries: readonly ParityForward[], known: readonly KnownCarry[] = []) =>
  completeForwards(expiries, spot, known)
const carryOf = ({ forward }: { readonly forward: number }, days: number) => (Math.log(forward / spot) * 365) / days

describe('the forwards of a chain', () => {
  it('are their own where the pairs say one', () => {
    expect(only([expiry(30, 0.02)])).toEqual([
      { forward: expiry(30, 0.02).forward, source: 'parity', correction: 0, nUsed: 5, quality: 90 },
    ])
  })

  it('take the carry of the snapshot before, ahead of any neighbour', () => {
    const known = [{ root: 'XYZ', expiryDay: 20_030, carry: -0.05, sessionDay: 19_999 }]
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
  it('are the same number before and after being stored as JSON', () => {
    const carries = rememberCarries([expiry(30, 0.0123456789), expiry(60, null)], spot, 20_000, [])
    expect(carries).toEqual([{ root: 'XYZ', expiryDay: 20_030, carry: 0.01234568, sessionDay: 20_000 }])
    expect(JSON.parse(JSON.stringify(carries))).toEqual(carries)
  })

  it('stay as they were where today brings none', () => {
    const before = rememberCarries([expiry(30, 0.01), expiry(60, 0.02)], spot, 19_999, [])
    const after = rememberCarries([expiry(30, 0.03), expiry(60, null)], spot, 20_000, before)
    expect(after.map(({ expiryDay, carry, sessionDay }) => [expiryDay, carry, sessionDay])).toEqual([
      [20_030, 0.03, 20_000],
      [20_060, 0.02, 19_999],
    ])
  })
})
