import { setTimeout as sleep } from 'node:timers/promises'

export interface SlowRefusalOptions {
  readonly clock: () => number
  /** Waits before an answer. @default a timer */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>
}

/** A few wrong passwords, as of a service with an old file, are answered at once. */
const freeFailures = 5
const firstDelayMs = 100
const longestDelayMs = 2000
/** Failures are forgotten after this long without another one. */
const memoryMs = 60_000
/** Answers that wait at the same time; beyond, a connection is closed without one, so that waiting costs bounded memory. */
const maxWaiting = 64

/**
 * Slows down the answers to wrong credentials: the more there were of late, the longer the answer takes. Right credentials
 * are checked before and never wait here, so nobody can lock our services out.
 */
export class SlowRefusals {
  readonly #clock: () => number
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<unknown>
  #failures = 0
  #lastMs = 0
  #waiting = 0

  constructor({ clock, wait = (ms, signal) => sleep(ms, undefined, { signal, ref: false }) }: SlowRefusalOptions) {
    this.#clock = clock
    this.#wait = wait
  }

  /** Resolves when the refusal may be answered. False: too many wait already, close the connection instead. */
  async slowDown(signal: AbortSignal): Promise<boolean> {
    const now = this.#clock()
    this.#failures = now - this.#lastMs > memoryMs ? 1 : this.#failures + 1
    this.#lastMs = now
    const beyond = this.#failures - freeFailures
    if (beyond <= 0) return true
    if (this.#waiting >= maxWaiting) return false
    this.#waiting += 1
    try {
      await this.#wait(Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(beyond - 1, 10)), signal)
    } catch {
      // The client has left.
    } finally {
      this.#waiting -= 1
    }
    return true
  }
}
