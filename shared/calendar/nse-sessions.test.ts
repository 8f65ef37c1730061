import { describe, expect, it } from 'vitest'
import { nseHolidays2011 } from './data/nse-holidays-2011.ts'
import { nseHolidays2019 } from './data/nse-holidays-2019.ts'
import { nseSpecialSessions } from './data/nse-sessions.ts'
import { dayOf, parseDay, weekdayOf } from './days.ts'
import { calendarOf } from './sessions.ts'

/**
 * Weekday holidays and sessions, special ones included, of another compilation of the same circulars (exchange_calendars,
 * XBOM; 2026 from the circular itself). It has Muharram 2013 on 11-14, when NSE traded.
 */
const known: readonly (readonly [year: number, closed: string, sessions: number])[] = [
  [2011, '01-26 03-02 04-12 04-14 04-22 08-15 08-31 09-01 10-06 10-27 11-07 11-10 12-06', 247],
  [2012, '01-26 02-20 03-08 04-05 04-06 05-01 08-15 08-20 09-19 10-02 10-24 11-14 11-28 12-25', 248],
  [2013, '03-27 03-29 04-19 04-24 05-01 08-09 08-15 09-09 10-02 10-16 11-04 11-15 12-25', 248],
  [
    2014,
    '02-27 03-17 04-08 04-14 04-18 04-24 05-01 07-29 08-15 08-29 10-02 10-03 10-06 10-15 10-24 11-04 11-06 12-25',
    244,
  ],
  [2015, '01-26 02-17 03-06 04-02 04-03 04-14 05-01 09-17 09-25 10-02 10-22 11-12 11-25 12-25', 248],
  [2016, '01-26 03-07 03-24 03-25 04-14 04-15 04-19 07-06 08-15 09-05 09-13 10-11 10-12 10-31 11-14', 247],
  [2017, '01-26 02-24 03-13 04-04 04-14 05-01 06-26 08-15 08-25 10-02 10-20 12-25', 248],
  [2018, '01-26 02-13 03-02 03-29 03-30 05-01 08-15 08-22 09-13 09-20 10-02 10-18 11-08 11-23 12-25', 246],
  [2019, '03-04 03-21 04-17 04-19 04-29 05-01 06-05 08-12 08-15 09-02 09-10 10-02 10-08 10-21 10-28 11-12 12-25', 245],
  [2020, '02-21 03-10 04-02 04-06 04-10 04-14 05-01 05-25 10-02 11-16 11-30 12-25', 252],
  [2021, '01-26 03-11 03-29 04-02 04-14 04-21 05-13 07-21 08-19 09-10 10-15 11-05 11-19', 248],
  [2022, '01-26 03-01 03-18 04-14 04-15 05-03 08-09 08-15 08-31 10-05 10-26 11-08', 248],
  [2023, '01-26 03-07 03-30 04-04 04-07 04-14 05-01 06-29 08-15 09-19 10-02 10-24 11-14 11-27 12-25', 246],
  [2024, '01-22 01-26 03-08 03-25 03-29 04-11 04-17 05-01 05-20 06-17 07-17 08-15 10-02 11-15 11-20 12-25', 249],
  [2025, '02-26 03-14 03-31 04-10 04-14 04-18 05-01 08-15 08-27 10-02 10-22 11-05 12-25', 249],
  [2026, '01-15 01-26 03-03 03-26 03-31 04-03 04-14 05-01 05-28 06-26 09-14 10-02 10-20 11-10 11-24 12-25', 246],
]

const nse = calendarOf('Asia/Kolkata')
const years = [...nseHolidays2011, ...nseHolidays2019]
const day = (date: string) => parseDay(date) ?? NaN

const clock = (date: string) => {
  const session = nse.sessionOn(day(date))
  if (session === null) return null
  const inKolkata = (ms: number) => new Date(ms + 5.5 * 3_600_000).toISOString().slice(11, 16)
  return `${inKolkata(session.openMs)}-${inKolkata(session.closeMs)} ${session.kind}`
}

describe('NSE sessions', () => {
  it('are known year by year from 2011 to 2026', () => {
    expect(years.map(({ year }) => year)).toEqual(Array.from({ length: 16 }, (_, i) => 2011 + i))
    expect([2010, 2011, 2026, 2027].map((year) => nse.coverage(year))).toEqual([
      'unpublished',
      'published',
      'published',
      'unpublished',
    ])
  })

  it.each(known)('have the holidays and number of %i', (year, closed, sessions) => {
    const holidays = years.find((each) => each.year === year)?.closed.map(([monthDay]) => monthDay)
    expect(holidays?.join(' ')).toBe(closed)
    let count = 0
    for (let each = dayOf(year, 1, 1); each < dayOf(year + 1, 1, 1); each++) if (nse.isSessionDay(each)) count++
    expect(count).toBe(sessions)
  })

  it('have 12 to 18 holidays a year, each a weekday, in order, once', () => {
    for (const { year, closed } of years) {
      const days = closed.map(([monthDay]) => day(`${year}-${monthDay}`))
      expect(days.every((holiday) => weekdayOf(holiday) % 6 !== 0)).toBe(true)
      expect(days).toEqual([...new Set(days)].sort((a, b) => a - b))
      expect(closed.length).toBeGreaterThanOrEqual(12)
      expect(closed.length).toBeLessThanOrEqual(18)
    }
  })

  it('have the holidays that recur on the same date in every year', () => {
    const fixed = {
      '01-26': 'Republic Day',
      '05-01': 'Maharashtra Day',
      '10-02': 'Gandhi Jayanti',
      '12-25': 'Christmas',
    }
    for (const { year, closed } of years) {
      for (const [monthDay, name] of Object.entries(fixed)) {
        if (weekdayOf(day(`${year}-${monthDay}`)) % 6 === 0 || (year === 2011 && monthDay === '05-01')) continue
        expect(closed.find(([date]) => date === monthDay)?.[1], `${year}-${monthDay}`).toContain(name)
      }
    }
  })

  it('run 09:15-15:30 and not on holidays', () => {
    expect(clock('2026-08-19')).toBe('09:15-15:30 regular')
    expect(clock('2026-01-15')).toBeNull()
    expect(nse.closureOn(day('2026-01-15'))).toBe('Municipal elections')
    expect(clock('2026-08-15')).toBeNull()
    expect(clock('2013-11-14')).toBe('09:15-15:30 regular')
    expect(clock('2013-11-15')).toBeNull()
  })

  it('have Muhurat hours, tests and budget days on days that would be off', () => {
    expect(clock('2024-11-01')).toBe('18:00-19:00 special')
    expect(clock('2025-10-21')).toBe('13:45-14:45 special')
    expect(clock('2023-11-12')).toBe('18:15-19:15 special')
    expect(clock('2024-03-02')).toBe('09:15-12:30 special')
    for (const budget of ['2015-02-28', '2020-02-01', '2025-02-01', '2026-02-01']) {
      expect(clock(budget)).toBe('09:15-15:30 special')
    }
    expect(clock('2024-01-20')).toBe('09:15-15:30 special')
    expect(clock('2021-02-24')).toBe('09:15-17:00 special')
  })

  it('count no session that is announced without hours, and keep it in sight', () => {
    expect(nse.isSessionDay(day('2026-11-08'))).toBe(false)
    expect(nse.withoutHours.map(({ date }) => date)).toEqual(['2013-11-03', '2026-11-08'])
  })

  it('have a Muhurat session in every year, in order, none of them a holiday', () => {
    const muhurat = nseSpecialSessions.filter(({ reason }) => reason.startsWith('Muhurat'))
    expect(muhurat.map(({ date }) => Number(date.slice(0, 4)))).toEqual(years.map(({ year }) => year))
    expect(nseSpecialSessions.map(({ date }) => date)).toEqual(nseSpecialSessions.map(({ date }) => date).sort())
    for (const { date, open } of nseSpecialSessions) {
      expect(nse.closureOn(day(date))).toBeNull()
      expect(nse.isSessionDay(day(date))).toBe(open !== null)
    }
  })

  it('know weekends only in a year without data', () => {
    expect(nse.isSessionDay(dayOf(2027, 1, 26))).toBe(true)
    expect(nse.isSessionDay(dayOf(2027, 1, 23))).toBe(false)
  })
})
