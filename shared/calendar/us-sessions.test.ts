import { describe, expect, it } from 'vitest'
import { usUnscheduledClosures } from './data/us.ts'
import { dayOf, formatDay, parseDay, weekdayOf } from './days.ts'
import { usHolidays } from './holidays.ts'
import { usOptions } from './sessions.ts'

/** Full holidays, early closes, and sessions of the year, from the lists that `data/us.ts` names. */
const known: readonly (readonly [year: number, closed: string, early: string, sessions: number])[] = [
  [2007, '01-01 01-02 01-15 02-19 04-06 05-28 07-04 09-03 11-22 12-25', '07-03 11-23 12-24', 251],
  [2008, '01-01 01-21 02-18 03-21 05-26 07-04 09-01 11-27 12-25', '07-03 11-28 12-24', 253],
  [2009, '01-01 01-19 02-16 04-10 05-25 07-03 09-07 11-26 12-25', '11-27 12-24', 252],
  [2010, '01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24', '11-26', 252],
  [2011, '01-17 02-21 04-22 05-30 07-04 09-05 11-24 12-26', '11-25', 252],
  [2012, '01-02 01-16 02-20 04-06 05-28 07-04 09-03 10-29 10-30 11-22 12-25', '07-03 11-23 12-24', 250],
  [2013, '01-01 01-21 02-18 03-29 05-27 07-04 09-02 11-28 12-25', '07-03 11-29 12-24', 252],
  [2014, '01-01 01-20 02-17 04-18 05-26 07-04 09-01 11-27 12-25', '07-03 11-28 12-24', 252],
  [2015, '01-01 01-19 02-16 04-03 05-25 07-03 09-07 11-26 12-25', '11-27 12-24', 252],
  [2016, '01-01 01-18 02-15 03-25 05-30 07-04 09-05 11-24 12-26', '11-25', 252],
  [2017, '01-02 01-16 02-20 04-14 05-29 07-04 09-04 11-23 12-25', '07-03 11-24', 251],
  [2018, '01-01 01-15 02-19 03-30 05-28 07-04 09-03 11-22 12-05 12-25', '07-03 11-23 12-24', 251],
  [2019, '01-01 01-21 02-18 04-19 05-27 07-04 09-02 11-28 12-25', '07-03 11-29 12-24', 252],
  [2020, '01-01 01-20 02-17 04-10 05-25 07-03 09-07 11-26 12-25', '11-27 12-24', 253],
  [2021, '01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24', '11-26', 252],
  [2022, '01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26', '11-25', 251],
  [2023, '01-02 01-16 02-20 04-07 05-29 06-19 07-04 09-04 11-23 12-25', '07-03 11-24', 250],
  [2024, '01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25', '07-03 11-29 12-24', 252],
  [2025, '01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25', '07-03 11-28 12-24', 250],
  [2026, '01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25', '11-27 12-24', 251],
  [2027, '01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24', '11-26', 251],
  [2028, '01-17 02-21 04-14 05-29 06-19 07-04 09-04 11-23 12-25', '07-03 11-24', 251],
]

const dates = (days: ReadonlyMap<number, string>, year: number) =>
  [...days.keys()]
    .sort((a, b) => a - b)
    .map(formatDay)
    .join(' ')
    .replaceAll(`${year}-`, '')

const daysOf = (year: number) =>
  Array.from({ length: dayOf(year + 1, 1, 1) - dayOf(year, 1, 1) }, (_, i) => dayOf(year, 1, 1) + i)

const kindOn = (date: string) => usOptions.sessionOn(parseDay(date) ?? NaN)?.kind ?? null

const hours = (date: string) => {
  const session = usOptions.sessionOn(parseDay(date) ?? NaN)
  return session && [new Date(session.openMs).toISOString(), new Date(session.closeMs).toISOString()]
}

describe('US sessions', () => {
  it.each(known)('have the holidays, early closes and number of %i', (year, closed, early, sessions) => {
    const holidays = usHolidays(year)
    expect(dates(holidays.closed, year)).toBe(closed)
    expect(dates(holidays.earlyClose, year)).toBe(early)
    expect(daysOf(year).filter((day) => usOptions.isSessionDay(day))).toHaveLength(sessions)
    expect(
      daysOf(year)
        .filter((day) => usOptions.sessionOn(day)?.kind === 'early_close')
        .map(formatDay),
    ).toEqual(early.split(' ').map((date) => `${year}-${date}`))
  })

  it('are published from 2011 to 2028, by rule from 2007, a guess beyond', () => {
    const coverage = (year: number) => usOptions.coverage(year)
    expect([2006, 2007, 2010, 2011, 2028, 2029].map(coverage)).toEqual([
      'unpublished',
      'by_rule',
      'by_rule',
      'published',
      'published',
      'unpublished',
    ])
    expect(known.every(([year]) => usOptions.sourceOf(year) !== null)).toBe(true)
    expect(usOptions.sourceOf(2029)).toBeNull()
  })

  it('are none on weekends, holidays and days of mourning, and say why', () => {
    for (const { date, reason } of usUnscheduledClosures) {
      expect(kindOn(date)).toBeNull()
      expect(usOptions.closureOn(parseDay(date) ?? NaN)).toBe(reason)
    }
    expect(usOptions.closureOn(parseDay('2026-07-03') ?? NaN)).toBe('Independence Day (observed)')
    expect(usOptions.closureOn(parseDay('2026-06-20') ?? NaN)).toBeNull()
    for (const [year] of known) {
      for (const day of daysOf(year)) {
        const off = weekdayOf(day) % 6 === 0 || usHolidays(year).closed.has(day)
        expect(usOptions.sessionOn(day) === null).toBe(off)
      }
    }
  })

  it('keep 31 December open when New Year falls on a Saturday, and know no Juneteenth before 2022', () => {
    for (const date of ['2010-12-31', '2021-12-31', '2027-12-31']) expect(kindOn(date)).toBe('regular')
    expect(kindOn('2021-06-18')).toBe('regular')
    expect(kindOn('2009-07-02')).toBe('regular')
    expect(kindOn('2010-12-23')).toBe('regular')
  })

  it('open at 09:30 and close at 16:00 New York, 13:00 on an early close', () => {
    expect(hours('2026-06-22')).toEqual(['2026-06-22T13:30:00.000Z', '2026-06-22T20:00:00.000Z'])
    expect(hours('2026-11-27')).toEqual(['2026-11-27T14:30:00.000Z', '2026-11-27T18:00:00.000Z'])
    expect(hours('2008-07-03')).toEqual(['2008-07-03T13:30:00.000Z', '2008-07-03T17:00:00.000Z'])
    expect(hours('2026-06-19')).toBeNull()
    expect(hours('2026-06-20')).toBeNull()
  })
})
