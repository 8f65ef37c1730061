import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { civilDateOf, dayOf, formatDay, isCivilDate, parseDay, weekdayOf } from './days.ts'

describe('civil days', () => {
  it('counts from 1970-01-01, a Thursday', () => {
    expect(dayOf(1970, 1, 1)).toBe(0)
    expect(weekdayOf(0)).toBe(4)
    expect(parseDay('2026-06-22')).toBe(20626)
    expect(weekdayOf(20626)).toBe(1)
    expect(formatDay(-1)).toBe('1969-12-31')
  })

  it('agrees with Date over four centuries', () => {
    fc.assert(
      fc.property(fc.integer({ min: -50_000, max: 100_000 }), (day) => {
        const date = new Date(day * 86_400_000)
        expect(civilDateOf(day)).toEqual({
          year: date.getUTCFullYear(),
          month: date.getUTCMonth() + 1,
          day: date.getUTCDate(),
        })
        expect(weekdayOf(day)).toBe(date.getUTCDay())
        expect(parseDay(formatDay(day))).toBe(day)
      }),
    )
  })

  it('refuses what is not a date of the calendar', () => {
    const bad = [
      '2026-02-29',
      '2026-13-01',
      '2026-00-10',
      '2026-6-22',
      '2026-06-31',
      '20260622',
      '2026-06-22 ',
      '',
      'x',
    ]
    expect(bad.filter((text) => parseDay(text) !== null)).toEqual([])
    expect(parseDay('2028-02-29')).toBe(dayOf(2028, 2, 29))
    expect(isCivilDate(2100, 2, 29)).toBe(false)
    expect(isCivilDate(2026, 6, 22.5)).toBe(false)
    expect(isCivilDate(NaN, 6, 22)).toBe(false)
  })
})
