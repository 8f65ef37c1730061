import type { Timers } from '../../shared/runtime/clock.ts'
import type { World } from './world.ts'

export interface HostOptions {
  readonly instance: string
  readonly boot: string
  readonly clockOffsetMs: number
  /** Its seconds per second. */
  readonly clockSpeed: number
}

/**
 * One simulated process. Whatever reaches it or leaves it goes through `run`: nothing does once it is dead, and while it is stopped
 * all of it waits. What it computes between two such moments it computes to no effect, so it may as well be dead or stopped.
 */
export class Host {
  readonly instance: string
  readonly boot: string
  readonly timers: Timers
  readonly #world: World
  readonly #held: (() => void)[] = []
  #state: 'running' | 'stopped' | 'dead' = 'running'
  #thawAtMs = 0

  constructor(world: World, { instance, boot, clockOffsetMs, clockSpeed }: HostOptions) {
    this.#world = world
    this.instance = instance
    this.boot = boot
    this.timers = {
      nowMs: () => clockOffsetMs + world.time.nowMs * clockSpeed,
      after: (delayMs, callback) => {
        let isCancelled = false
        // As a real one: never less than a millisecond.
        this.later(Math.max(1, delayMs) / clockSpeed, () => {
          if (!isCancelled) callback()
        })
        return () => {
          isCancelled = true
        }
      },
      turn: () => new Promise((resolve) => this.later(0, resolve)),
    }
  }

  get isDead(): boolean {
    return this.#state === 'dead'
  }

  get isStopped(): boolean {
    return this.#state === 'stopped'
  }

  /** Now, or when it goes on, or never. */
  run(action: () => void): void {
    if (this.#state === 'dead') return
    if (this.#state === 'stopped' || this.#held.length > 0) this.#held.push(action)
    else action()
  }

  later(delayMs: number, action: () => void): void {
    this.#world.time.after(delayMs, () => this.run(action))
  }

  /** SIGSTOP, and SIGCONT after so long. */
  stop(forMs: number): void {
    if (this.#state === 'dead') return
    this.#world.note?.(`${this.boot} is stopped for ${Math.round(forMs)} ms`)
    this.#state = 'stopped'
    this.#thawAtMs = Math.max(this.#thawAtMs, this.#world.time.nowMs + forMs)
    this.#world.time.after(forMs, () => {
      if (this.#world.time.nowMs >= this.#thawAtMs) this.goOn()
    })
  }

  goOn(): void {
    if (this.#state !== 'stopped') return
    this.#world.note?.(`${this.boot} goes on`)
    this.#state = 'running'
    this.#drain()
  }

  #drain(): void {
    if (this.#state !== 'running' || this.#held.length === 0) return
    const [action] = this.#held
    action?.()
    this.#held.shift()
    this.#world.time.after(0, () => this.#drain())
  }

  /** SIGKILL, or the end of the process. */
  die(): void {
    this.#state = 'dead'
    this.#held.length = 0
  }
}

/** Often longer than the time to live, so that others take over. */
export const stopMs = ({ random }: World): number =>
  random.chance(0.5) ? random.between(20, 2_000) : random.between(2_000, 7_000)
