import type { Timers } from '../../../shared/runtime/clock.ts'

const turnAfterMs = 5

/**
 * Returns what gives way to timers and sockets once it is time: messages that are there already would be worked off without ever
 * looking at them, and the leases are renewed on the same thread, and the rows of the flush before are on their way.
 *
 * Those who wait go on in the order they came, one with each turn: all at once they would work off a message each before the next.
 */
export function createTurns(timers: Timers): () => Promise<void> {
  let turnedMs = timers.nowMs()
  let isTurning = false
  const waiting: (() => void)[] = []

  async function turnAll(): Promise<void> {
    isTurning = true
    while (waiting.length > 0) {
      await timers.turn()
      turnedMs = timers.nowMs()
      waiting.shift()?.()
    }
    isTurning = false
  }

  return async () => {
    if (waiting.length === 0 && timers.nowMs() - turnedMs < turnAfterMs) return
    await new Promise<void>((resume) => {
      waiting.push(resume)
      if (!isTurning) void turnAll()
    })
  }
}
