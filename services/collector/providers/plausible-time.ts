import { type FetchRefusal, refused } from './provider.ts'

/** How far a provider's clock may be ahead of ours. */
const toleranceMs = 10 * 60_000
/** Weeklies began in 2005; what is dated before is a clock that was never set (1970, 2001). */
const earliestMs = Date.UTC(2005, 0, 1)

/**
 * Refuses a chain whose time no chain can have. One from the future would be the newest of its ticker until that time comes,
 * and everything real would count as late. `nowMs` is the wall's also for a recording, which is of the past; a recorder's
 * own stamp will not do, as the file time may be 95 minutes ahead of it.
 */
export function refusalOfTime(atMs: number, nowMs: number): FetchRefusal | null {
  if (atMs < earliestMs) return refused('no_time', `dated ${iso(atMs)}, before there was a recording`)
  if (atMs > nowMs + toleranceMs) return refused('future_time', `dated ${iso(atMs)}, now is ${iso(nowMs)}`)
  return null
}

/** The time, or null where it is none that a chain can have. */
export const plausibleTime = (atMs: number | null, nowMs: number): number | null =>
  atMs === null || Number.isNaN(atMs) || refusalOfTime(atMs, nowMs) !== null ? null : atMs

/** A recorder's stamp may be of a day that `Date` cannot hold. */
const iso = (atMs: number): string => (Math.abs(atMs) <= 8.64e15 ? new Date(atMs).toISOString() : String(atMs))
