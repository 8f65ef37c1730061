import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dayOf, formatDay, weekdayOf } from './days.ts'
import { coverageOn, markets } from './session-calendar.ts'
import { calendarOf, calendarOfMarket, sessionDate, sessionDayOnOrBefore, usOptions } from './sessions.ts'
import { civilOf, parseZonedTime, zones } from './zones.ts'
import { sizedTest } from '../../tests/support/size.ts'

const newYork = (text: string) => sessionDate('America/New_York', parseZonedTime('America/New_York', text) ?? NaN)

/** Every day from 2007 to 2028. */
const anyDay = fc.integer({ min: dayOf(2007, 1, 1), max: dayOf(2028, 12, 31) })

describe('sessions of any market', () => {
  it('open and close on the wall clock of their own day, also across changes of daylight saving', () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones.filter((zone) => zone !== 'UTC')), anyDay, (zone, day) => {
        const session = calendarOf(zone).sessionOn(day)
        if (session === null || session.kind === 'special') return
        const [open, close] = [civilOf(zone, session.openMs), civilOf(zone, session.closeMs)]
        const isUs = zone === 'America/New_York'
        const closeHour = isUs ? (session.kind === 'early_close' ? 13 : 16) : 15
        expect([open.hour, open.minute]).toEqual(isUs ? [9, 30] : [9, 15])
        expect([close.hour, close.minute]).toEqual([closeHour, isUs ? 0 : 30])
        expect(dayOf(open.year, open.month, open.day)).toBe(day)
        expect(dayOf(close.year, close.month, close.day)).toBe(day)
        // Both changes of the US fall on a Sunday, so no session is longer or shorter for them.
        expect(session.closeMs - session.openMs).toBe((isUs ? (closeHour === 13 ? 3.5 : 6.5) : 6.25) * 3_600_000)
      }),
      { numRuns: sizedTest(200, 2_000) },
    )
  })

  it('move by an hour of UTC over each change of daylight saving from 2007 to 2028', () => {
    for (let year = 2007; year <= 2028; year++) {
      const secondSunday = sundayOf(year, 3, 2)
      const firstSunday = sundayOf(year, 11, 1)
      const utcHour = (day: number) =>
        new Date(usOptions.sessionOn(sessionDayOnOrBefore(usOptions, day))?.openMs ?? NaN).getUTCHours()
      expect([utcHour(secondSunday - 1), utcHour(secondSunday + 3)]).toEqual([14, 13])
      expect([utcHour(firstSunday - 1), utcHour(firstSunday + 3)]).toEqual([13, 14])
    }
  })

  it('follow one another without overlap', () => {
    for (const market of markets) {
      const calendar = calendarOfMarket[market]
      let lastCloseMs = -Infinity
      for (let day = dayOf(2007, 1, 1); day <= dayOf(2028, 12, 31); day++) {
        const session = calendar.sessionOn(day)
        expect(session !== null).toBe(calendar.isSessionDay(day))
        if (session === null) continue
        expect(session.openMs).toBeGreaterThanOrEqual(lastCloseMs)
        expect(session.closeMs).toBeGreaterThan(session.openMs)
        expect(calendar.closureOn(day)).toBeNull()
        lastCloseMs = session.closeMs
      }
    }
  })

  it('say how the year of a day is known', () => {
    expect(coverageOn(usOptions, dayOf(2028, 12, 31))).toBe('published')
    expect(coverageOn(usOptions, dayOf(2029, 1, 1))).toBe('unpublished')
    expect(coverageOn(calendarOfMarket.deribit, dayOf(2040, 1, 1))).toBe('by_rule')
  })

  it('fill every UTC day of a venue that never closes', () => {
    const session = calendarOfMarket.deribit.sessionOn(dayOf(2026, 12, 25))
    expect([session?.openMs, session?.closeMs]).toEqual([Date.UTC(2026, 11, 25), Date.UTC(2026, 11, 26)])
  })
})

describe('the session date of an instant', () => {
  it('is the day itself from the open until midnight', () => {
    expect(newYork('2026-06-22 09:30:00')).toBe('2026-06-22')
    expect(newYork('2026-06-22 16:22:47')).toBe('2026-06-22')
    expect(newYork('2026-06-22 23:59:59')).toBe('2026-06-22')
  })

  it('is the session before, before the open, on a weekend and on a holiday', () => {
    expect(newYork('2026-06-23 00:00:01')).toBe('2026-06-22')
    expect(newYork('2026-06-22 09:29:59')).toBe('2026-06-18')
    expect(newYork('2026-06-19 10:35:23')).toBe('2026-06-18')
    expect(newYork('2026-06-20 12:00:00')).toBe('2026-06-18')
    expect(newYork('2027-01-02 12:00:00')).toBe('2026-12-31')
    expect(newYork('2025-01-09 12:00:00')).toBe('2025-01-08')
  })

  it('follows Kolkata and UTC by their own days', () => {
    expect(sessionDate('Asia/Kolkata', Date.UTC(2026, 5, 22, 3, 44, 59))).toBe('2026-06-19')
    expect(sessionDate('Asia/Kolkata', Date.UTC(2026, 5, 22, 3, 45))).toBe('2026-06-22')
    expect(sessionDate('Asia/Kolkata', Date.UTC(2026, 0, 15, 8))).toBe('2026-01-14')
    expect(sessionDate('Asia/Kolkata', Date.UTC(2024, 10, 1, 12, 29, 59))).toBe('2024-10-31')
    expect(sessionDate('Asia/Kolkata', Date.UTC(2024, 10, 1, 12, 30))).toBe('2024-11-01')
    expect(sessionDate('UTC', Date.UTC(2026, 5, 21, 0, 0, 1))).toBe('2026-06-21')
  })

  it('never goes back as time goes on, and is a session day not after the civil day', () => {
    const anyMs = fc.integer({ min: Date.UTC(2007, 1), max: Date.UTC(2028, 11, 31) })
    fc.assert(
      fc.property(fc.constantFrom(...zones), anyMs, fc.integer({ min: 0, max: 14 * 86_400_000 }), (zone, ms, later) => {
        const date = sessionDate(zone, ms)
        expect(sessionDate(zone, ms + later) >= date).toBe(true)
        const { year, month, day } = civilOf(zone, ms)
        expect(date <= formatDay(dayOf(year, month, day))).toBe(true)
        expect(calendarOf(zone).isSessionDay(Math.round(Date.parse(date) / 86_400_000))).toBe(true)
      }),
      { numRuns: sizedTest(200, 2_000) },
    )
  })
})

function sundayOf(year: number, month: number, nth: number): number {
  const first = dayOf(year, month, 1)
  return first + ((7 - weekdayOf(first)) % 7) + (nth - 1) * 7
}
