import type { Coverage } from './data/facts.ts'
import { calendarOf } from './sessions.ts'
import { coverageOn, type Session } from './session-calendar.ts'
import { civilDayOf, type Zone } from './zones.ts'

/** One interval of a session, in which one chain of an underlying is expected. Instants are epoch ms. */
export interface Slot {
  readonly atMs: number
  /** Its end, exclusive: the next slot's start, or the close. */
  readonly untilMs: number
  /** Of the session, in the exchange's zone; days since 1970-01-01. */
  readonly day: number
  /** 0 at the open. */
  readonly index: number
  /** Of an `unpublished` year the session is a guess: nothing in it counts as missing. */
  readonly coverage: Coverage
}

/**
 * Returns the slot an instant lies in; null outside the sessions. Slots begin at the open and every interval after it; the last
 * one ends with the session, so one that begins at the close is none.
 */
export function slotAt(zone: Zone, intervalMs: number, instantMs: number): Slot | null {
  const day = civilDayOf(zone, instantMs)
  const session = calendarOf(zone).sessionOn(day)
  if (session === null || instantMs < session.openMs || instantMs >= session.closeMs) return null
  return slotOf(zone, session, intervalMs, Math.floor((instantMs - session.openMs) / intervalMs))
}

/** Returns the slots that begin in [from, to), at most `limit`, in order. */
export function slotsBetween(
  zone: Zone,
  intervalMs: number,
  fromMs: number,
  toMs: number,
  limit = Infinity,
): readonly Slot[] {
  const slots: Slot[] = []
  const calendar = calendarOf(zone)
  for (let day = civilDayOf(zone, fromMs); day <= civilDayOf(zone, toMs); day++) {
    const session = calendar.sessionOn(day)
    if (session === null) continue
    const first = Math.max(0, Math.ceil((fromMs - session.openMs) / intervalMs))
    const end = Math.min(toMs, session.closeMs)
    for (let index = first; session.openMs + index * intervalMs < end; index++) {
      if (slots.length >= limit) return slots
      slots.push(slotOf(zone, session, intervalMs, index))
    }
  }
  return slots
}

/** Days looked at at most: what lies farther apart is as old as that. */
const maxDays = 60

/** Milliseconds the market was open between two instants; 0 when they are the other way round. */
export function openMsBetween(zone: Zone, fromMs: number, toMs: number): number {
  const calendar = calendarOf(zone)
  const lastDay = civilDayOf(zone, toMs)
  let sum = 0
  for (let day = Math.max(civilDayOf(zone, fromMs), lastDay - maxDays); day <= lastDay; day++) {
    const session = calendar.sessionOn(day)
    if (session === null) continue
    sum += Math.max(0, Math.min(toMs, session.closeMs) - Math.max(fromMs, session.openMs))
  }
  return sum
}

function slotOf(zone: Zone, session: Session, intervalMs: number, index: number): Slot {
  const atMs = session.openMs + index * intervalMs
  return {
    atMs,
    untilMs: Math.min(atMs + intervalMs, session.closeMs),
    day: session.day,
    index,
    coverage: coverageOn(calendarOf(zone), session.day),
  }
}
