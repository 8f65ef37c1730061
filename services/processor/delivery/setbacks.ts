import { StrikeflowError } from '../../../shared/model/errors.ts'
import { ClaimLostError } from './in-flight.ts'
import { type Batch, type Ports, WriteFailure } from './ports.ts'

const maxBackoffMs = 5_000
/** What no repetition helps is tried again all the same, rarely: somebody may have mended it. */
const brokenPauseMs = 10_000
const huntPauseMs = 100
/** A partition that was taken again and has gone so long without another failure is over it, though there was nothing to write. */
const quietMs = 15_000

type SetbackPorts = Pick<Ports<Batch>, 'timers' | 'random' | 'log'> & { readonly observer: { storeFailed(): void } }

interface Setback {
  /** Failures without a success in between. */
  readonly inARow: number
  readonly waitUntilMs: number
  readonly problem: string
  /** When it was taken again; null until then. */
  takenMs: number | null
}

/** What went wrong lately, by partition, and how long to wait before each is taken again: the luck of one says nothing of another. */
export class Setbacks {
  readonly #ports: SetbackPorts
  readonly #byPartition = new Map<number, Setback>()
  #refusal: string | null = null

  constructor(ports: SetbackPorts) {
    this.#ports = ports
  }

  /** In words; empty while all is well. */
  problems(): readonly string[] {
    this.#forgetQuiet()
    const texts = Map.groupBy(this.#byPartition, ([, { problem }]) => problem)
    const own = [...texts].map(([text, of]) => `partition ${of.map(([number]) => number).join(' ')} ${text}`)
    return this.#refusal === null ? own : [this.#refusal, ...own]
  }

  /** Milliseconds until a partition may be taken again; not above 0 when it may now. */
  waitMs(partition: number): number {
    this.#forgetQuiet()
    const setback = this.#byPartition.get(partition)
    return setback === undefined ? 0 : setback.waitUntilMs - this.#ports.timers.nowMs()
  }

  taken(partition: number): void {
    const setback = this.#byPartition.get(partition)
    if (setback !== undefined) setback.takenMs = this.#ports.timers.nowMs()
  }

  /** What is not ours to take any more is no trouble of ours. */
  keep(partitions: ReadonlySet<number>): void {
    for (const partition of this.#byPartition.keys())
      if (!partitions.has(partition)) this.#byPartition.delete(partition)
  }

  /** Something of these was written: all is well with them. */
  over(partitions: Iterable<number>): void {
    for (const partition of partitions) this.#byPartition.delete(partition)
    this.#refusal = null
  }

  /** Refused and sent again in place. */
  busy(err: WriteFailure, attempt: number): void {
    const { observer, log } = this.#ports
    this.#refusal = `ClickHouse refuses: ${err.message.slice(0, 200)}`
    observer.storeFailed()
    log.warn({ err, attempt }, 'insert refused, trying again')
  }

  /** Notes that partitions have to begin again; false when no new beginning mends it and the process should end. */
  note(partitions: readonly number[], error: unknown): boolean {
    const { timers, random, log, observer } = this.#ports
    if (!isPassing(error)) return false
    this.#refusal = null
    if (error.code !== 'fenced') observer.storeFailed()
    // Those that fail together wait together. What fails again before it was taken again has failed once.
    const failures = partitions.map((partition) => {
      const before = this.#byPartition.get(partition)
      return before === undefined
        ? 1
        : before.takenMs === null && this.waitMs(partition) > 0
          ? before.inARow
          : before.inARow + 1
    })
    const inARow = Math.max(1, ...failures)
    const isBroken = !error.retryable && error.code === 'store'
    // A dozen refusals lead to the message that cannot be stored: the partitions should not wait longer from one to the next.
    const isHunt = error instanceof WriteFailure && error.kind === 'values'
    const backoffMs = isHunt ? huntPauseMs : Math.min(maxBackoffMs, 50 * 2 ** inARow)
    const pauseMs = isBroken ? brokenPauseMs : backoffMs * (0.5 + random() / 2)
    const waitUntilMs = timers.nowMs() + pauseMs
    const problem = `${isBroken ? 'stopped' : 'begins again'}: ${error.message.slice(0, 200)}`
    for (const partition of partitions)
      this.#byPartition.set(partition, { inARow, waitUntilMs, problem, takenMs: null })
    log.warn({ err: error, partitions, pauseMs: Math.round(pauseMs) }, 'partitions begin again')
    return true
  }

  #forgetQuiet(): void {
    const sinceMs = this.#ports.timers.nowMs() - quietMs
    for (const [partition, { takenMs }] of this.#byPartition)
      if (takenMs !== null && takenMs < sinceMs) this.#byPartition.delete(partition)
  }
}

/** The store's every failure passes: where no repetition helps, somebody has to mend it, and no start of a process does. */
const isPassing = (error: unknown): error is StrikeflowError =>
  isRetryable(error) || error instanceof ClaimLostError || (error instanceof StrikeflowError && error.code === 'store')

export const isRetryable = (error: unknown): error is StrikeflowError =>
  error instanceof StrikeflowError && error.retryable

export const fenced = (reason: string): StrikeflowError => new StrikeflowError('fenced', reason, { retryable: true })

export const startedAgain = (): StrikeflowError =>
  new StrikeflowError('store', 'The store has started again: reading back what it still has', { retryable: true })
