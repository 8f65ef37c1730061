import { nseHolidays2011 } from './data/nse-holidays-2011.ts'
import { nseHolidays2019 } from './data/nse-holidays-2019.ts'
import { nseSpecialSessions } from './data/nse-sessions.ts'
import { usYears } from './data/us.ts'
import { civilDateOf, dayAtStart, formatDay } from './days.ts'
import { isWeekend, usHolidays } from './holidays.ts'
import { createCalendar, type Market, markets, type SessionCalendar } from './session-calendar.ts'
import { civilDayOf, type Zone } from './zones.ts'

const hour = 3600
const minute = 60

const usYearSources = new Map(usYears.map((source) => [source.year, source]))

/** US equity and index options: 09:30-16:00 New York, 13:00 on early closes. Some ETFs and indices trade to 16:15; sessions do not. */
export const usOptions: SessionCalendar = createCalendar({
  market: 'us',
  zone: 'America/New_York',
  openS: 9 * hour + 30 * minute,
  closeS: 16 * hour,
  years: (year) => usYearSources.get(year),
  specialSessions: [],
  isDayOff: isWeekend,
  closureOn: (day) => usHolidays(civilDateOf(day).year).closed.get(day) ?? null,
  earlyCloseOn(day) {
    const reason = usHolidays(civilDateOf(day).year).earlyClose.get(day)
    return reason === undefined ? null : { closeS: 13 * hour, reason }
  },
})

const nseYears = new Map([...nseHolidays2011, ...nseHolidays2019].map((year) => [year.year, year]))
const nseClosed: ReadonlyMap<number, string> = new Map(
  [...nseYears.values()].flatMap(({ year, closed }) =>
    closed.map(([monthDay, reason]) => [dayAtStart(`${year}-${monthDay}`) ?? NaN, reason] as const),
  ),
)

/** NSE's F&O segment: 09:15-15:30 Kolkata. Its holidays follow no rule: years without data know weekends only. */
const nseOptions: SessionCalendar = createCalendar({
  market: 'nse',
  zone: 'Asia/Kolkata',
  openS: 9 * hour + 15 * minute,
  closeS: 15 * hour + 30 * minute,
  years(year) {
    const source = nseYears.get(year)?.source
    return source === undefined ? undefined : { year, coverage: 'published', source }
  },
  specialSessions: nseSpecialSessions,
  isDayOff: isWeekend,
  closureOn: (day) => nseClosed.get(day) ?? null,
  earlyCloseOn: () => null,
})

/** Venues that never close (Deribit): a session is a UTC day. */
const alwaysOpen: SessionCalendar = createCalendar({
  market: 'deribit',
  zone: 'UTC',
  openS: 0,
  closeS: 24 * hour,
  years: (year) => ({
    year,
    coverage: 'by_rule',
    source: 'Deribit documentation: open at all hours, expiries at 08:00 UTC',
  }),
  specialSessions: [],
  isDayOff: () => false,
  closureOn: () => null,
  earlyCloseOn: () => null,
})

const calendars: Readonly<Record<Zone, SessionCalendar>> = {
  'America/New_York': usOptions,
  'Asia/Kolkata': nseOptions,
  UTC: alwaysOpen,
}

export function calendarOf(zone: Zone): SessionCalendar {
  return calendars[zone]
}

/** In the order of `markets`. */
export const calendarOfMarket: Readonly<Record<Market, SessionCalendar>> = Object.fromEntries(
  markets.map((market) => [market, Object.values(calendars).find((calendar) => calendar.market === market)]),
) as Record<Market, SessionCalendar>

/** The last session day on or before `day`. */
export function sessionDayOnOrBefore(calendar: SessionCalendar, day: number): number {
  let candidate = day
  while (!calendar.isSessionDay(candidate)) candidate--
  return candidate
}

/**
 * Returns the day of the session an instant belongs to: the latest one that has opened. So an evening belongs to its day,
 * and a Saturday, a holiday or the time before the open (09:30 New York, 09:15 Kolkata) to the session before, whose
 * figures a provider still shows then.
 */
function sessionDay(zone: Zone, epochMs: number): number {
  const calendar = calendars[zone]
  const today = civilDayOf(zone, epochMs)
  const session = calendar.sessionOn(today)
  return session && epochMs >= session.openMs ? today : sessionDayOnOrBefore(calendar, today - 1)
}

/** `sessionDay` as `YYYY-MM-DD`. */
export function sessionDate(zone: Zone, epochMs: number): string {
  return formatDay(sessionDay(zone, epochMs))
}
