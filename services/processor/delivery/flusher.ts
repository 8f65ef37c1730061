import type { Timers } from '../../../shared/runtime/clock.ts'
import { type Batch, type Processed, type RowTable, type Servers, type Stamp, WriteFailure } from './ports.ts'
import type { WriteBatch } from './write-batch.ts'

export interface FlusherOptions<B extends Batch> {
  readonly createBatch: () => B
  readonly write: WriteBatch<B>
  /** As far as anything that is added now was decided by what they hold. */
  readonly servers: () => Servers
  readonly timers: Timers
  readonly maxRows: number
  readonly maxWaitMs: number
  /** True while nothing more is to be read. */
  readonly isHeld: () => boolean
  readonly onWritten: (batch: B, seconds: number, partitions: Iterable<number>) => void
  /** Called before anything else happens: nothing of these partitions may be added any more until they are taken anew. */
  readonly onDropped: (partitions: ReadonlySet<number>, error: unknown) => void
}

/** A processed message with what belongs to it in the flush. */
export interface Addition {
  readonly processed: Processed
  readonly stamp: Stamp
  /** Tables this owner has to write. */
  readonly tables: readonly RowTable[]
  readonly publishes: readonly Promise<unknown>[]
  /** True while many more of its partition wait in the stream. */
  readonly isBehind?: boolean
}

interface Flush<B> {
  readonly batch: B
  readonly epochs: Map<number, number>
  readonly servers: Servers
  readonly ids: Set<string>
  readonly publishes: Promise<unknown>[]
  readonly openedMs: number
  /** True when all of it is of partitions that are behind: nobody who is up to date waits for it. */
  isBehind: boolean
  cancelTimer: () => void
  /** True once it is written, false when it was dropped. */
  readonly done: PromiseWithResolvers<boolean>
}

/** Messages in a flush, whatever they hold: duplicates and dead letters have no rows, and must be bounded too. */
const maxMessages = 4096

/** A flush may grow to so many times `maxRows`. */
const growth = 4

/**
 * While many messages wait in the stream, a flush may have all the rows it has room for and so many times the age: whoever is
 * behind is better off with few inserts, each of which costs the sink as much as 100,000 rows.
 */
const patienceBehind = 5

/**
 * What was too large for the sink is halved, and then grows by so much with each flush of full size that was written: quickly
 * enough after a passing trouble, and slowly enough where the sink just does not manage more in its time.
 */
const regrowth = 17 / 16

/** Flushes are not made smaller than this when the sink is slow. */
const leastRows = 1_000

/**
 * Collects the messages of all owned partitions into joint flushes by rows or time and writes them one after the other. While one
 * is being written the next goes on filling, so that a slow sink gets fewer and larger inserts; when that is full too, or the sink
 * is away, readers wait. A flush that cannot be written is dropped with the one behind it: its partitions are taken anew.
 */
export class Flusher<B extends Batch> {
  readonly #options: FlusherOptions<B>
  readonly #idle: B[]
  #maxRows: number
  #open: Flush<B> | null = null
  #writing: Flush<B> | null = null
  #room: PromiseWithResolvers<void> | null = null
  #hurried = 0
  /** True while the sink refuses: nothing more is to be read. */
  #isStalled = false

  constructor(options: FlusherOptions<B>) {
    this.#options = options
    this.#maxRows = options.maxRows
    this.#idle = [options.createBatch(), options.createBatch()]
  }

  /** True when more should be read now. */
  get hasRoom(): boolean {
    if (this.#isStalled || this.#options.isHeld()) return false
    const batch = this.#open?.batch
    return batch === undefined || (batch.rows < growth * this.#maxRows && batch.messages < maxMessages)
  }

  /** Resolves when there may be room again, or what waits for it is no longer wanted. */
  async roomAgain(): Promise<void> {
    this.#room ??= Promise.withResolvers()
    await this.#room.promise
  }

  /** Wakes all who wait for room. */
  wake(): void {
    this.#room?.resolve()
    this.#room = null
  }

  stall(): void {
    this.#isStalled = true
  }

  /** True when a flush under way stores this snapshot. */
  holds(snapshotId: string): boolean {
    return this.#open?.ids.has(snapshotId) === true || this.#writing?.ids.has(snapshotId) === true
  }

  add({ processed, stamp, tables, publishes, isBehind = false }: Addition): void {
    const flush = (this.#open ??= this.#begin())
    const epoch = flush.epochs.get(processed.partition) ?? stamp.epoch
    if (epoch !== stamp.epoch) throw new TypeError(`Expected epoch ${epoch} in this flush, was ${stamp.epoch}`)
    flush.isBehind &&= isBehind
    flush.batch.add(processed, stamp, tables)
    flush.epochs.set(processed.partition, stamp.epoch)
    for (const publish of publishes) {
      // Awaited before the commit rows; until then a failure must not count as unhandled.
      publish.catch(() => {})
      flush.publishes.push(publish)
    }
    const hasRows = processed.outcome === 'stored' || tables.length > 0
    if (hasRows && processed.meta !== null) flush.ids.add(processed.meta.snapshotId)
    this.#writeIfDue()
  }

  #begin(): Flush<B> {
    const { timers, createBatch, maxWaitMs, servers } = this.#options
    return {
      batch: this.#idle.pop() ?? createBatch(),
      epochs: new Map(),
      servers: servers(),
      ids: new Set(),
      publishes: [],
      openedMs: timers.nowMs(),
      isBehind: true,
      cancelTimer: timers.after(maxWaitMs, () => this.#onAged(maxWaitMs)),
      done: Promise.withResolvers(),
    }
  }

  /** When its time is up but there are more to come, it waits once more, and no longer. */
  #onAged(maxWaitMs: number): void {
    const flush = this.#open
    const { timers } = this.#options
    if (flush !== null) {
      flush.cancelTimer = timers.after((patienceBehind - 1) * maxWaitMs, () => this.#writeIfDue())
    }
    this.#writeIfDue()
  }

  /** Begins to write the open flush when it is large or old enough and nothing else is being written. */
  #writeIfDue(): void {
    const flush = this.#open
    if (flush === null || this.#writing !== null) return
    const { maxWaitMs, timers } = this.#options
    const [rows, patience] = flush.isBehind ? [growth * this.#maxRows, patienceBehind] : [this.#maxRows, 1]
    // A timer may fire a little early by this clock.
    const isOld = timers.nowMs() - flush.openedMs >= patience * maxWaitMs - 1
    if (this.#hurried === 0 && !isOld && flush.batch.rows < rows) return
    flush.cancelTimer()
    this.#open = null
    this.#writing = flush
    void this.#write(flush)
  }

  async #write(flush: Flush<B>): Promise<void> {
    const { timers, write, onWritten, onDropped } = this.#options
    const startedMs = timers.nowMs()
    const { rows } = flush.batch
    try {
      await write(flush.batch, flush.publishes, flush)
      onWritten(flush.batch, (timers.nowMs() - startedMs) / 1000, flush.epochs.keys())
      if (rows >= this.#maxRows) this.#maxRows = Math.min(this.#options.maxRows, Math.ceil(this.#maxRows * regrowth))
      this.#writing = null
      this.#settle(flush, true)
    } catch (error) {
      if (error instanceof WriteFailure && error.kind === 'slow')
        this.#maxRows = Math.max(leastRows, this.#maxRows >> 1)
      this.#writing = null
      onDropped(new Set([...flush.epochs.keys(), ...this.#dropOpen()]), error)
      this.#settle(flush, false)
    }
    this.#isStalled = false
    this.#writeIfDue()
    this.wake()
  }

  #settle(flush: Flush<B>, isWritten: boolean): void {
    flush.batch.reset()
    if (this.#idle.length < 2) this.#idle.push(flush.batch)
    flush.done.resolve(isWritten)
  }

  #dropOpen(): Iterable<number> {
    const flush = this.#open
    if (flush === null) return []
    flush.cancelTimer()
    this.#open = null
    this.#settle(flush, false)
    return flush.epochs.keys()
  }

  /** Writes what is under way of a partition now; resolves with false when some of it was dropped instead. */
  async settled(partition: number): Promise<boolean> {
    const all = [this.#writing, this.#open].filter((flush) => flush !== null)
    const under = all.filter(({ epochs }) => epochs.has(partition))
    if (under.length === 0) return true
    this.#hurried += 1
    this.#writeIfDue()
    const results = await Promise.all(under.map(({ done }) => done.promise))
    this.#hurried -= 1
    return results.every((isWritten) => isWritten)
  }

  /** Drops what is not being written yet, if there is anything of these partitions, and waits for what is being written of them. */
  async abandon(partitions: ReadonlySet<number>, error: unknown): Promise<void> {
    const concerns = (flush: Flush<B> | null): boolean =>
      flush !== null && [...flush.epochs.keys()].some((partition) => partitions.has(partition))
    if (concerns(this.#open)) this.#options.onDropped(new Set(this.#dropOpen()), error)
    this.wake()
    if (concerns(this.#writing)) await this.#writing?.done.promise
  }
}
