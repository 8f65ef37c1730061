import { dayOf, formatDay } from '../../../../shared/calendar/days.ts'
import { usOptions } from '../../../../shared/calendar/sessions.ts'
import { civilDayOf } from '../../../../shared/calendar/zones.ts'
import { StrikeflowError } from '../../../../shared/model/errors.ts'

/** One session as the simulator walks through it: step 0 is the open, step `lastStep` at or just before the close. */
export interface TradingSession {
  /** Days since 1970-01-01. */
  readonly day: number
  /** YYYY-MM-DD. */
  readonly date: string
  readonly openMs: number
  readonly closeMs: number
  readonly lastStep: number
  readonly stepMs: number
  /** Of the session before; its last trades are what an untraded contract shows. */
  readonly previousCloseMs: number
}

/** The market's first day. Its state on any later day follows from the seed, so every start finds the same market. */
export const firstDay = dayOf(2026, 1, 2)

const zone = 'America/New_York'

export const stepMsOf = (session: TradingSession, step: number): number => session.openMs + step * session.stepMs

/** The session of a day; null on a weekend or holiday. */
export function sessionOn(day: number, stepMs: number): TradingSession | null {
  const session = usOptions.sessionOn(day)
  if (session === null) return null
  return {
    day,
    date: formatDay(day),
    openMs: session.openMs,
    closeMs: session.closeMs,
    lastStep: Math.floor((session.closeMs - session.openMs) / stepMs),
    stepMs,
    previousCloseMs: previousClose(day),
  }
}

function previousClose(day: number): number {
  for (let before = day - 1; ; before--) {
    const session = usOptions.sessionOn(before)
    if (session !== null) return session.closeMs
  }
}

/** Returns the first session that has a step at or after an instant, and that step. */
export function firstStepAt(
  instantMs: number,
  stepMs: number,
): { readonly session: TradingSession; readonly step: number } {
  const startDay = civilDayOf(zone, instantMs)
  if (startDay < firstDay) {
    throw new StrikeflowError(
      'config',
      `Expected a simulated start from ${formatDay(firstDay)} on, was ${formatDay(startDay)}`,
    )
  }
  for (let day = startDay; ; day++) {
    const session = sessionOn(day, stepMs)
    if (session === null) continue
    const step = Math.max(0, Math.ceil((instantMs - session.openMs) / stepMs))
    if (step <= session.lastStep) return { session, step }
  }
}

/** Returns the session after one: after the close the clock jumps there. */
export function sessionAfter({ day, stepMs }: TradingSession): TradingSession {
  for (let next = day + 1; ; next++) {
    const session = sessionOn(next, stepMs)
    if (session !== null) return session
  }
}
