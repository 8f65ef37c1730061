import type { Bus } from '../../../shared/bus/connect.ts'
import { nextMessage } from '../../../shared/bus/messages.ts'
import { type Delivery, openOrderedSource, type OrderedSource } from '../../../shared/bus/ordered-source.ts'
import { type StreamInfo, streamInfo } from '../../../shared/bus/streams.ts'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import { createdOf } from '../delivery/place.ts'
import type { InputSource, WantedMessage } from './inputs.ts'

const stream = 'CHAINS'
const everyChain = 'chains.raw.>'

/** Wanted messages that lie further apart are looked up anew instead of reading what is between. */
const longestRead = 2_000

/** CHAINS as it is now. Reads with a consumer of its own and leaves nothing behind. */
export async function openStreamInput(bus: Bus): Promise<InputSource> {
  try {
    return new StreamInput(bus, await streamInfo(bus, stream))
  } catch (error) {
    if (!(error instanceof StrikeflowError) || error.retryable) throw error
    return {
      name: 'stream',
      at: () => Promise.resolve(error.message),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  }
}

class StreamInput implements InputSource {
  readonly name = 'stream'
  readonly #bus: Bus
  #info: StreamInfo
  #source: OrderedSource | null = null
  #messages: AsyncIterator<Delivery, void, void> | null = null
  /** The last one that was read; the next wanted one may be the same. */
  #last: Delivery | null = null

  constructor(bus: Bus, info: StreamInfo) {
    this.#bus = bus
    this.#info = info
  }

  async at({ incarnation, streamSeq, messageId, previousSeq }: WantedMessage): Promise<Delivery | string> {
    // It goes on while we read.
    if (streamSeq > this.#info.lastSeq) this.#info = await streamInfo(this.#bus, stream)
    const { created, firstSeq, lastSeq } = this.#info
    if (createdOf(incarnation) !== created) return `CHAINS was made anew at ${created}`
    if (streamSeq < firstSeq) return `CHAINS begins at ${firstSeq} now`
    if (streamSeq > lastSeq) return `CHAINS ends at ${lastSeq}`
    const delivery = await this.#read(streamSeq)
    if (delivery?.streamSeq !== streamSeq) return 'CHAINS has no message there'
    if ((delivery.messageId ?? '') !== messageId) return `CHAINS has ${delivery.messageId ?? 'another message'} there`
    return { ...delivery, previousSeq }
  }

  /** The first message at or after a sequence; null when there is none. */
  async #read(streamSeq: number): Promise<Delivery | null> {
    const last = this.#last
    if (last !== null && last.streamSeq === streamSeq) return last
    const isNear = last !== null && streamSeq > last.streamSeq && streamSeq - last.streamSeq <= longestRead
    if (!isNear || this.#messages === null) return await this.#open(streamSeq)
    return await this.#upTo(streamSeq, this.#messages)
  }

  async #open(streamSeq: number): Promise<Delivery | null> {
    await this.#source?.[Symbol.asyncDispose]()
    this.#source = null
    this.#last = null
    if (!(await this.#hasFrom(streamSeq))) return null
    const { created } = this.#info
    this.#source = await openOrderedSource(this.#bus, {
      stream,
      created,
      filterSubject: everyChain,
      fromSeq: streamSeq,
    })
    this.#messages = this.#source[Symbol.asyncIterator]()
    return await this.#upTo(streamSeq, this.#messages)
  }

  /** A consumer would wait for what is not there. */
  async #hasFrom(streamSeq: number): Promise<boolean> {
    return (await nextMessage(this.#bus, stream, streamSeq, everyChain)) !== null
  }

  async #upTo(streamSeq: number, messages: AsyncIterator<Delivery, void, void>): Promise<Delivery | null> {
    while (this.#last === null || this.#last.streamSeq < streamSeq) {
      if (this.#last?.pendingCount === 0 && !(await this.#hasFrom(streamSeq))) return null
      const next = await messages.next()
      if (next.done === true) return null
      this.#last = next.value
    }
    return this.#last
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source?.[Symbol.asyncDispose]()
  }
}
