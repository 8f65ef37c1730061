import { civilDateOf, formatDay } from './days.ts'
import { isWeekend, usHolidays } from './holidays.ts'
import { civilDayOf, instantOnDay, type Zone } from './zones.ts'

/** Regular trading hours of one day; instants are epoch ms. */
interface Session {
  readonly day: number
  readonly openMs: number
  readonly closeMs: number
  readonly earlyClose: boolean
}

/** How a year is known: from the exchange's own list, computed from its rules, or not at all (weekends only). */
type Coverage = 'published' | 'by_rule' | 'unpublished'

export interface SessionCalendar {
  readonly zone: Zone
  coverage(year: number): Coverage
  isSessionDay(day: number): boolean
  /** Null on a day without a session. */
  sessionOn(day: number): Session | null
}

interface Hours {
  readonly openS: number
  readonly closeS: number
  readonly earlyCloseS: number
}

function createCalendar(
  zone: Zone,
  hours: Hours,
  rules: { coverage(year: number): Coverage; isClosed(day: number): boolean; isEarlyClose(day: number): boolean },
): SessionCalendar {
  return {
    zone,
    coverage: (year) => rules.coverage(year),
    isSessionDay: (day) => !rules.isClosed(day),
    sessionOn(day) {
      if (rules.isClosed(day)) return null
      const earlyClose = rules.isEarlyClose(day)
      return {
        day,
        openMs: instantOnDay(zone, day, hours.openS),
        closeMs: instantOnDay(zone, day, earlyClose ? hours.earlyCloseS : hours.closeS),
        earlyClose,
      }
    },
  }
}

const hour = 3600
const minute = 60

/** US equity and index options: 09:30-16:00 New York, 13:00 on early closes. Some ETFs and indices trade to 16:15; sessions do not. */
export const usOptions: SessionCalendar = createCalendar(
  'America/New_York',
  { openS: 9 * hour + 30 * minute, closeS: 16 * hour, earlyCloseS: 13 * hour },
  {
    // Checked against NYSE's published lists for 2024-2028; other years follow the same rules unchecked.
    coverage: (year) => (year >= 2024 && year <= 2028 ? 'published' : year >= 2007 ? 'by_rule' : 'unpublished'),
    isClosed: (day) => isWeekend(day) || usHolidays(civilDateOf(day).year).closed.has(day),
    isEarlyClose: (day) => usHolidays(civilDateOf(day).year).earlyClose.has(day),
  },
)

/** NSE: 09:15-15:30 Kolkata on weekdays. Its holidays follow no rule and are data not at hand, so every year is unpublished. */
const nseOptions: SessionCalendar = createCalendar(
  'Asia/Kolkata',
  { openS: 9 * hour + 15 * minute, closeS: 15 * hour + 30 * minute, earlyCloseS: 15 * hour + 30 * minute },
  { coverage: () => 'unpublished', isClosed: isWeekend, isEarlyClose: () => false },
)

/** Venues that never close (Deribit): a session is a UTC day. */
const alwaysOpen: SessionCalendar = createCalendar(
  'UTC',
  { openS: 0, closeS: 24 * hour, earlyCloseS: 24 * hour },
  { coverage: () => 'by_rule', isClosed: () => false, isEarlyClose: () => false },
)

const calendars: Readonly<Record<Zone, SessionCalendar>> = {
  'America/New_York': usOptions,
  'Asia/Kolkata': nseOptions,
  UTC: alwaysOpen,
}

export function calendarOf(zone: Zone): SessionCalendar {
  return calendars[zone]
}

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
