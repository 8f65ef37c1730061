import { readdirSync, readFileSync } from 'node:fs'
import { statFields } from '../../shared/runtime/process-start.ts'

/** How long an event loop may stand before its process is killed. */
export interface HangLimits {
  /** Without a sign of life, while the supervisor itself ran. */
  readonly silentMs: number
  /** Of that, the least time in which the process was not waiting for a CPU. */
  readonly ableMs: number
}

export const lookMs = 1_000

/** A quarter: a loop that turns at all turns within that, and one that spins under a tenth of a CPU is found later. */
export const hangLimits = (silentSeconds: number): HangLimits => ({
  silentMs: silentSeconds * 1000,
  ableMs: (silentSeconds * 1000) / 4,
})

/**
 * Decides from signs of life whether a process hangs, or only gets too little of the machine.
 *
 * Two kinds of time do not count: what passes while the supervisor does not run (suspended, stopped, starved), and what the process
 * spends waiting for a CPU. A loop that turns slowly because it gets a tenth of a CPU is not taken for one that stands.
 */
export class HangWatch {
  readonly #lookMs: number
  #silentMs = 0
  #ableMs = 0

  /** So far apart looks are. */
  constructor(lookMs: number) {
    this.#lookMs = lookMs
  }

  /** The process has given a sign of life. */
  alive(): void {
    this.#silentMs = 0
    this.#ableMs = 0
  }

  /** Looks again, so long after the last look; `waitedMs` is how long the process has waited for a CPU meanwhile. */
  look(elapsedMs: number, waitedMs: number): void {
    // A late look tells of the supervisor: signs of life may lie unread in front of it.
    const counted = elapsedMs > 2 * this.#lookMs ? this.#lookMs : elapsedMs
    this.#silentMs += counted
    // A wait is told when it ends, so it may be longer than this look.
    this.#ableMs = Math.max(0, this.#ableMs + counted - waitedMs)
  }

  hangs({ silentMs, ableMs }: HangLimits): boolean {
    return this.#silentMs >= silentMs && this.#ableMs >= ableMs
  }

  get silentSeconds(): number {
    return Math.round(this.#silentMs / 1000)
  }
}

/** Tells how long a process has waited for a CPU since it was asked last. */
export class CpuWait {
  readonly #pid: number
  readonly #threads: 'main' | 'all'
  #last = new Map<string, number>()

  /** `main` for a process with an event loop: what its other threads wait for is another matter. */
  constructor(pid: number, threads: 'main' | 'all') {
    this.#pid = pid
    this.#threads = threads
    this.sinceLastMs()
  }

  /**
   * The longest wait of a thread; endless for a process that the kernel holds in a disk operation, which no signal would end. 0 where the system does not say, as on macOS: there every silence counts.
   */
  sinceLastMs(): number {
    const now = new Map<string, number>()
    let longestMs = 0
    for (const thread of this.#threadIds()) {
      const waitedMs = this.#waitedMs(thread)
      if (waitedMs === null) continue
      now.set(thread, waitedMs)
      longestMs = Math.max(longestMs, waitedMs - (this.#last.get(thread) ?? waitedMs))
    }
    this.#last = now
    return this.#isHeldByDisk() ? Infinity : longestMs
  }

  #isHeldByDisk(): boolean {
    try {
      return statFields(readFileSync(`/proc/${this.#pid}/stat`, 'utf8'))[0] === 'D'
    } catch {
      return false
    }
  }

  #threadIds(): readonly string[] {
    if (this.#threads === 'main') return [String(this.#pid)]
    try {
      return readdirSync(`/proc/${this.#pid}/task`)
    } catch {
      return []
    }
  }

  /** The second figure of schedstat: nanoseconds ready to run and not running, time throttled by a CPU limit included. */
  #waitedMs(thread: string): number | null {
    try {
      const [, waitedNs] = readFileSync(`/proc/${this.#pid}/task/${thread}/schedstat`, 'utf8').split(' ')
      return waitedNs === undefined ? null : Number(waitedNs) / 1e6
    } catch {
      return null
    }
  }
}
