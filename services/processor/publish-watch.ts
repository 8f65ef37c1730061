import { isUnheard } from '../../shared/bus/errors.ts'
import type { Clock } from '../../shared/runtime/clock.ts'
import type { Logger } from '../../shared/runtime/logger.ts'

export interface PublishWatchDeps {
  readonly clock: Clock
  readonly log: Logger
  /** Makes the streams that are missing. */
  readonly ensureStreams: () => Promise<unknown>
}

/** Longer than a message waits between two attempts: whoever has not tried again after this has succeeded, or waits for NATS. */
const overMs = 8_000
/** One attempt that fails is nobody's problem yet. */
const shownAfterMs = 3_000
const warnEveryMs = 60_000
const ensureEveryMs = 10_000

/** Tells when the bus does not acknowledge what is published, though it is there; and makes a stream that was deleted anew. */
export class PublishWatch {
  readonly #deps: PublishWatchDeps
  #sinceMs = 0
  #lastMs = -Infinity
  #warnedMs = -Infinity
  #ensuredMs = -Infinity
  #reason = ''

  constructor(deps: PublishWatchDeps) {
    this.#deps = deps
  }

  problems(): readonly string[] {
    const now = this.#deps.clock()
    const isFailing = now - this.#lastMs < overMs && now - this.#sinceMs >= shownAfterMs
    return isFailing ? [`what is published is not acknowledged: ${this.#reason}`] : []
  }

  /** An attempt to publish has failed and comes again. */
  onRetry(err: unknown): void {
    const { clock, log } = this.#deps
    const now = clock()
    if (now - this.#lastMs >= overMs) this.#sinceMs = now
    this.#lastMs = now
    this.#reason = isUnheard(err) ? 'no stream takes it' : (err as Error).message.slice(0, 200)
    if (isUnheard(err)) this.#ensure(now)
    if (now - this.#sinceMs < shownAfterMs || now - this.#warnedMs < warnEveryMs) return
    this.#warnedMs = now
    log.warn({ err, sinceMs: now - this.#sinceMs }, 'what is published is not acknowledged')
  }

  #ensure(now: number): void {
    const { ensureStreams, log } = this.#deps
    if (now - this.#ensuredMs < ensureEveryMs) return
    this.#ensuredMs = now
    ensureStreams().catch((err: unknown) => log.warn({ err }, 'cannot make sure that the streams are there'))
  }
}
