import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../../shared/runtime/clock.ts'

/** Maps another clock onto the wall's. */
export interface Pace {
  /** Waits until `atMs` of the other clock is due; the first call is due at once. Returns at once when the signal aborts. */
  until(atMs: number, signal: AbortSignal): Promise<void>
}

/** `speed` is seconds of the other clock per second of the wall; 0 is as fast as possible. */
export function createPace(speed: number, clock: Clock): Pace {
  let origin: { readonly atMs: number; readonly wallMs: number } | null = null
  return {
    async until(atMs, signal) {
      if (speed === 0) return
      origin ??= { atMs, wallMs: clock() }
      const waitMs = origin.wallMs + (atMs - origin.atMs) / speed - clock()
      if (waitMs > 0) await wait(waitMs, signal)
    },
  }
}

/** Timers take at most 2^31 - 1 ms, 25 days; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1

async function wait(totalMs: number, signal: AbortSignal): Promise<void> {
  for (let leftMs = totalMs; leftMs > 0 && !signal.aborted; leftMs -= longestTimerMs) {
    await sleep(Math.min(leftMs, longestTimerMs), undefined, { signal }).catch(() => {})
  }
}
