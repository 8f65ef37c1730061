import type { Timers } from '../../shared/runtime/clock.ts'

export interface VirtualTimers extends Timers {
  /** Lets so much time pass, timer by timer, with everything that follows from each. */
  advance(ms: number): Promise<void>
}

/** Time that passes only when a test says so. */
export function createVirtualTimers(): VirtualTimers {
  let nowMs = 0
  let order = 0
  const due = new Map<number, { readonly atMs: number; readonly callback: () => void }>()
  return {
    nowMs: () => nowMs,
    after(delayMs, callback) {
      order += 1
      const id = order
      due.set(id, { atMs: nowMs + delayMs, callback })
      return () => due.delete(id)
    },
    turn: () => Promise.resolve(),
    async advance(ms) {
      const untilMs = nowMs + ms
      await rest()
      for (;;) {
        const next = [...due].filter(([, { atMs }]) => atMs <= untilMs).toSorted(([, a], [, b]) => a.atMs - b.atMs)[0]
        if (next === undefined) break
        const [id, { atMs, callback }] = next
        due.delete(id)
        nowMs = atMs
        callback()
        await rest()
      }
      nowMs = untilMs
    },
  }
}

/** Promises that wait for promises: one turn of the loop is after all of them. */
const rest = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
