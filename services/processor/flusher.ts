import { Flush, type Processed, type RowCounts, type Writer } from './flush.ts'
import type { Sink } from './sink.ts'

export interface FlusherOptions {
  readonly sink: Sink
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

/**
 * Collects processed messages into flushes by rows or time and writes them one after the other: while one is being
 * written the next fills, and when that is full too, readers wait for room.
 */
export class Flusher {
  readonly #options: FlusherOptions
  readonly #idle: Flush[] = [new Flush(), new Flush()]
  #open: Flush | null = null
  #timer: NodeJS.Timeout | null = null
  #writing: Promise<void> = Promise.resolve()
  #room: PromiseWithResolvers<void> | null = null
  #failure: { readonly error: unknown } | null = null
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
    return this.#open !== null || this.#idle.length > 0
  }

  /** Resolves when there may be room again. */
  async roomAgain(): Promise<void> {
    this.#room ??= Promise.withResolvers()
    await this.#room.promise
  }

  /** True when the open flush or one being written stores this snapshot: a copy of it is a duplicate. */
  holds(snapshotId: string): boolean {
    return this.#held.has(snapshotId)
  }
  readonly #held = new Set<string>()

  add({ processed, present, publishes }: Addition): void {
    const flush = (this.#open ??= this.#begin())
    flush.add(processed, this.#options.writer, present)
    flush.publishes.push(...publishes)
    if (processed.outcome === 'stored' && processed.snapshot !== null)
      this.#held.add(processed.snapshot.meta.snapshotId)
    if (flush.quotes.length >= this.#options.maxRows) this.#close(flush)
  }

  #begin(): Flush {
    const flush = this.#idle.pop()
    if (flush === undefined) throw new TypeError('Expected hasRoom before add()')
    this.#timer = setTimeout(() => this.#close(flush), this.#options.maxWaitMs)
    return flush
  }

  #close(flush: Flush): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#open = null
    this.#writing = this.#writing.then(() => this.#write(flush)).catch((error: unknown) => this.#stop(error))
  }

  #stop(error: unknown): void {
    this.#failure ??= { error }
    this.#fail(error)
    this.#wake()
  }

  async #write(flush: Flush): Promise<void> {
    if (this.#failure !== null) return
    const startedMs = performance.now()
    flush.seal(this.#options.incarnation, this.#options.writer)
    await this.#options.sink.write(flush)
    this.#options.onWritten(flush, (performance.now() - startedMs) / 1000)
    for (const id of flush.stored.keys()) this.#held.delete(id)
    flush.reset()
    this.#idle.push(flush)
    this.#wake()
  }

  #wake(): void {
    this.#room?.resolve()
    this.#room = null
  }

  /** Writes what is open and resolves when all is written. */
  async finish(): Promise<void> {
    if (this.#open !== null) this.#close(this.#open)
    await this.#writing
    if (this.#failure !== null) throw this.#failure.error
  }
}
