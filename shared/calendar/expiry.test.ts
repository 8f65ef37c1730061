import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dayOf, parseDay } from './days.ts'
import { expiryInstantS } from './expiry.ts'
import { calendarOf, usOptions } from './sessions.ts'
import { civilOf, instantOnDay, type Zone } from './zones.ts'
import { sizedTest } from '../../tests/support/size.ts'

const expiryS = (root: string, date: string, zone: Zone = 'America/New_York', underlying = root) =>
  expiryInstantS({ root, underlying, expiryDay: parseDay(date) ?? NaN, zone })

const expiry = (...spec: Parameters<typeof expiryS>) => new Date(expiryS(...spec) * 1000).toISOString()

describe('the instant of expiry', () => {
  it('is 16:00 New York for equity and ETF options, in summer and winter', () => {
    expect(expiry('IWM', '2026-06-22')).toBe('2026-06-22T20:00:00.000Z')
    expect(expiry('AAPL', '2027-01-15')).toBe('2027-01-15T21:00:00.000Z')
  })

  it('is the open for AM-settled roots and the close for their PM siblings', () => {
    expect(expiry('SPX', '2026-07-17')).toBe('2026-07-17T13:30:00.000Z')
    expect(expiry('SPXW', '2026-07-17', 'America/New_York', 'SPX')).toBe('2026-07-17T20:00:00.000Z')
    expect(expiry('VIX', '2026-07-22')).toBe('2026-07-22T13:30:00.000Z')
    expect(expiry('NDX', '2026-07-17')).toBe('2026-07-17T13:30:00.000Z')
    expect(expiry('XSP', '2026-07-17')).toBe('2026-07-17T20:00:00.000Z')
    expect(expiry('MXEA', '2026-07-17')).toBe('2026-07-17T20:00:00.000Z')
    expect(expiry('CBTX', '2026-07-17')).toBe('2026-07-17T13:30:00.000Z')
    expect(expiry('CBTXW', '2026-07-31', 'America/New_York', 'CBTX')).toBe('2026-07-31T20:00:00.000Z')
  })

  it('is 13:00 on an early close', () => {
    expect(expiry('SPY', '2026-11-27')).toBe('2026-11-27T18:00:00.000Z')
    expect(expiry('SPY', '2026-12-24')).toBe('2026-12-24T18:00:00.000Z')
    expect(expiry('SPXW', '2027-11-26', 'America/New_York', 'SPX')).toBe('2027-11-26T18:00:00.000Z')
  })

  it('is the session before for one dated on a day without a session', () => {
    expect(expiry('IBM', '2014-06-21')).toBe('2014-06-20T20:00:00.000Z')
    expect(expiry('IWM', '2026-06-19')).toBe('2026-06-18T20:00:00.000Z')
    expect(expiry('SPX', '2008-03-22')).toBe('2008-03-20T13:30:00.000Z')
    expect(expiry('SPXW', '2025-01-09', 'America/New_York', 'SPX')).toBe('2025-01-08T21:00:00.000Z')
  })

  it('is where the exchange moved it to', () => {
    expect(expiry('VIXW', '2018-12-05', 'America/New_York', 'VIX')).toBe('2018-12-06T14:30:00.000Z')
    expect(expiry('SPXW', '2018-12-05', 'America/New_York', 'SPX')).toBe('2018-12-04T21:00:00.000Z')
  })

  it('is 15:30 in Kolkata, of the session before on a holiday, a Muhurat evening or a test Saturday', () => {
    expect(expiry('NIFTY', '2026-08-18', 'Asia/Kolkata')).toBe('2026-08-18T10:00:00.000Z')
    expect(expiry('NIFTY', '2026-01-15', 'Asia/Kolkata')).toBe('2026-01-14T10:00:00.000Z')
    // Listed for the 29th; the holiday was moved to it in June 2023.
    expect(expiry('BANKNIFTY', '2023-06-29', 'Asia/Kolkata')).toBe('2023-06-28T10:00:00.000Z')
    expect(expiry('NIFTY', '2025-10-21', 'Asia/Kolkata')).toBe('2025-10-20T10:00:00.000Z')
    expect(expiry('NIFTY', '2024-03-02', 'Asia/Kolkata')).toBe('2024-03-01T10:00:00.000Z')
    expect(expiry('NIFTY', '2026-02-01', 'Asia/Kolkata')).toBe('2026-02-01T10:00:00.000Z')
  })

  it('is 08:00 UTC for Deribit, weekends included', () => {
    expect(expiry('BTC', '2026-03-28', 'UTC')).toBe('2026-03-28T08:00:00.000Z')
    expect(expiry('BTC', '2026-12-25', 'UTC')).toBe('2026-12-25T08:00:00.000Z')
  })
})

describe('the time to expiry', () => {
  const zones = ['America/New_York', 'Asia/Kolkata', 'UTC'] as const
  const anyDay = fc.integer({ min: dayOf(2011, 1, 1), max: dayOf(2026, 12, 31) })

  it('is positive through the last session and over at its second, on any day of any market', () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), anyDay, fc.constantFrom('SPY', 'SPX', 'VIX'), (zone, expiryDay, root) => {
        const atS = expiryInstantS({ root, underlying: root, expiryDay, zone })
        const calendar = calendarOf(zone)
        const { year, month, day } = civilOf(zone, atS * 1000)
        const session = calendar.sessionOn(dayOf(year, month, day))
        expect(session).not.toBeNull()
        expect(Number.isInteger(atS)).toBe(true)
        // One day later at most, where the exchange moved it.
        const moved = expiryDay === parseDay('2018-12-05') && root === 'VIX' ? 1 : 0
        expect(dayOf(year, month, day)).toBeLessThanOrEqual(expiryDay + moved)
        expect(atS * 1000).toBeLessThanOrEqual(session?.closeMs ?? NaN)
        expect(atS * 1000).toBeGreaterThanOrEqual(session?.openMs ?? NaN)
      }),
      { numRuns: sizedTest(500, 2_000) },
    )
  })

  it('is exact to the second on the last day', () => {
    const day = parseDay('2026-11-27') ?? NaN
    const atS = expiryS('SPXW', '2026-11-27', 'America/New_York', 'SPX')
    const secondsLeft = (secondsOfDay: number) => atS - instantOnDay('America/New_York', day, secondsOfDay) / 1000
    expect(secondsLeft(9.5 * 3600)).toBe(3.5 * 3600)
    expect(secondsLeft(13 * 3600 - 1)).toBe(1)
    expect(secondsLeft(13 * 3600)).toBe(0)
    expect(secondsLeft(16 * 3600)).toBe(-3 * 3600)
  })

  it('loses or gains the hour when daylight saving changes between', () => {
    const noonFriday = (date: string) => instantOnDay('America/New_York', parseDay(date) ?? NaN, 12 * 3600) / 1000
    const daysLeft = (from: string, to: string) => (expiryS('SPY', to) - noonFriday(from)) / 3600 - 4
    expect(daysLeft('2026-03-06', '2026-03-09')).toBe(71)
    expect(daysLeft('2026-10-30', '2026-11-02')).toBe(73)
    expect(daysLeft('2026-03-13', '2026-03-16')).toBe(72)
  })

  it('ends with the session on every early close from 2007 to 2028', () => {
    let earlyCloses = 0
    for (let day = dayOf(2007, 1, 1); day <= dayOf(2028, 12, 31); day++) {
      const session = usOptions.sessionOn(day)
      if (session?.kind !== 'early_close') continue
      earlyCloses++
      const atS = expiryInstantS({ root: 'SPY', underlying: 'SPY', expiryDay: day, zone: 'America/New_York' })
      expect(atS * 1000).toBe(session.closeMs)
      expect(civilOf('America/New_York', atS * 1000).hour).toBe(13)
    }
    expect(earlyCloses).toBe(47)
  })
})
