import type { ChainStream, OpenStream, Place, StreamFacts } from '../../services/processor/delivery/ports.ts'
import { createdOf } from '../../services/processor/delivery/place.ts'
import { StrikeflowError } from '../../shared/model/errors.ts'
import { exchange, type ExchangeOptions } from './exchange.ts'
import type { Host } from './host.ts'
import type { Body, StoredMessage } from './message.ts'
import { SourceModel } from './source-model.ts'
import type { World } from './world.ts'

export const busFailure = (message: string): StrikeflowError => new StrikeflowError('bus', message, { retryable: true })

/** One stream of all partitions with one sequence, as JetStream has it, and all that can happen to it. */
export class StreamModel {
  readonly #world: World
  readonly #partitions: number
  /** By partition, in order. */
  #messages: StoredMessage[][]
  #bySeq = new Map<number, StoredMessage>()
  readonly #sources = new Set<SourceModel>()
  #incarnation = 1
  #firstSeq = 1
  #lastSeq = 0
  /** `sequence/message id` of what the stream has lost at its end. */
  readonly #lost = new Set<string>()
  readonly #skipped = new Set<number>()
  isUp = true

  constructor(world: World, partitions: number) {
    this.#world = world
    this.#partitions = partitions
    this.#messages = this.#none()
  }

  #none(): StoredMessage[][] {
    return Array.from({ length: this.#partitions }, () => [])
  }

  get facts(): StreamFacts {
    return { created: `C${this.#incarnation}`, firstSeq: this.#firstSeq, lastSeq: this.#lastSeq }
  }

  get size(): number {
    return this.#bySeq.size
  }

  all(): readonly StoredMessage[] {
    return [...this.#bySeq.values()]
  }

  at(streamSeq: number): StoredMessage | undefined {
    return this.#bySeq.get(streamSeq)
  }

  /** Messages of a partition after a sequence. */
  after(partition: number, streamSeq: number): readonly StoredMessage[] {
    const own = this.#messages[partition] ?? []
    let from = own.length
    while (from > 0 && (own[from - 1] as StoredMessage).streamSeq > streamSeq) from -= 1
    return own.slice(from)
  }

  publish(partition: number, messageId: string, body: Body): StoredMessage {
    // Not modelled: the very same message at the very same place after others were lost before it. Nobody could see that.
    while (this.#lost.has(`${this.#lastSeq + 1}/${messageId}`)) this.#skipped.add((this.#lastSeq += 1))
    const streamSeq = (this.#lastSeq += 1)
    const message = { streamSeq, partition, messageId, body, publishedAtMs: this.#world.time.nowMs }
    this.#bySeq.set(streamSeq, message)
    this.#messages[partition]?.push(message)
    this.#world.note?.(`published ${messageId} at ${streamSeq} of partition ${partition} (${body.kind})`)
    for (const source of this.#sources) if (source.partition === partition) source.fetchSoon()
    return message
  }

  /** Discards all below a sequence. */
  purge(belowSeq: number): void {
    this.#firstSeq = Math.max(this.#firstSeq, Math.min(belowSeq, this.#lastSeq + 1))
    this.#keep(({ streamSeq }) => streamSeq >= this.#firstSeq)
  }

  delete(streamSeq: number): void {
    this.#keep((message) => message.streamSeq !== streamSeq)
    while (this.#firstSeq <= this.#lastSeq && !this.#bySeq.has(this.#firstSeq)) this.#firstSeq += 1
  }

  /** True where another message would stand, but for what is not modelled. */
  isSkipped(streamSeq: number): boolean {
    return streamSeq >= this.#firstSeq && this.#skipped.has(streamSeq)
  }

  makeAnew(): void {
    this.#incarnation += 1
    this.#lost.clear()
    this.#skipped.clear()
    this.#firstSeq = 1
    this.#lastSeq = 0
    this.#keep(() => false)
    this.disconnect()
  }

  /** A power cut: the last messages are gone, and their sequences will be given to others. */
  loseEnd(fromSeq: number): void {
    for (const { streamSeq, messageId } of this.all())
      if (streamSeq >= fromSeq) this.#lost.add(`${streamSeq}/${messageId}`)
    this.#lastSeq = Math.max(0, fromSeq - 1)
    this.#firstSeq = Math.min(this.#firstSeq, this.#lastSeq + 1)
    this.#keep(({ streamSeq }) => streamSeq < fromSeq)
    this.disconnect()
  }

  #keep(isKept: (message: StoredMessage) => boolean): void {
    const kept = [...this.#bySeq.values()].filter(isKept)
    this.#bySeq = new Map(kept.map((message) => [message.streamSeq, message]))
    this.#messages = this.#none()
    for (const message of kept) this.#messages[message.partition]?.push(message)
  }

  disconnect(): void {
    for (const source of this.#sources) source.disconnect()
  }

  /** Some reader's consumer is deleted: it has to begin another. */
  deleteConsumer(): boolean {
    const source = this.#world.random.pick([...this.#sources])
    source?.disconnect()
    return source !== undefined
  }

  leave(source: SourceModel): void {
    this.#sources.delete(source)
  }

  exchange<T>(host: Host, serve: () => T): Promise<T> {
    const options: ExchangeOptions = {
      isUp: () => this.isUp,
      failure: (message) => busFailure(`the stream ${message}`),
      lost: 'bus request lost',
      answerLost: 'bus answer lost',
      probability: 0.007,
    }
    return exchange(this.#world, host, serve, options)
  }

  /** The stream as one process sees it. */
  client(host: Host, onOpen: (place: Place) => void): ChainStream {
    return {
      facts: () => this.exchange(host, () => this.facts),
      messageIdAt: (streamSeq) =>
        this.exchange(host, () => {
          const message = this.at(streamSeq)
          return message === undefined ? null : { messageId: message.messageId }
        }),
      open: (place, cursorMessageId) => this.#open(host, place, cursorMessageId, onOpen),
    }
  }

  async #open(
    host: Host,
    place: Place,
    cursorMessageId: string | null,
    onOpen: (place: Place) => void,
  ): Promise<OpenStream> {
    await this.exchange(host, () => this.facts)
    onOpen(place)
    const created = createdOf(place.incarnation)
    const { partition, cursor } = place
    const last = cursorMessageId === null || cursor === 0 ? null : { streamSeq: cursor, messageId: cursorMessageId }
    const source = new SourceModel(this.#world, { host, stream: this, partition, cursor, created, last })
    this.#sources.add(source)
    source.begin()
    return source
  }
}
