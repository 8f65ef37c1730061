import { setTimeout as sleep } from 'node:timers/promises'
import { AckPolicy, type ConsumerMessages, DeliverPolicy, type JsMsg } from '@nats-io/jetstream'
import { nanos } from 'nats'
import type { Bus } from './connect.ts'
import { busError, classify } from './errors.ts'
import { type Headers, headerNames, ownCopy, readHeaders } from './messages.ts'
import { streamInfo } from './streams.ts'
import { whileConnected } from './while-connected.ts'

export interface DurableOptions {
  readonly stream: string
  /** Name of the consumer on the server, which remembers what was acknowledged; processes with one name share the work. */
  readonly durable: string
  readonly filterSubject: string
  /** Where a consumer that does not exist yet begins. @default all */
  readonly begin?: 'all' | 'new'
  /** A message not acknowledged after this is delivered again. @default 30000 */
  readonly ackWaitMs?: number
  /** Deliveries before the server gives a message up; -1 never. @default -1 */
  readonly maxDeliveries?: number
  /** Messages fetched ahead of the reader. @default 64 */
  readonly maxMessages?: number
}

export interface DurableMessage {
  readonly subject: string
  readonly streamSeq: number
  readonly messageId: string | null
  readonly headers: Headers
  readonly payload: Uint8Array
  /** 1 at the first delivery. */
  readonly deliveryCount: number
  /** Resolves when the server has noted it and the message does not come again; or when it could not be told, and it does. */
  ack(): Promise<void>
  /** Asks for another delivery, at once or later. */
  nak(delayMs?: number): void
  /** Still at work on it: the wait for the acknowledgement begins anew. */
  working(): void
  /** Gives it up: it does not come again. */
  term(): void
}

/** Messages at least once, in stream order at the first delivery; survives reconnects and restarts of the server. */
export interface DurableSource extends AsyncIterable<DurableMessage, void, void>, AsyncDisposable {}

/** Opens (and creates at the first time) a durable consumer, until the signal aborts; rejects where there is no such stream. */
export async function openDurable(bus: Bus, options: DurableOptions, signal?: AbortSignal): Promise<DurableSource> {
  try {
    await streamInfo(bus, options.stream)
    await ensureConsumer(bus, options)
  } catch (error) {
    // A server that is away for a moment: the reader makes the consumer when it is back.
    if (classify(error) !== 'transient') throw error
  }
  const closing = new AbortController()
  let current: ConsumerMessages | null = null
  const source = read(bus, options, closing.signal, (messages) => (current = messages))
  async function close(): Promise<void> {
    closing.abort()
    current?.stop()
    await source.return()
  }
  signal?.addEventListener('abort', () => void close(), { once: true })
  // Told while it was being opened: nobody would tell it again.
  if (signal?.aborted === true) closing.abort()
  return { [Symbol.asyncIterator]: () => source, [Symbol.asyncDispose]: close }
}

/** Messages that a durable consumer has yet to be given, or that are given and not acknowledged. */
export async function backlogOf(
  bus: Bus,
  { stream, durable }: Pick<DurableOptions, 'stream' | 'durable'>,
): Promise<number> {
  try {
    const { num_pending, num_ack_pending } = await whileConnected(bus, bus.jsm.consumers.info(stream, durable))
    return num_pending + num_ack_pending
  } catch (error) {
    throw busError(`cannot read the state of consumer ${durable} on stream ${stream}`, error)
  }
}

async function* read(
  bus: Bus,
  options: DurableOptions,
  signal: AbortSignal,
  reading: (messages: ConsumerMessages | null) => void,
): AsyncGenerator<DurableMessage, void, void> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      await bus.connected(signal)
      await ensureConsumer(bus, options)
      const consumer = await bus.js.consumers.get(options.stream, options.durable)
      const messages = await consumer.consume({
        max_messages: options.maxMessages ?? 64,
        expires: 5_000,
        abort_on_missing_resource: true,
      })
      reading(messages)
      if (signal.aborted) return
      const iterator = messages[Symbol.asyncIterator]()
      try {
        for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
          failures = 0
          yield toDurableMessage(bus, next.value, options)
        }
      } finally {
        await giveBack(messages, iterator)
      }
    } catch (error) {
      if (signal.aborted) return
      if (bus.connection.isClosed()) throw busError(`cannot read ${options.durable}`, error)
      bus.log.warn({ stream: options.stream, consumer: options.durable, err: error }, 'durable source begins again')
    } finally {
      reading(null)
    }
    await sleep(Math.min(2_000, 50 * 2 ** failures), undefined, { signal }).catch(() => {})
  }
}

/** Not at once: server 2.9 would send it to the closed reader's own last request, and count that as a delivery. */
const giveBackMs = 100

/** What was fetched ahead and not read goes to another process now and not only after the wait for its acknowledgement. */
async function giveBack(messages: ConsumerMessages, iterator: AsyncIterator<JsMsg>): Promise<void> {
  messages.stop()
  try {
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) next.value.nak(giveBackMs)
  } catch {
    // The server does the same by itself after the wait.
  }
}

async function ensureConsumer(bus: Bus, options: DurableOptions): Promise<void> {
  const { stream, durable, filterSubject, begin = 'all', ackWaitMs = 30_000, maxDeliveries = -1 } = options
  try {
    await bus.jsm.consumers.add(stream, {
      durable_name: durable,
      filter_subject: filterSubject,
      deliver_policy: begin === 'new' ? DeliverPolicy.New : DeliverPolicy.All,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(ackWaitMs),
      max_deliver: maxDeliveries,
      max_ack_pending: 500,
    })
  } catch (error) {
    if (classify(error) === 'transient') throw error
    throw busError(`cannot set up consumer ${durable} on stream ${stream}`, error)
  }
}

function toDurableMessage(bus: Bus, message: JsMsg, { stream, durable }: DurableOptions): DurableMessage {
  const headers = readHeaders(() => message.headers)
  return {
    subject: message.subject,
    streamSeq: message.seq,
    messageId: headers.get(headerNames.messageId) ?? null,
    headers,
    payload: ownCopy(message.data),
    deliveryCount: message.info.deliveryCount,
    async ack() {
      try {
        await message.ackAck()
      } catch (err) {
        bus.log.warn({ stream, consumer: durable, streamSeq: message.seq, err }, 'message could not be acknowledged')
      }
    },
    nak: (delayMs) => message.nak(delayMs),
    working: () => message.working(),
    term: () => message.term(),
  }
}
