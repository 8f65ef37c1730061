import { describe, expect, it } from 'vitest'
import { nseHolidays2011 } from './data/nse-holidays-2011.ts'
import { nseHolidays2019 } from './data/nse-holidays-2019.ts'
import { nseSpecialSessions } from './data/nse-sessions.ts'
import { dayOf, parseDay, weekdayOf } from './days.ts'
import { calendarOf } from './sessions.ts'

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
