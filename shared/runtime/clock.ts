/** Epoch milliseconds UTC. Injected wherever time matters, so that tests and the simulator can own it. */
export type Clock = () => number

export const systemClock: Clock = () => Date.now()

/** Time for code that waits: a clock that is never set back, and something that calls back. A simulation brings its own. */
export interface Timers {
  /** Milliseconds since some moment. Goes on while the process is stopped. */
  nowMs(): number
  /** Calls back once after so long; returns the way to cancel it. */
  after(delayMs: number, callback: () => void): () => void
  /** Resolves when whatever else is ready in this process has had its turn. */
  turn(): Promise<void>
}

export const systemTimers: Timers = {
  nowMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
  turn: () => new Promise((resolve) => setImmediate(resolve)),
}

/** Resolves after so long, or as soon as the signal aborts: whoever waits looks at the signal himself. */
export function pause(timers: Timers, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve()
      return
    }
    const wake = (): void => {
      cancel()
      signal?.removeEventListener('abort', wake)
      resolve()
    }
    const cancel = timers.after(delayMs, wake)
    signal?.addEventListener('abort', wake)
  })
}
