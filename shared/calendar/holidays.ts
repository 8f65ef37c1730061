import { usUnscheduledClosures } from './data/us.ts'
import { dayAtStart, dayOf, formatDay, weekdayOf } from './days.ts'

/**
 * NYSE holidays and early closes by rule (NYSE Rule 7.2), with the dated exceptions of `data/us.ts`. US equity and index
 * options keep the same days; eligible index and ETF options trade to 13:15 on an early close.
 */
interface YearOfHolidays {
  /** Day numbers without a session, and why. */
  readonly closed: ReadonlyMap<number, string>
  /** Day numbers whose regular session ends at 13:00 New York, and why. */
  readonly earlyClose: ReadonlyMap<number, string>
}

const unscheduled: ReadonlyMap<number, string> = new Map(
  usUnscheduledClosures.map(({ date, reason }) => [dayAtStart(date) ?? NaN, reason]),
)

const sunday = 0
const monday = 1
const thursday = 4
const friday = 5
const saturday = 6

const years = new Map<number, YearOfHolidays>()

export function usHolidays(year: number): YearOfHolidays {
  let holidays = years.get(year)
  if (!holidays) {
    holidays = computeYear(year)
    if (years.size >= 1000) years.clear()
    years.set(year, holidays)
  }
  return holidays
}

function computeYear(year: number): YearOfHolidays {
  const thanksgiving = nthWeekday(year, 11, thursday, 4)
  const independence = dayOf(year, 7, 4)
  const christmas = dayOf(year, 12, 25)
  const closed = new Map<number, string>([
    ...newYear(year),
    [nthWeekday(year, 1, monday, 3), 'Martin Luther King, Jr. Day'],
    [nthWeekday(year, 2, monday, 3), 'Washington’s Birthday'],
    [goodFriday(year), 'Good Friday'],
    [lastMondayOfMay(year), 'Memorial Day'],
    // An NYSE holiday since 2022.
    ...(year >= 2022 ? [observed(dayOf(year, 6, 19), 'Juneteenth')] : []),
    observed(independence, 'Independence Day'),
    [nthWeekday(year, 9, monday, 1), 'Labor Day'],
    [thanksgiving, 'Thanksgiving Day'],
    observed(christmas, 'Christmas Day'),
    ...[...unscheduled].filter(([day]) => formatDay(day).startsWith(`${year}-`)),
  ])
  const early: readonly (readonly [number, string])[] = [
    [independence - 1, 'Day before Independence Day'],
    [thanksgiving + 1, 'Day after Thanksgiving'],
    [christmas - 1, 'Christmas Eve'],
  ]
  return { closed, earlyClose: new Map(early.filter(([day]) => !closed.has(day) && !isWeekend(day))) }
}

/** A Saturday holiday falls on the Friday before, a Sunday one on the Monday after. */
function observed(day: number, reason: string): readonly [number, string] {
  const weekday = weekdayOf(day)
  if (weekday === saturday) return [day - 1, `${reason} (observed)`]
  return weekday === sunday ? [day + 1, `${reason} (observed)`] : [day, reason]
}

/** New Year on a Saturday is not observed: the Friday before ends the accounting year (as in 2011, 2022 and 2028). */
function newYear(year: number): readonly (readonly [number, string])[] {
  const day = dayOf(year, 1, 1)
  return weekdayOf(day) === saturday ? [] : [observed(day, 'New Year’s Day')]
}

function nthWeekday(year: number, month: number, weekday: number, nth: number): number {
  const first = dayOf(year, month, 1)
  return first + ((weekday - weekdayOf(first) + 7) % 7) + (nth - 1) * 7
}

function lastMondayOfMay(year: number): number {
  const last = dayOf(year, 5, 31)
  return last - ((weekdayOf(last) - monday + 7) % 7)
}

/** Two days before Easter (Meeus, Astronomical Algorithms, chapter 8: Gregorian Easter). */
function goodFriday(year: number): number {
  const a = year % 19
  const b = Math.floor(year / 100)
  const c = year % 100
  const d = Math.floor(b / 4)
  const f = Math.floor((b + 8) / 25)
  const g = Math.floor((b - f + 1) / 3)
  const h = (19 * a + b - d - g + 15) % 30
  const i = Math.floor(c / 4)
  const l = (32 + 2 * (b % 4) + 2 * i - h - (c % 4)) % 7
  const m = Math.floor((a + 11 * h + 22 * l) / 451)
  const month = Math.floor((h + l - 7 * m + 114) / 31)
  const day = ((h + l - 7 * m + 114) % 31) + 1
  return dayOf(year, month, day) - 2
}

export function isWeekend(day: number): boolean {
  const weekday = weekdayOf(day)
  return weekday > friday || weekday === sunday
}
