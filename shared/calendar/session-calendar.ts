import type { Coverage, SpecialSession, YearSource } from './data/facts.ts'
import { civilDateOf, dayAtStart, digitsAt } from './days.ts'
import { instantOnDay, type Zone } from './zones.ts'

/** `us`: US equity and index options. `nse`: futures and options of NSE India. `deribit`: venues that never close. */
export const markets = ['us', 'nse', 'deribit'] as const
export type Market = (typeof markets)[number]

type SessionKind = 'regular' | 'early_close' | 'special'

/** Trading hours of one day; instants are epoch ms. */
export interface Session {
  readonly day: number
  readonly openMs: number
  readonly closeMs: number
  readonly kind: SessionKind
  /** Why it is not a regular one, else null. */
  readonly reason: string | null
  /** False for a token hour or a test of the systems: expiries of that day settled at the session before. */
  readonly settles: boolean
}

export interface SessionCalendar {
  readonly market: Market
  readonly zone: Zone
  /** Sessions of an unpublished year are a guess: flag what rests on them, count none of them as missing. */
  coverage(year: number): Coverage
  /** Null for an unpublished year. */
  sourceOf(year: number): string | null
  isSessionDay(day: number): boolean
  /** Null on a day without a session. */
  sessionOn(day: number): Session | null
  /** Why a day that would have a session has none; null for weekends and session days. */
  closureOn(day: number): string | null
  /** Announced without hours at hand: no session is counted on that day. */
  readonly withoutHours: readonly SpecialSession[]
}

/** What makes the calendar of one market. Seconds are on the wall clock of its zone. */
export interface MarketRules {
  readonly market: Market
  readonly zone: Zone
  readonly openS: number
  readonly closeS: number
  readonly years: (year: number) => YearSource | undefined
  readonly specialSessions: readonly SpecialSession[]
  isDayOff(day: number): boolean
  closureOn(day: number): string | null
  /** Null where the day closes as usual. */
  earlyCloseOn(day: number): { readonly closeS: number; readonly reason: string } | null
}

export function createCalendar(rules: MarketRules): SessionCalendar {
  const special = new Map<number, Session>()
  for (const session of rules.specialSessions) {
    const read = readSpecialSession(rules.zone, session)
    if (read !== null) special.set(read.day, read)
  }
  const isClosed = (day: number): boolean => rules.isDayOff(day) || rules.closureOn(day) !== null
  return {
    market: rules.market,
    zone: rules.zone,
    withoutHours: rules.specialSessions.filter(({ open }) => open === null),
    coverage: (year) => rules.years(year)?.coverage ?? 'unpublished',
    sourceOf: (year) => rules.years(year)?.source ?? null,
    isSessionDay: (day) => special.has(day) || !isClosed(day),
    closureOn: (day) => (rules.isDayOff(day) || special.has(day) ? null : rules.closureOn(day)),
    sessionOn: (day) => special.get(day) ?? (isClosed(day) ? null : ordinarySession(rules, day)),
  }
}

function ordinarySession(rules: MarketRules, day: number): Session {
  const { zone, openS, closeS } = rules
  const early = rules.earlyCloseOn(day)
  return {
    day,
    openMs: instantOnDay(zone, day, openS),
    closeMs: instantOnDay(zone, day, early?.closeS ?? closeS),
    kind: early === null ? 'regular' : 'early_close',
    reason: early?.reason ?? null,
    settles: true,
  }
}

/** Null when its hours are not at hand. */
function readSpecialSession(zone: Zone, { date, open, close, reason, settles }: SpecialSession): Session | null {
  const day = dayAtStart(date) ?? NaN
  if (open === null || close === null) return null
  return {
    day,
    openMs: instantOnDay(zone, day, secondsOfDay(open)),
    closeMs: instantOnDay(zone, day, secondsOfDay(close)),
    kind: 'special',
    reason,
    settles,
  }
}

/** Of HH:MM. */
const secondsOfDay = (text: string): number => digitsAt(text, 0, 2) * 3600 + digitsAt(text, 3, 2) * 60

/** How the year of a day is known. */
export function coverageOn(calendar: SessionCalendar, day: number): Coverage {
  return calendar.coverage(civilDateOf(day).year)
}
