import { setTimeout as sleep } from 'node:timers/promises'
import type { Msg } from 'nats'
import { instantMs } from '../model/instant.ts'
import type { DeliveryFacts } from './ack-reply.ts'
import type { Bus } from './connect.ts'
import { busError, classify, StreamResetError } from './errors.ts'
import { type Headers, headerNames, messageAt, ownCopy, readHeaders } from './messages.ts'
import { PullSession, type Room } from './pull-session.ts'
import { type StreamInfo, streamInfo } from './streams.ts'
import { whileConnected } from './while-connected.ts'

export interface Delivery {
  readonly subject: string
  readonly streamSeq: number
  /** Sequence delivered before this one by this source: consecutive deliveries form an unbroken chain. */
  readonly previousSeq: number
  /** Null when it was published without one. */
  readonly messageId: string | null
  readonly headers: Headers
  /** An own copy, aligned to 8 bytes. */
  readonly payload: Uint8Array
  /** `<instance>/<boot>/<n>` of whoever published it; null when it does not say. */
  readonly publisher: string | null
  /** By the publisher's clock; by the server's where the publisher did not say. */
  readonly publishedAtMs: number
  /** By the server's clock; never goes back within a stream. */
  readonly storedAtMs: number
  /** Messages behind this one in the stream, under the same filter. */
  readonly pendingCount: number
}

type DeliveryParts = Pick<
  Delivery,
  'subject' | 'streamSeq' | 'previousSeq' | 'headers' | 'payload' | 'storedAtMs' | 'pendingCount'
>

/** The delivery of a message, whose headers say who published it when. */
export function deliveryOf(parts: DeliveryParts): Delivery {
  const { subject, streamSeq, previousSeq, headers, payload, storedAtMs, pendingCount } = parts
  const publishedAt = Number(headers.get(headerNames.publishedAt) ?? Number.NaN)
  return {
    subject,
    streamSeq,
    previousSeq,
    messageId: headers.get(headerNames.messageId) ?? null,
    headers,
    payload,
    publisher: headers.get(headerNames.publisher) ?? null,
    publishedAtMs: instantMs.safeParse(publishedAt).data ?? storedAtMs,
    storedAtMs,
    pendingCount,
  }
}

export interface OrderedSourceOptions {
  readonly stream: string
  readonly filterSubject: string
  /** First sequence wanted. */
  readonly fromSeq: number
  /** What the first delivery gives as its `previousSeq`. @default fromSeq - 1 */
  readonly previousSeq?: number
  /** What is known to stand before the first sequence wanted: when it no longer does, the stream has gone back. */
  readonly last?: Pick<Delivery, 'streamSeq' | 'messageId'> | null
  /** Creation time of the stream the reader means. @default that of the stream which is there */
  readonly created?: string
  /** Messages fetched ahead of the reader. @default 256 */
  readonly maxMessages?: number
  /** The server shows a sign of life this often; three missed ones begin a new consumer. @default 2000 */
  readonly heartbeatMs?: number
  /** The server is asked for messages anew this often. @default 30000 */
  readonly expiresMs?: number
}

/**
 * The messages of one filter in stream order, each once, without a gap: through deletion of the consumer, reconnects and restarts
 * of the server it goes on after the last delivery. Fetches ahead at most `maxMessages`, and at most its share of the bytes all
 * sources on the connection may have under way. Rejects with `StreamResetError` when the stream was made anew or lost its end:
 * then sequences mean other messages and only the reader can know where to go on.
 */
export interface OrderedSource extends AsyncIterable<Delivery, void, void>, AsyncDisposable {
  [Symbol.asyncIterator](): AsyncIterator<Delivery, void, void>
  /** Consumers begun after the first one. */
  readonly restarts: number
  /** Fetched and not yet read. */
  readonly buffered: number
}

/** Subject, reply and headers of a delivery, generously. */
const overheadBytes = 1_024

/** Opens the source; rejects where there is no such stream. */
export async function openOrderedSource(bus: Bus, options: OrderedSourceOptions): Promise<OrderedSource> {
  const info = await streamInfo(bus, options.stream)
  return new Source(bus, options, info)
}

class Source implements OrderedSource {
  readonly #bus: Bus
  readonly #options: Required<Omit<OrderedSourceOptions, 'created'>>
  readonly #created: string
  readonly #closing = new AbortController()
  readonly #leaveBudget: () => void
  readonly #running: Promise<void>
  readonly #queue: { readonly delivery: Delivery; readonly bytes: number }[] = []
  #queuedBytes = 0
  #lastSeq: number
  #previousSeq: number
  #last: Pick<Delivery, 'streamSeq' | 'messageId'> | null = null
  #session: PullSession | null = null
  #sessions = 0
  #failure: unknown = null
  #isOver = false
  #waiting: PromiseWithResolvers<void> | null = null

  constructor(bus: Bus, options: OrderedSourceOptions, info: StreamInfo) {
    const { fromSeq, previousSeq = fromSeq - 1, last = null, maxMessages = 256 } = options
    const { heartbeatMs = 2_000, expiresMs = 30_000 } = options
    this.#bus = bus
    this.#options = { ...options, previousSeq, last, maxMessages, heartbeatMs, expiresMs }
    this.#last = last
    this.#created = options.created ?? info.created
    this.#lastSeq = fromSeq - 1
    this.#previousSeq = previousSeq
    this.#leaveBudget = bus.budget.join()
    this.#running = this.#run()
  }

  get restarts(): number {
    return Math.max(0, this.#sessions - 1)
  }

  get buffered(): number {
    return this.#queue.length
  }

  [Symbol.asyncIterator](): AsyncIterator<Delivery, void, void> {
    return {
      next: () => this.#next(),
      return: async () => {
        await this[Symbol.asyncDispose]()
        return { done: true, value: undefined }
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#finish(null)
    this.#queue.length = 0
    this.#queuedBytes = 0
    await this.#running
  }

  async #next(): Promise<IteratorResult<Delivery, void>> {
    while (true) {
      const first = this.#queue.shift()
      if (first !== undefined) {
        this.#queuedBytes -= first.bytes
        this.#session?.pull()
        return { done: false, value: first.delivery }
      }
      if (this.#failure !== null) throw this.#failure
      if (this.#isOver) return { done: true, value: undefined }
      this.#waiting ??= Promise.withResolvers()
      await this.#waiting.promise
    }
  }

  #wake(): void {
    this.#waiting?.resolve()
    this.#waiting = null
  }

  #finish(failure: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#failure = failure
    this.#closing.abort()
    this.#session?.close()
    this.#leaveBudget()
    this.#wake()
  }

  /** One session after the other until the source is closed or cannot go on. */
  async #run(): Promise<void> {
    let failures = 0
    while (!this.#isOver) {
      const before = this.#lastSeq
      try {
        await this.#bus.connected(this.#closing.signal)
        const end = await this.#runSession()
        if (end !== 'closed')
          this.#bus.log.info({ ...this.#facts(), reason: end }, 'ordered source begins a new consumer')
      } catch (error) {
        if (this.#isOver) return
        if (this.#cannotGoOn(error)) {
          this.#finish(busError(`cannot read ${this.#options.filterSubject}`, error))
          return
        }
        this.#bus.log.warn({ ...this.#facts(), err: error }, 'ordered source cannot read yet')
      }
      failures = this.#lastSeq > before ? 0 : failures + 1
      const pauseMs = Math.min(2_000, 10 * 2 ** failures) * (0.5 + Math.random())
      await sleep(pauseMs, undefined, { signal: this.#closing.signal }).catch(() => {})
    }
  }

  /** What was refused from the start stays refused; later it may be a server that is still coming up. */
  #cannotGoOn(error: unknown): boolean {
    if (error instanceof StreamResetError || this.#bus.connection.isClosed()) return true
    return this.#sessions === 0 && classify(error) === 'fatal'
  }

  async #runSession(): Promise<string> {
    const { stream, filterSubject, heartbeatMs, expiresMs } = this.#options
    const opening = PullSession.open({
      bus: this.#bus,
      stream,
      filterSubject,
      heartbeatMs,
      expiresMs,
      fromSeq: this.#lastSeq + 1,
      room: () => this.#room(),
      onMessage: (message, facts) => this.#receive(message, facts),
    })
    const session = await this.#orClosed(opening).catch((error: unknown) => {
      // Nobody waits for the answer any more, but a consumer that it brings must not stay behind.
      opening.then((late) => late.close()).catch(() => {})
      throw error
    })
    try {
      // Not before: between a look and the making of a consumer the stream could be another. A consumer goes with its stream.
      await this.#orClosed(this.#checkContinuity())
    } catch (error) {
      session.close()
      throw error
    }
    this.#session = session
    this.#sessions += 1
    if (this.#isOver) session.close()
    session.pull()
    const end = await session.ended
    this.#session = null
    return end
  }

  /** Rejects as soon as the source is closed, or the connection lost on which the answer would come. */
  async #orClosed<T>(promise: Promise<T>): Promise<T> {
    const closed = Promise.withResolvers<never>()
    const onAbort = (): void => closed.reject(this.#closing.signal.reason as Error)
    const { signal } = this.#closing
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
    try {
      return await Promise.race([whileConnected(this.#bus, promise), closed.promise])
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  #room(): Room {
    const { maxMessages } = this.#options
    const maxBytes = this.#bus.budget.shareBytes()
    return {
      maxMessages,
      maxBytes,
      messages: maxMessages - this.#queue.length,
      bytes: maxBytes - this.#queuedBytes,
    }
  }

  #receive(message: Msg, facts: DeliveryFacts): void {
    const delivery = deliveryOf({
      ...facts,
      subject: message.subject,
      previousSeq: this.#previousSeq,
      headers: readHeaders(() => message.headers),
      payload: ownCopy(message.data),
    })
    const bytes = message.data.length + overheadBytes
    this.#queue.push({ delivery, bytes })
    this.#queuedBytes += bytes
    this.#lastSeq = facts.streamSeq
    this.#previousSeq = facts.streamSeq
    this.#last = { streamSeq: delivery.streamSeq, messageId: delivery.messageId }
    this.#wake()
  }

  /** A server that comes back may have another stream, or less of it: a consumer would then wait, or skip, in silence. */
  async #checkContinuity(): Promise<void> {
    const { stream } = this.#options
    const { created, lastSeq } = await streamInfo(this.#bus, stream)
    if (created !== this.#created) {
      throw new StreamResetError(`Stream ${stream} was made anew at ${created}, before that at ${this.#created}`)
    }
    const last = this.#last
    if (last === null) return
    if (lastSeq < last.streamSeq) {
      throw new StreamResetError(`Stream ${stream} ends at ${lastSeq}, but ${last.streamSeq} was already delivered`)
    }
    const stored = await messageAt(this.#bus, stream, last.streamSeq)
    if (stored !== null && stored.messageId !== last.messageId) {
      throw new StreamResetError(`Stream ${stream} has another message at ${last.streamSeq} than it delivered`)
    }
  }

  #facts(): Record<string, string | number> {
    return { stream: this.#options.stream, subject: this.#options.filterSubject, streamSeq: this.#lastSeq }
  }
}
