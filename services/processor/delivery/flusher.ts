import type { Timers } from '../../../shared/runtime/clock.ts'
import { Hunt } from './hunt.ts'
import { type Batch, type Processed, type RowTable, type Servers, type Stamp, WriteFailure } from './ports.ts'
import { type MessagePlace, Unstorable } from './unstorable.ts'
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
  first: MessagePlace | null
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
  /** Full before their turn, which happens during a hunt only: the readers of all partitions may have one message in hand. */
  readonly #sealed: Flush<B>[] = []
  #writing: Flush<B> | null = null
  readonly #hunt = new Hunt()
  /** Messages that the sink refuses: a partition asks before it opens one. */
  readonly unstorable = new Unstorable()
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
    if (this.#isStalled || this.#sealed.length > 0 || this.#options.isHeld()) return false
    const batch = this.#open?.batch
    return batch === undefined || (batch.rows < growth * this.#maxRows && batch.messages < this.#mostMessages)
  }

  get #mostMessages(): number {
    return Math.min(maxMessages, this.#hunt.limit)
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
    return this.#underWay.some(({ ids }) => ids.has(snapshotId))
  }

  get #underWay(): readonly Flush<B>[] {
    return [this.#writing, ...this.#sealed, this.#open].filter((flush) => flush !== null)
  }

  add({ processed, stamp, tables, publishes, isBehind = false }: Addition): void {
    if ((this.#open?.batch.messages ?? 0) >= this.#hunt.limit) this.#seal()
    const flush = (this.#open ??= this.#begin())
    const epoch = flush.epochs.get(processed.partition) ?? stamp.epoch
    if (epoch !== stamp.epoch) throw new TypeError(`Expected epoch ${epoch} in this flush, was ${stamp.epoch}`)
    flush.isBehind &&= isBehind
    const { partition, delivery } = processed
    flush.first ??= { partition, incarnation: stamp.incarnation, streamSeq: delivery.streamSeq }
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

  #seal(): void {
    if (this.#open === null) return
    this.#open.cancelTimer()
    this.#sealed.push(this.#open)
    this.#open = null
  }

  #begin(): Flush<B> {
    const { timers, createBatch, maxWaitMs, servers } = this.#options
    return {
      batch: this.#idle.pop() ?? createBatch(),
      epochs: new Map(),
      servers: servers(),
      ids: new Set(),
      first: null,
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

  /** Begins to write the next flush when it is large or old enough and nothing else is being written. */
  #writeIfDue(): void {
    if (this.#writing !== null) return
    if (this.#sealed.length === 0 && this.#isDue()) this.#seal()
    const flush = this.#sealed.shift()
    if (flush === undefined) return
    this.#writing = flush
    void this.#write(flush)
  }

  /** True when the open flush is large or old enough to be written. */
  #isDue(): boolean {
    const flush = this.#open
    if (flush === null) return false
    const { maxWaitMs, timers } = this.#options
    const [rows, patience] = flush.isBehind ? [growth * this.#maxRows, patienceBehind] : [this.#maxRows, 1]
    // A timer may fire a little early by this clock.
    const isOld = timers.nowMs() - flush.openedMs >= patience * maxWaitMs - 1
    const { batch } = flush
    return this.#hurried > 0 || isOld || batch.rows >= rows || batch.messages >= this.#hunt.limit
  }

  async #write(flush: Flush<B>): Promise<void> {
    const { timers, write, onWritten } = this.#options
    const startedMs = timers.nowMs()
    const { rows, messages } = flush.batch
    try {
      await write(flush.batch, flush.publishes, flush)
      onWritten(flush.batch, (timers.nowMs() - startedMs) / 1000, flush.epochs.keys())
      if (rows >= this.#maxRows) this.#maxRows = Math.min(this.#options.maxRows, Math.ceil(this.#maxRows * regrowth))
      this.#hunt.stored(messages)
      if (rows > 0) this.unstorable.stored()
      this.#writing = null
      this.#settle(flush, true)
    } catch (error) {
      if (error instanceof WriteFailure && error.kind === 'slow')
        this.#maxRows = Math.max(leastRows, this.#maxRows >> 1)
      this.#writing = null
      this.#drop(flush, error)
    }
    this.#isStalled = false
    this.#writeIfDue()
    this.wake()
  }

  /** Gives up a flush that was refused, and those behind it. */
  #drop(flush: Flush<B>, error: unknown): void {
    const { onDropped } = this.#options
    const own = new Set(flush.epochs.keys())
    if (error instanceof WriteFailure && error.kind === 'values') {
      onDropped(own, this.#hunted(flush, error))
      // Those behind it have refused nothing: where a message stops its partition, they must not wait with it.
      const others = new Set(this.#dropWaiting()).difference(own)
      if (others.size > 0) onDropped(others, error)
    } else onDropped(own.union(new Set(this.#dropWaiting())), error)
    this.#settle(flush, false)
  }

  /** Follows the trace of a value that the store refuses; returns what that is for the partitions of the flush. */
  #hunted({ batch, first, ids }: Flush<B>, error: WriteFailure): WriteFailure {
    const { messages } = batch
    if (messages > 1) {
      this.#hunt.refused(messages)
      return error
    }
    // A message without rows has its commit row alone: there is nothing left to be taken away.
    const isFound = first !== null && ids.size > 0 && this.unstorable.note(first, error)
    if (!isFound) return new WriteFailure('broken', error)
    this.#hunt.found()
    return error
  }

  #settle(flush: Flush<B>, isWritten: boolean): void {
    flush.batch.reset()
    if (this.#idle.length < 2) this.#idle.push(flush.batch)
    flush.done.resolve(isWritten)
  }

  /** Drops what is not being written yet; returns its partitions. */
  #dropWaiting(): ReadonlySet<number> {
    this.#seal()
    const dropped = this.#sealed.splice(0)
    for (const flush of dropped) this.#settle(flush, false)
    return new Set(dropped.flatMap(({ epochs }) => [...epochs.keys()]))
  }

  /** Writes what is under way of a partition now; resolves with false when some of it was dropped instead. */
  async settled(partition: number): Promise<boolean> {
    const under = this.#underWay.filter(({ epochs }) => epochs.has(partition))
    if (under.length === 0) return true
    this.#hurried += 1
    this.#writeIfDue()
    const results = await Promise.all(under.map(({ done }) => done.promise))
    this.#hurried -= 1
    return results.every((isWritten) => isWritten)
  }

  /** Drops what is not being written yet, if there is anything of these partitions, and waits for what is being written of them. */
  async abandon(partitions: ReadonlySet<number>, error: unknown): Promise<void> {
    const concerns = ({ epochs }: Flush<B>): boolean =>
      [...epochs.keys()].some((partition) => partitions.has(partition))
    if (this.#underWay.some((flush) => flush !== this.#writing && concerns(flush)))
      this.#options.onDropped(this.#dropWaiting(), error)
    this.wake()
    if (this.#writing !== null && concerns(this.#writing)) await this.#writing.done.promise
  }
}
