import type { Coverage } from '../../../shared/calendar/data/facts.ts'
import { civilDateOf, dayOf, formatDay, parseDay } from '../../../shared/calendar/days.ts'
import type { Market, Session, SessionCalendar } from '../../../shared/calendar/session-calendar.ts'
import { calendarOfMarket } from '../../../shared/calendar/sessions.ts'
import { civilOf, type Zone } from '../../../shared/calendar/zones.ts'

/** One day that differs from an ordinary one. */
export interface DayReport {
  readonly date: string
  readonly kind: 'closed' | 'early_close' | 'special' | 'without_hours'
  /** Wall clock of the market, HH:MM-HH:MM; null when closed or not known. */
  readonly hours: string | null
  readonly reason: string
}

export interface YearReport {
  readonly year: number
  readonly coverage: Coverage
  /** Null for an unpublished year: there it would be a guess. */
  readonly sessions: number | null
  readonly closed: number
  readonly earlyCloses: number
  readonly specialSessions: number
  readonly source: string | null
  readonly days: readonly DayReport[]
}

export interface MarketReport {
  readonly market: Market
  readonly zone: Zone
  readonly years: readonly YearReport[]
}

export interface Warning {
  readonly market: Market
  /** True when it makes the check fail. */
  readonly inUse: boolean
  readonly message: string
}

export interface CalendarReport {
  readonly asOf: string
  /** The last day that has to be known. */
  readonly horizon: string
  readonly ok: boolean
  readonly warnings: readonly Warning[]
  readonly markets: readonly MarketReport[]
}

export interface CheckOptions {
  /** Days since 1970-01-01. */
  readonly today: number
  readonly shown: readonly Market[]
  /** Markets that the check answers for. */
  readonly inUse: readonly Market[]
  /** Null for all years with a source, this one and the next. */
  readonly year: number | null
}

const horizonDays = 30
const firstYear = 2007

/** How far each market's sessions are known, and whether that is far enough. */
export function checkCalendars({ today, shown, inUse, year }: CheckOptions): CalendarReport {
  const horizon = today + horizonDays
  const warnings = [...new Set([...shown, ...inUse])].flatMap((market) =>
    warningsOf(calendarOfMarket[market], today, horizon).map((message) => ({
      market,
      inUse: inUse.includes(market),
      message,
    })),
  )
  return {
    asOf: formatDay(today),
    horizon: formatDay(horizon),
    ok: !warnings.some((warning) => warning.inUse),
    warnings,
    markets: shown.map((market) => {
      const calendar = calendarOfMarket[market]
      const years = year === null ? yearsWorthShowing(calendar, civilDateOf(today).year) : [year]
      return { market, zone: calendar.zone, years: years.map((each) => reportYear(calendar, each)) }
    }),
  }
}

function warningsOf(calendar: SessionCalendar, today: number, horizon: number): readonly string[] {
  const warnings: string[] = []
  const thisYear = civilDateOf(today).year
  for (let year = thisYear; year <= civilDateOf(horizon).year; year++) {
    if (calendar.coverage(year) !== 'unpublished') continue
    const when = year === thisYear ? `${year}` : `${year}, in ${dayOf(year, 1, 1) - today} days,`
    warnings.push(
      `${when} is unpublished: its sessions are a guess, what rests on them is flagged and nothing is counted as missing. ` +
        `Add the exchange's list to shared/calendar/data (docs/calendar.md says how), or update strikeflow.`,
    )
  }
  for (const { date, reason } of calendar.withoutHours) {
    const day = parseDay(date) ?? NaN
    if (day < today || day > horizon) continue
    warnings.push(
      `the hours of ${date}, ${reason}, are not known: no session is counted that day. Add them to shared/calendar/data.`,
    )
  }
  return warnings
}

/** A market that keeps the same hours in every year needs no list of years. */
function yearsWorthShowing(calendar: SessionCalendar, thisYear: number): readonly number[] {
  if (calendar.sourceOf(firstYear - 1) !== null) return [thisYear]
  const years: number[] = []
  for (let year = firstYear; year <= thisYear + 10; year++) {
    if (calendar.sourceOf(year) !== null || year === thisYear || year === thisYear + 1) years.push(year)
  }
  return years
}

function reportYear(calendar: SessionCalendar, year: number): YearReport {
  const days: DayReport[] = []
  let sessions = 0
  for (let day = dayOf(year, 1, 1); day < dayOf(year + 1, 1, 1); day++) {
    const session = calendar.sessionOn(day)
    if (session !== null) sessions++
    const unusual = unusualDay(calendar, day, session)
    if (unusual !== null) days.push(unusual)
  }
  const coverage = calendar.coverage(year)
  const count = (kind: DayReport['kind']): number => days.filter((day) => day.kind === kind).length
  return {
    year,
    coverage,
    sessions: coverage === 'unpublished' ? null : sessions,
    closed: count('closed'),
    earlyCloses: count('early_close'),
    specialSessions: count('special') + count('without_hours'),
    source: calendar.sourceOf(year),
    days,
  }
}

function unusualDay(calendar: SessionCalendar, day: number, session: Session | null): DayReport | null {
  const date = formatDay(day)
  const withoutHours = calendar.withoutHours.find((special) => special.date === date)
  if (withoutHours !== undefined) return { date, kind: 'without_hours', hours: null, reason: withoutHours.reason }
  if (session === null) {
    const reason = calendar.closureOn(day)
    return reason === null ? null : { date, kind: 'closed', hours: null, reason }
  }
  if (session.kind === 'regular') return null
  return { date, kind: session.kind, hours: hoursOf(calendar.zone, session), reason: session.reason ?? '' }
}

/** On the wall clock of a zone: 09:30-16:00; the midnight that ends a day is 24:00. */
export function hoursOf(zone: Zone, { openMs, closeMs }: Session): string {
  const close = clockOf(zone, closeMs)
  return `${clockOf(zone, openMs)}-${close === '00:00' ? '24:00' : close}`
}

function clockOf(zone: Zone, epochMs: number): string {
  const { hour, minute } = civilOf(zone, epochMs)
  return `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`
}
