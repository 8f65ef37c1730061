import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../simulation/random.ts'
import type { Part, PartKind } from './part.ts'
import type { Link, TortureStack } from './stack.ts'

/** What the faults act on, and what they leave behind for the checker. */
export interface Scene {
  readonly stack: TortureStack
  readonly random: Random
  /** Aborts when the faults end: what lasts is undone then. */
  readonly over: AbortSignal
  /** By kind. */
  readonly counts: Map<string, number>
  /** Messages published beside the publishers, by id. */
  readonly extra: Map<string, ExtraMessage>
  /** What must not happen and was seen while it ran. */
  readonly violations: string[]
  note(text: string): void
}

export interface ExtraMessage {
  readonly kind: 'undecodable' | 'copy'
  readonly underlying: string
  isAcked: boolean
}

/** Parts and links something is being done to: one thing at a time. */
export class Targets {
  readonly #stack: TortureStack
  readonly #taken = new Set<string>()

  constructor(stack: TortureStack) {
    this.#stack = stack
  }

  free(kind: PartKind): readonly Part[] {
    return this.#stack.of(kind).filter((part) => part.isUp && part.isWanted && !this.#taken.has(part.name))
  }

  freeLinks(): readonly Link[] {
    return this.#stack.links.filter(({ name }) => !this.#taken.has(name))
  }

  async withTaken<T>(name: string, run: () => Promise<T>): Promise<T> {
    this.#taken.add(name)
    try {
      return await run()
    } finally {
      this.#taken.delete(name)
    }
  }
}

/** Resolves after the time, or at once when the faults are over. */
export const lasting = (ms: number, over: AbortSignal): Promise<unknown> =>
  delay(ms, undefined, { signal: over }).catch(() => {})
