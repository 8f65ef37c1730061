import { setTimeout as sleep } from 'node:timers/promises'
import { headers as newHeaders, type MsgHdrs } from 'nats'
import { StrikeflowError } from '../model/errors.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import type { Bus } from './connect.ts'
import { busError, classify } from './errors.ts'
import { type Headers, headerNames } from './messages.ts'
import { whileConnected } from './while-connected.ts'
import { createWindow } from './window.ts'

/** Largest payload: under the server's 1 MiB, so that the dead-letter copy with its longer subject and headers fits as well. */
export const maxMessageBytes = 1024 * 1024 - 16 * 1024

export interface PublisherOptions {
  /** `<instance>/<boot>`; with a running number it names each message's publisher, so that a gap can be seen. */
  readonly publisherId: string
  /** Messages sent and not yet acknowledged. @default 256 */
  readonly maxInFlight?: number
  /** Wait for one acknowledgement before the message is sent again. @default 2000 */
  readonly timeoutMs?: number
  /** Retries of one message end after this; shorter than the streams' duplicate window. @default 60000 */
  readonly deadlineMs?: number
  /**
   * Retries end as well when the server has been there for so long, since the call, and has not acknowledged the message: its stream
   * is gone or does not answer. @default Infinity
   */
  readonly silenceMs?: number
  /** First pause between attempts; doubles up to 2 s, with jitter. @default 50 */
  readonly backoffMs?: number
  /** Ends all waiting and retrying. */
  readonly signal?: AbortSignal | undefined
  /** Called for each attempt that failed and is tried again. */
  readonly onRetry?: (error: unknown) => void
  /** @default systemClock */
  readonly clock?: Clock
  /** @default Math.random */
  readonly random?: () => number
}

interface PublishOptions {
  /** The same id within the stream's duplicate window is stored once. */
  readonly messageId: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly signal?: AbortSignal | undefined
}

export interface PublishAck {
  readonly streamSeq: number
  /** True when the stream already had this message id; `streamSeq` is then the first copy's. */
  readonly duplicate: boolean
}

interface Enqueued {
  /** The `n` of its `Sf-Publisher`: 1 for the first message of this publisher, without a hole after that. */
  readonly number: number
  readonly acked: Promise<PublishAck>
}

export interface Publisher {
  /**
   * Stores a message durably: resolves when the server has acknowledged it. Messages of one subject are stored in the order of
   * the calls. Rejects with a `StrikeflowError`; `retryable` true means back-pressure or an outage longer than the deadline.
   */
  publish(subject: string, payload: Uint8Array, options: PublishOptions): Promise<PublishAck>
  /** Resolves as soon as the message has a place in the window; for callers that want many under way. */
  enqueue(subject: string, payload: Uint8Array, options: PublishOptions): Promise<Enqueued>
  /**
   * Like `enqueue`, for a message that was published before: the headers go out as they are, this publisher adds none of its own.
   * One without a message id may be stored twice when an acknowledgement is lost.
   */
  enqueueAgain(subject: string, payload: Uint8Array, headers: Headers): Promise<Pick<Enqueued, 'acked'>>
  /** Resolves when nothing is under way; failures are the callers' own. */
  flush(): Promise<void>
  readonly inFlight: number
}

const maxBackoffMs = 2_000

export function createPublisher(bus: Bus, options: PublisherOptions): Publisher {
  const { publisherId, maxInFlight = 256, clock = systemClock, signal } = options
  const window = createWindow(maxInFlight)
  const send = createSender(bus, options)
  const tails = new Map<string, Promise<unknown>>()
  let published = 0

  /** Waits for the message before it on the same subject: a retry must not overtake. */
  async function inTurn(subject: string, message: Message, until: AbortSignal | undefined): Promise<PublishAck> {
    const previous = tails.get(subject)
    const mine = Promise.resolve(previous).then(
      () => send(message, until),
      () => send(message, until),
    )
    tails.set(subject, mine)
    try {
      return await mine
    } finally {
      if (tails.get(subject) === mine) tails.delete(subject)
      window.release()
    }
  }

  async function enqueue(
    subject: string,
    payload: Uint8Array,
    { messageId, headers, signal: own }: PublishOptions,
  ): Promise<Enqueued> {
    refuseTooLarge(subject, payload)
    const enqueuedMs = clock()
    const until = anySignal(signal, own)
    await window.take(until)
    const number = (published += 1)
    const all = newHeaders()
    for (const [name, value] of Object.entries(headers ?? {})) all.set(name, value)
    all.set(headerNames.publisher, `${publisherId}/${number}`)
    all.set(headerNames.publishedAt, String(clock()))
    return { number, acked: begin({ subject, payload, messageId, headers: all, enqueuedMs }, until) }
  }

  function begin(message: Message, until: AbortSignal | undefined): Promise<PublishAck> {
    const acked = inTurn(message.subject, message, until)
    // The failure belongs to whoever awaits `acked`; nobody may, and that must not end the process.
    acked.catch(() => {})
    return acked
  }

  async function enqueueAgain(subject: string, payload: Uint8Array, headers: Headers) {
    const enqueuedMs = clock()
    await window.take(signal)
    const all = newHeaders()
    for (const [name, value] of headers) all.set(name, value)
    const messageId = headers.get(headerNames.messageId)
    return { acked: begin({ subject, payload, messageId, headers: all, enqueuedMs }, signal) }
  }

  return {
    enqueue,
    enqueueAgain,
    publish: async (subject, payload, publishOptions) => (await enqueue(subject, payload, publishOptions)).acked,
    flush: () => window.idle(),
    get inFlight() {
      return window.inUse
    },
  }
}

/** Throws StrikeflowError `bus` for what no attempt can publish. */
export function refuseTooLarge(subject: string, payload: Uint8Array): void {
  if (payload.length <= maxMessageBytes) return
  throw new StrikeflowError('bus', `Expected at most ${maxMessageBytes} bytes, was ${payload.length} (${subject})`)
}

interface Message {
  readonly subject: string
  readonly payload: Uint8Array
  readonly messageId: string | undefined
  readonly headers: MsgHdrs
  readonly enqueuedMs: number
}

type Send = (message: Message, signal: AbortSignal | undefined) => Promise<PublishAck>

/** Sends one message until it is acknowledged, always under the same id, so that no attempt can store it twice. */
function createSender(bus: Bus, options: PublisherOptions): Send {
  const { timeoutMs = 2_000, deadlineMs = 60_000, silenceMs = Infinity, backoffMs = 50, onRetry } = options
  const { clock = systemClock, random = Math.random } = options

  let connectedMs = 0

  async function untilConnected(signal: AbortSignal | undefined, limitMs: number): Promise<void> {
    if (bus.status() === 'connected') return
    await waitConnected(bus, signal, limitMs)
    connectedMs = clock()
  }

  const isSilent = (message: Message, atMs: number): boolean =>
    bus.status() === 'connected' && atMs > Math.max(message.enqueuedMs, connectedMs) + silenceMs

  return async function send(message, signal) {
    const deadline = clock() + deadlineMs
    for (let attempt = 0; ; attempt += 1) {
      try {
        await untilConnected(signal, deadline - clock())
        return await attemptOnce(bus, message, timeoutMs)
      } catch (error) {
        signal?.throwIfAborted()
        const pauseMs = Math.min(maxBackoffMs, backoffMs * 2 ** attempt) * (0.5 + random())
        const nextMs = clock() + pauseMs
        if (classify(error) !== 'transient' || nextMs > deadline || isSilent(message, nextMs)) {
          throw busError(`cannot publish on ${message.subject}`, error)
        }
        onRetry?.(error)
        await sleep(pauseMs, undefined, signal === undefined ? {} : { signal })
      }
    }
  }
}

async function waitConnected(bus: Bus, signal: AbortSignal | undefined, limitMs: number): Promise<void> {
  const limit = AbortSignal.timeout(Math.max(1, Math.ceil(limitMs)))
  try {
    await bus.connected(anySignal(signal, limit))
  } catch (error) {
    if (limit.aborted) throw new StrikeflowError('bus', 'NATS is away', { retryable: true, cause: error })
    throw error
  }
}

async function attemptOnce(bus: Bus, { subject, payload, messageId, headers }: Message, timeoutMs: number) {
  const id = messageId === undefined ? {} : { msgID: messageId }
  const sent = bus.js.publish(subject, payload, { ...id, headers, timeout: timeoutMs })
  const { seq, duplicate } = await whileConnected(bus, sent)
  return { streamSeq: seq, duplicate }
}

function anySignal(first: AbortSignal | undefined, second: AbortSignal | undefined): AbortSignal | undefined {
  if (first === undefined) return second
  return second === undefined ? first : AbortSignal.any([first, second])
}
