import { StrikeflowError } from '../../../shared/model/errors.ts'
import { ClaimLostError } from './in-flight.ts'
import { type Batch, type Ports, WriteFailure } from './ports.ts'

const maxBackoffMs = 5_000
/** What no repetition helps is tried again all the same, rarely: somebody may have mended it. */
const brokenPauseMs = 10_000

type SetbackPorts = Pick<Ports<Batch>, 'timers' | 'random' | 'log'> & { readonly observer: { storeFailed(): void } }

/** What went wrong lately, and how long to wait before partitions are taken again. */
export class Setbacks {
  readonly #ports: SetbackPorts
  #inARow = 0
  #waitUntilMs = 0
  /** In words; null while all is well. */
  problem: string | null = null

  constructor(ports: SetbackPorts) {
    this.#ports = ports
  }

  /** Milliseconds until something may be taken again; not above 0 when it may now. */
  get waitMs(): number {
    return this.#waitUntilMs - this.#ports.timers.nowMs()
  }

  /** Something was written: all is well. */
  over(): void {
    this.#inARow = 0
    this.problem = null
  }

  /** Refused and sent again in place. */
  busy(err: WriteFailure, attempt: number): void {
    const { observer, log } = this.#ports
    this.problem = `ClickHouse refuses: ${err.message.slice(0, 200)}`
    observer.storeFailed()
    log.warn({ err, attempt }, 'insert refused, trying again')
  }

  /** Notes that partitions have to begin again; false when no new beginning mends it and the process should end. */
  note(error: unknown): boolean {
    const { timers, random, log, observer } = this.#ports
    if (!isPassing(error)) return false
    const isFenced = error instanceof StrikeflowError && error.code === 'fenced'
    if (!isFenced) observer.storeFailed()
    // Partitions that fail together have failed once.
    if (this.waitMs <= 0) this.#inARow += 1
    const isBroken = error instanceof WriteFailure && error.kind === 'broken'
    const pauseMs = isBroken ? brokenPauseMs : Math.min(maxBackoffMs, 50 * 2 ** this.#inARow) * (0.5 + random() / 2)
    this.#waitUntilMs = timers.nowMs() + pauseMs
    this.problem = `${isBroken ? 'stopped' : 'begins again'}: ${(error as Error).message.slice(0, 200)}`
    log.warn({ err: error, pauseMs: Math.round(pauseMs) }, 'partitions begin again')
    return true
  }
}

const isPassing = (error: unknown): boolean =>
  isRetryable(error) ||
  error instanceof WriteFailure ||
  error instanceof ClaimLostError ||
  (error instanceof StrikeflowError && error.code === 'bus')

export const isRetryable = (error: unknown): boolean => error instanceof StrikeflowError && error.retryable

export const fenced = (reason: string): StrikeflowError => new StrikeflowError('fenced', reason, { retryable: true })

export const startedAgain = (): StrikeflowError =>
  new StrikeflowError('store', 'The store has started again: reading back what it still has', { retryable: true })
