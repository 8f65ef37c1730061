import { Flush, type Processed, type RowCounts } from './flush.ts'
import type { Writer } from './rows.ts'
import type { Sink } from './sink.ts'

export interface FlusherOptions {
  readonly sink: Pick<Sink, 'write'>
  readonly writer: Writer
  readonly incarnation: string
  readonly maxRows: number
  readonly maxWaitMs: number
  readonly onWritten: (flush: Flush, durationSeconds: number) => void
}

/** A publish or a row that belongs to the flush, added with its message. */
export interface Addition {
  readonly processed: Processed
  readonly present: RowCounts | undefined
  readonly publishes: readonly Promise<unknown>[]
}

/** Messages in a flush, whatever they hold: duplicates and dead letters have no rows, and must be bounded too. */
const maxMessages = 4096

/** A flush may grow to so many times `maxRows` while the one before it is being written. */
const growth = 4

/**
 * Collects processed messages into flushes by rows or time and writes them one after the other. While one is being written
 * the next goes on filling, so that a slow sink gets fewer and larger inserts; when that is full too, readers wait for room.
 */
export class Flusher {
  readonly #options: FlusherOptions
  readonly #idle: Flush[] = [new Flush(), new Flush()]
  readonly #held = new Set<string>()
  #open: Flush | null = null
  #openedMs = 0
  #timer: NodeJS.Timeout | null = null
  #writing: Promise<void> | null = null
  #room: PromiseWithResolvers<void> | null = null
  #failure: { readonly error: unknown } | null = null
  /** Rejects when a flush could not be written; never resolves. */
  readonly failed: Promise<never>
  readonly #fail: (error: unknown) => void

  constructor(options: FlusherOptions) {
    this.#options = options
    const failed = Promise.withResolvers<never>()
    this.failed = failed.promise
    // Whoever runs the service awaits it; until then it must not count as unhandled.
    this.failed.catch(() => {})
    this.#fail = failed.reject
  }

  /**
   * True when a message may be added now. Ask again after every await: several partitions wait for the same room, and the
   * first one may take it.
   */
  get hasRoom(): boolean {
    if (this.#failure !== null) throw this.#failure.error
    if (this.#open === null) return this.#idle.length > 0
    return this.#open.quotes.length < growth * this.#options.maxRows && this.#open.messages < maxMessages
  }

  /** Resolves when there may be room again. */
  async roomAgain(): Promise<void> {
    this.#room ??= Promise.withResolvers()
    await this.#room.promise
  }

  /** True when the open flush or the one being written stores this snapshot: a copy of it is a duplicate. */
  holds(snapshotId: string): boolean {
    return this.#held.has(snapshotId)
  }

  add({ processed, present, publishes }: Addition): void {
    const flush = (this.#open ??= this.#begin())
    flush.add(processed, this.#options.writer, present)
    flush.publishes.push(...publishes)
    if (processed.outcome === 'stored' && processed.snapshot !== null)
      this.#held.add(processed.snapshot.meta.snapshotId)
    this.#writeIfDue()
  }

  #begin(): Flush {
    const flush = this.#idle.pop()
    if (flush === undefined) throw new TypeError('Expected hasRoom before add()')
    this.#openedMs = performance.now()
    this.#timer = setTimeout(() => this.#writeIfDue(), this.#options.maxWaitMs)
    return flush
  }

  /** Begins to write the open flush when it is large or old enough and nothing else is being written. */
  #writeIfDue(isLast = false): void {
    const flush = this.#open
    if (flush === null || this.#writing !== null || this.#failure !== null) return
    const { maxRows, maxWaitMs } = this.#options
    // A timer may fire a little early by this clock.
    const isOld = performance.now() - this.#openedMs >= maxWaitMs - 1
    if (!isLast && !isOld && flush.quotes.length < maxRows) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#open = null
    this.#writing = this.#write(flush)
  }

  async #write(flush: Flush): Promise<void> {
    try {
      const startedMs = performance.now()
      flush.seal(this.#options.incarnation, this.#options.writer)
      await this.#options.sink.write(flush)
      this.#options.onWritten(flush, (performance.now() - startedMs) / 1000)
      for (const id of flush.stored) this.#held.delete(id)
      flush.reset()
      this.#idle.push(flush)
    } catch (error) {
      this.#failure ??= { error }
      this.#fail(error)
    }
    this.#writing = null
    this.#writeIfDue()
    this.#room?.resolve()
    this.#room = null
  }

  /** Writes what is open and resolves when all is written. */
  async finish(): Promise<void> {
    while (this.#writing !== null || this.#open !== null) {
      this.#writeIfDue(true)
      await this.#writing
      if (this.#failure !== null) break
    }
    if (this.#failure !== null) throw this.#failure.error
  }
}
