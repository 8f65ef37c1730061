import type { OpenStream } from '../../services/processor/delivery/ports.ts'
import type { Delivery } from '../../shared/bus/ordered-source.ts'
import { StrikeflowError } from '../../shared/model/errors.ts'
import type { Host } from './host.ts'
import type { SimulatedDelivery, StoredMessage } from './message.ts'
import type { StreamModel } from './stream-model.ts'
import type { World } from './world.ts'

export interface SourceModelOptions {
  readonly host: Host
  readonly stream: StreamModel
  readonly partition: number
  readonly cursor: number
  /** Of the stream the reader means. */
  readonly created: string
  readonly last: { readonly streamSeq: number; readonly messageId: string } | null
}

const fetchAhead = 64
const noHeaders: ReadonlyMap<string, string> = new Map()
const noPayload = new Uint8Array()

/** Behaves as `openOrderedSource` of shared/bus does: in order, each once, and what it knows it compares with what is there at every beginning. */
export class SourceModel implements OpenStream {
  readonly partition: number
  readonly #world: World
  readonly #options: SourceModelOptions
  readonly #queue: SimulatedDelivery[] = []
  /** What has arrived. */
  #lastSeq: number
  #last: { readonly streamSeq: number; readonly messageId: string } | null
  #session = 1
  #isConnected = false
  #isFetching = false
  #failure: Error | null = null
  #isOver = false
  #waiting: PromiseWithResolvers<void> | null = null

  constructor(world: World, options: SourceModelOptions) {
    this.#world = world
    this.#options = options
    this.partition = options.partition
    this.#lastSeq = options.cursor
    this.#last = options.last
  }

  get buffered(): number {
    return this.#queue.length
  }

  [Symbol.asyncIterator](): AsyncIterator<Delivery, void, void> {
    return { next: () => this.#next() }
  }

  async #next(): Promise<IteratorResult<Delivery, void>> {
    while (true) {
      const first = this.#queue.shift()
      if (first !== undefined) {
        this.fetchSoon()
        return { done: false, value: first }
      }
      if (this.#failure !== null) throw this.#failure
      if (this.#isOver) return { done: true, value: undefined }
      this.#waiting ??= Promise.withResolvers()
      await this.#waiting.promise
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#queue.length = 0
    this.#finish(null)
    return Promise.resolve()
  }

  #finish(failure: Error | null): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#failure = failure
    this.#options.stream.leave(this)
    this.#wake()
  }

  #wake(): void {
    this.#waiting?.resolve()
    this.#waiting = null
  }

  /** The server sends what is there; one batch after the other. */
  fetchSoon(): void {
    const { host, stream } = this.#options
    if (this.#isFetching || this.#isOver || !this.#isConnected || host.isDead) return
    this.#isFetching = true
    const session = this.#session
    this.#world.time.after(this.#world.random.between(0.2, 5), () => {
      this.#isFetching = false
      if (session !== this.#session || !stream.isUp) return
      const found = stream.after(this.partition, this.#lastSeq)
      const batch = found.slice(0, Math.min(fetchAhead - this.#queue.length, this.#world.random.integer(1, fetchAhead)))
      if (batch.length === 0) return
      this.#isFetching = true
      host.later(this.#world.random.between(0.1, 2), () => {
        this.#isFetching = false
        if (session !== this.#session || this.#isOver) return
        batch.forEach((message, i) => this.#receive(message, found.length - 1 - i))
        this.fetchSoon()
      })
    })
  }

  #receive({ streamSeq, messageId, body, publishedAtMs }: StoredMessage, pendingCount: number): void {
    const previousSeq = this.#lastSeq
    const common = { subject: '', headers: noHeaders, payload: noPayload }
    const facts = {
      streamSeq,
      previousSeq,
      messageId,
      publisher: null,
      publishedAtMs,
      storedAtMs: publishedAtMs,
      pendingCount,
    }
    this.#queue.push({ ...common, ...facts, body })
    this.#lastSeq = streamSeq
    this.#last = { streamSeq, messageId }
    this.#wake()
  }

  begin(): void {
    void this.#reconnect(this.#session)
  }

  /** The connection breaks, or the consumer is gone; what was under way is lost. */
  disconnect(): void {
    if (this.#isOver) return
    this.#session += 1
    this.#isConnected = false
    this.#isFetching = false
    this.#options.host.later(this.#world.random.between(1, 300), () => void this.#reconnect(this.#session))
  }

  async #reconnect(session: number): Promise<void> {
    const { stream, host } = this.#options
    while (!this.#isOver && session === this.#session) {
      try {
        const broken = await stream.exchange(host, () => this.#broken())
        if (session !== this.#session) return
        if (broken !== null) return this.#finish(broken)
        this.#isConnected = true
        return this.fetchSoon()
      } catch {
        await new Promise<void>((resolve) => host.later(this.#world.random.between(10, 500), resolve))
      }
    }
  }

  /** Why the stream is not the one it was; null when it is. */
  #broken(): Error | null {
    const { stream, created } = this.#options
    const { facts } = stream
    if (facts.created !== created) return reset('the stream was made anew')
    if (this.#last === null) return null
    if (facts.lastSeq < this.#last.streamSeq) return reset('the stream has lost its end')
    const stored = stream.at(this.#last.streamSeq)
    const { streamSeq, messageId } = this.#last
    const isOther = stored === undefined ? stream.isSkipped(streamSeq) : stored.messageId !== messageId
    return isOther ? reset('the stream has another message there') : null
  }
}

const reset = (message: string): StrikeflowError => new StrikeflowError('bus', message, { retryable: true })
