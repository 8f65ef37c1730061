import { calendarOf, sessionDayOnOrBefore } from './sessions.ts'
import { instantOnDay, type Zone } from './zones.ts'

export interface ExpirySpec {
  /** OCC root: SPXW, not its underlying SPX. */
  readonly root: string
  readonly underlying: string
  /** Civil date of expiry in `zone`, days since 1970-01-01. */
  readonly expiryDay: number
  readonly zone: Zone
}

/**
 * Roots settled on the opening prices of the expiry date (contract specifications of Cboe and Nasdaq): trading ends the day
 * before, the value is fixed from 09:30 New York. Their PM-settled siblings have roots of their own (SPXW, NDXP, RUTW);
 * XSP, OEX, XEO, MRUT and all equity and ETF options are PM-settled.
 */
const amSettledRoots: ReadonlySet<string> = new Set(
  'SPX NDX RUT DJX VIX VIXW MXEA MXEF RUI RLG RLV XAU HGX OSX SOX UTY BKX'.split(' '),
)

type SettlementStyle = 'am' | 'pm'

function settlementStyle(root: string): SettlementStyle {
  return amSettledRoots.has(root) ? 'am' : 'pm'
}

const amSettlementS = 9 * 3600 + 30 * 60
const deribitExpiryS = 8 * 3600

/**
 * Returns the instant from which an option has no time value, epoch seconds UTC. US PM: the close of regular hours, 16:00
 * New York or 13:00 on an early close; the 16:15 to which some index and ETF options trade is not it, for exercise is
 * decided on the 16:00 price. US AM: 09:30 New York. NSE: 15:30 Kolkata. Deribit: 08:00 UTC.
 *
 * A US or NSE expiry dated on a day without a session (monthlies were dated Saturday until 2015) counts to the session before.
 */
export function expiryInstantS({ root, expiryDay, zone }: ExpirySpec): number {
  if (zone === 'UTC') return instantOnDay(zone, expiryDay, deribitExpiryS) / 1000
  const calendar = calendarOf(zone)
  const day = sessionDayOnOrBefore(calendar, expiryDay)
  if (zone === 'America/New_York' && settlementStyle(root) === 'am')
    return instantOnDay(zone, day, amSettlementS) / 1000
  const session = calendar.sessionOn(day)
  return (session?.closeMs ?? NaN) / 1000
}
