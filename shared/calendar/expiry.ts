import { usMovedSettlements } from './data/us.ts'
import { dayAtStart } from './days.ts'
import { settlementStyle } from './roots.ts'
import type { Session, SessionCalendar } from './session-calendar.ts'
import { calendarOf } from './sessions.ts'
import { instantOnDay, type Zone } from './zones.ts'

export interface ExpirySpec {
  /** OCC root: SPXW, not its underlying SPX. */
  readonly root: string
  readonly underlying: string
  /** Civil date of expiry in `zone`, days since 1970-01-01. */
  readonly expiryDay: number
  readonly zone: Zone
}

const amSettlementS = 9 * 3600 + 30 * 60
const deribitExpiryS = 8 * 3600

const movedSettlements: ReadonlyMap<string, number> = new Map(
  usMovedSettlements.flatMap(({ date, roots, settledOn }) =>
    roots.map((root) => [`${root} ${dayAtStart(date)}`, dayAtStart(settledOn) ?? NaN] as const),
  ),
)

/**
 * Returns the instant from which an option has no time value, epoch seconds UTC. US PM: the close of regular hours, 16:00
 * New York or 13:00 on an early close; the 16:15 to which some index and ETF options trade is not it, for exercise is
 * decided on the 16:00 price. US AM: 09:30 New York. NSE: 15:30 Kolkata. Deribit: 08:00 UTC.
 *
 * A US or NSE expiry dated on a day without a session (monthlies were dated Saturday until 2015) counts to the session before.
 */
export function expiryInstantS({ root, expiryDay, zone }: ExpirySpec): number {
  if (zone === 'UTC') return instantOnDay(zone, expiryDay, deribitExpiryS) / 1000
  const session = settlingSession(calendarOf(zone), expiryDay)
  if (zone === 'America/New_York' && settlementStyle(root) === 'am') {
    const day = movedSettlements.get(`${root} ${expiryDay}`) ?? session.day
    return instantOnDay(zone, day, amSettlementS) / 1000
  }
  return session.closeMs / 1000
}

/** The last session on or before `day` that expiries settle at. */
function settlingSession(calendar: SessionCalendar, day: number): Session {
  for (let candidate = day; ; candidate--) {
    const session = calendar.sessionOn(candidate)
    if (session?.settles === true) return session
  }
}
