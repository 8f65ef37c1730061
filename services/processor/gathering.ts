import type { Timers } from '../../shared/runtime/clock.ts'

/** Calls `send` now or a little later, together with others; resolves and rejects as it does. It must not throw: others wait behind it. */
export type Gather = <T>(send: () => Promise<T>) => Promise<T>

/**
 * For messages that may wait a moment when there are many: sent one by one, each costs this process and the server a write, a
 * wake-up and an answer of its own. One goes at once, and what comes within `waitMs` after it goes together at their end, in order.
 */
export function createGathering(timers: Pick<Timers, 'nowMs' | 'after'>, waitMs: number): Gather {
  let waiting: (() => void)[] = []
  let nextMs = -Infinity
  const sendAll = (): void => {
    const due = waiting
    waiting = []
    nextMs = timers.nowMs() + waitMs
    for (const send of due) send()
  }
  return (send) => {
    const nowMs = timers.nowMs()
    if (waiting.length === 0 && nowMs >= nextMs) {
      nextMs = nowMs + waitMs
      return send()
    }
    return new Promise((resolve) => {
      if (waiting.length === 0) timers.after(nextMs - nowMs, sendAll)
      waiting.push(() => resolve(send()))
    })
  }
}
