import type { Timers } from '../../../shared/runtime/clock.ts'

const turnAfterMs = 5

/**
 * Returns what gives way to timers and sockets once it is time: messages that are there already would be worked off without ever
 * looking at them, and the leases are renewed on the same thread.
 */
export function createTurns(timers: Timers): () => Promise<void> {
  let turnedMs = timers.nowMs()
  return async () => {
    if (timers.nowMs() - turnedMs < turnAfterMs) return
    await timers.turn()
    turnedMs = timers.nowMs()
  }
}
