import { describe, expect, it } from 'vitest'
import { formatDay, parseDay } from './days.ts'
import { usHolidays } from './holidays.ts'
import { calendarOf, sessionDate, usOptions } from './sessions.ts'
import { parseZonedTime } from './zones.ts'

const datesOf = (days: ReadonlySet<number>) => [...days].sort((a, b) => a - b).map(formatDay)
const newYork = (text: string) => sessionDate('America/New_York', parseZonedTime('America/New_York', text) ?? NaN)

const hours = (date: string) => {
  const session = usOptions.sessionOn(parseDay(date) ?? NaN)
  return session && [new Date(session.openMs).toISOString(), new Date(session.closeMs).toISOString()]
}

/** NYSE Group's published lists. */
const published: Record<number, { closed: string[]; early: string[] }> = {
  2024: {
    closed: ['01-01', '01-15', '02-19', '03-29', '05-27', '06-19', '07-04', '09-02', '11-28', '12-25'],
    early: ['07-03', '11-29', '12-24'],
  },
  2025: {
    closed: ['01-01', '01-09', '01-20', '02-17', '04-18', '05-26', '06-19', '07-04', '09-01', '11-27', '12-25'],
    early: ['07-03', '11-28', '12-24'],
  },
  2026: {
    closed: ['01-01', '01-19', '02-16', '04-03', '05-25', '06-19', '07-03', '09-07', '11-26', '12-25'],
    early: ['11-27', '12-24'],
  },
  2027: {
    closed: ['01-01', '01-18', '02-15', '03-26', '05-31', '06-18', '07-05', '09-06', '11-25', '12-24'],
    early: ['11-26'],
  },
  2028: {
    closed: ['01-17', '02-21', '04-14', '05-29', '06-19', '07-04', '09-04', '11-23', '12-25'],
    early: ['07-03', '11-24'],
  },
}

describe('US sessions', () => {
  it.each(Object.entries(published))('has the published holidays and early closes of %s', (year, { closed, early }) => {
    const holidays = usHolidays(Number(year))
    expect(datesOf(holidays.closed)).toEqual(closed.map((date) => `${year}-${date}`))
    expect(datesOf(holidays.earlyClose)).toEqual(early.map((date) => `${year}-${date}`))
    expect(usOptions.coverage(Number(year))).toBe('published')
  })

  it('has earlier published closures too', () => {
    expect(datesOf(usHolidays(2012).closed)).toContain('2012-10-29')
    expect(datesOf(usHolidays(2014).closed)).toEqual(
      ['01-01', '01-20', '02-17', '04-18', '05-26', '07-04', '09-01', '11-27', '12-25'].map((date) => `2014-${date}`),
    )
    expect(datesOf(usHolidays(2011).closed)).not.toContain('2010-12-31')
    expect(datesOf(usHolidays(2016).closed)).toContain('2016-12-26')
  })

  it('opens at 09:30 and closes at 16:00 New York, 13:00 on an early close', () => {
    expect(hours('2026-06-22')).toEqual(['2026-06-22T13:30:00.000Z', '2026-06-22T20:00:00.000Z'])
    expect(hours('2026-11-27')).toEqual(['2026-11-27T14:30:00.000Z', '2026-11-27T18:00:00.000Z'])
    expect(hours('2026-06-19')).toBeNull()
    expect(hours('2026-06-20')).toBeNull()
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
  })

  it('follows Kolkata and UTC by their own days', () => {
    expect(sessionDate('Asia/Kolkata', Date.UTC(2026, 5, 22, 3, 44, 59))).toBe('2026-06-19')
    expect(sessionDate('Asia/Kolkata', Date.UTC(2026, 5, 22, 3, 45))).toBe('2026-06-22')
    expect(sessionDate('UTC', Date.UTC(2026, 5, 21, 0, 0, 1))).toBe('2026-06-21')
    expect(calendarOf('Asia/Kolkata').coverage(2026)).toBe('unpublished')
  })
})
