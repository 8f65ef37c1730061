import { dayOf, weekdayOf } from './days.ts'

/**
 * NYSE holidays and early closes by rule (NYSE Rule 7.2), with the dated exceptions that no rule gives. Published lists:
 * NYSE Group, "2025, 2026 and 2027" (2024-11-08) and "2026, 2027 and 2028 Holiday and Early Closings Calendar" (2025-12-23).
 * US equity and index options keep the same days; eligible index and ETF options trade to 13:15 on an early close.
 */
export interface YearOfHolidays {
  /** Day numbers without a session. */
  readonly closed: ReadonlySet<number>
  /** Day numbers whose regular session ends at 13:00 New York. */
  readonly earlyClose: ReadonlySet<number>
}

/** Closures by presidential proclamation or force majeure since 2007. */
const unscheduledClosures: Readonly<Record<number, readonly number[]>> = {
  2007: [dayOf(2007, 1, 2)], // mourning of Gerald Ford
  2012: [dayOf(2012, 10, 29), dayOf(2012, 10, 30)], // hurricane Sandy
  2018: [dayOf(2018, 12, 5)], // mourning of George H. W. Bush
  2025: [dayOf(2025, 1, 9)], // mourning of Jimmy Carter
}

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
  const closed = new Set<number>([
    ...newYear(year),
    nthWeekday(year, 1, monday, 3), // Martin Luther King
    nthWeekday(year, 2, monday, 3), // Washington
    goodFriday(year),
    lastMondayOfMay(year), // Memorial Day
    observed(independence),
    nthWeekday(year, 9, monday, 1), // Labor Day
    thanksgiving,
    observed(christmas),
    ...(unscheduledClosures[year] ?? []),
  ])
  if (year >= 2022) closed.add(observed(dayOf(year, 6, 19))) // Juneteenth, an NYSE holiday since 2022
  const early = [thanksgiving + 1, independence - 1, christmas - 1]
  return { closed, earlyClose: new Set(early.filter((day) => !closed.has(day) && !isWeekend(day))) }
}

/** A Saturday holiday falls on the Friday before, a Sunday one on the Monday after. */
function observed(day: number): number {
  const weekday = weekdayOf(day)
  return weekday === saturday ? day - 1 : weekday === sunday ? day + 1 : day
}

/** New Year on a Saturday is not observed: the Friday before ends the accounting year (as in 2011, 2022 and 2028). */
function newYear(year: number): readonly number[] {
  const day = dayOf(year, 1, 1)
  return weekdayOf(day) === saturday ? [] : [observed(day)]
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
