import { AckPolicy, DeliverPolicy } from '@nats-io/jetstream'
import { createInbox, type Msg, nanos, nuid, type Subscription } from 'nats'
import { type DeliveryFacts, parseAckReply } from './ack-reply.ts'
import type { Bus } from './connect.ts'

export interface PullSessionOptions {
  readonly bus: Bus
  readonly stream: string
  readonly filterSubject: string
  readonly fromSeq: number
  readonly heartbeatMs: number
  /** Of one request. */
  readonly expiresMs: number
  /** Room for messages and bytes that the reader has at this moment, and what it has when it is empty. */
  readonly room: () => Room
  readonly onMessage: (message: Msg, facts: DeliveryFacts) => void
}

export interface Room {
  readonly messages: number
  readonly bytes: number
  readonly maxMessages: number
  readonly maxBytes: number
}

/** Why a session ended; the reader opens another at the message after the last one received. */
export type SessionEnd = 'rested' | 'disconnected' | 'consumer gone' | 'delivery lost' | 'silent' | 'refused' | 'closed'

/**
 * After its time and so much more a request is taken for over, whatever the server says: 2.9.10 forgets to say it now and then, and its
 * heartbeats, which then are missed, take up to 8 s to show it.
 */
const lapseMs = 200
/** The server drops a consumer nobody has asked for this long; a reader that comes back later opens a new session. */
const inactiveMs = 60_000
const quietBeatsAllowed = 3

interface PullRequest {
  readonly number: number
  readonly batch: number
  readonly wholeRoom: boolean
  received: number
}

/**
 * One ephemeral consumer and the pull requests on it, one at a time. Each request is limited by messages and by bytes, so what
 * the server may send is known exactly; a request that a byte limit ended is simply followed by the next one, as soon as there
 * is room again. Anything irregular ends the session: to begin anew at a known sequence is always right.
 */
export class PullSession {
  readonly ended: Promise<SessionEnd>
  readonly #options: PullSessionOptions
  readonly #name: string
  readonly #inbox: string
  readonly #subscription: Subscription
  readonly #finish: (end: SessionEnd) => void
  readonly #monitor: NodeJS.Timeout
  #request: PullRequest | null = null
  #requests = 0
  #lapse: NodeJS.Timeout | undefined
  #delivered = 0
  #active = true
  #quietBeats = 0
  #restingBeats = 0
  /** Grows past a message larger than the reader's whole room: otherwise the source would stop there for ever. */
  #leastBytes = 0
  #isOver = false

  static async open(options: PullSessionOptions): Promise<PullSession> {
    const { bus, stream, filterSubject, fromSeq } = options
    const name = `sf_${nuid.next()}`
    await bus.jsm.consumers.add(stream, {
      name,
      filter_subject: filterSubject,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: fromSeq,
      ack_policy: AckPolicy.None,
      inactive_threshold: nanos(inactiveMs),
      num_replicas: 1,
      mem_storage: true,
    })
    return new PullSession(options, name)
  }

  private constructor(options: PullSessionOptions, name: string) {
    const { bus, heartbeatMs } = options
    const { promise, resolve } = Promise.withResolvers<SessionEnd>()
    this.#options = options
    this.#name = name
    this.#inbox = createInbox(bus.inboxPrefix)
    this.#subscription = bus.connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => (error === null ? this.#receive(message) : this.#end('refused')),
    })
    const release = bus.onStatus(() => this.#end('disconnected'))
    this.#monitor = setInterval(() => this.#beat(), heartbeatMs)
    this.#finish = (end) => {
      release()
      resolve(end)
    }
    this.ended = promise
    if (bus.status() === 'disconnected') this.#end('disconnected')
  }

  /** Asks for more when there is room for it; to be called whenever room may have come free. */
  pull(): void {
    if (this.#isOver || this.#request !== null) return
    const { room, heartbeatMs, expiresMs, bus, stream } = this.#options
    const { messages, bytes, maxMessages, maxBytes } = room()
    const isEmpty = messages === maxMessages
    if (!isEmpty && (messages < maxMessages / 2 || bytes < maxBytes / 2)) return
    // Asking a consumer the server has dropped meanwhile would be met with silence.
    if (this.#restingBeats * heartbeatMs > inactiveMs / 2) {
      this.#end('rested')
      return
    }
    this.#requests += 1
    this.#request = { number: this.#requests, batch: messages, wholeRoom: isEmpty, received: 0 }
    this.#quietBeats = 0
    const ask = {
      batch: messages,
      max_bytes: isEmpty ? Math.max(bytes, this.#leastBytes) : bytes,
      expires: nanos(expiresMs),
      idle_heartbeat: nanos(heartbeatMs),
    }
    clearTimeout(this.#lapse)
    this.#lapse = setTimeout(() => this.#onLapse(), expiresMs + lapseMs)
    const subject = `${bus.js.apiPrefix}.CONSUMER.MSG.NEXT.${stream}.${this.#name}`
    bus.connection.publish(subject, JSON.stringify(ask), { reply: `${this.#inbox}.${this.#requests}` })
  }

  close(): void {
    this.#end('closed')
  }

  #receive(message: Msg): void {
    if (this.#isOver) return
    this.#active = true
    if (message.subject.startsWith(this.#inbox)) {
      this.#onStatus(message)
      return
    }
    const facts = parseAckReply(message.reply ?? '')
    if (facts === null || facts.consumer !== this.#name) return
    if (facts.consumerSeq !== this.#delivered + 1) {
      this.#end('delivery lost')
      return
    }
    this.#delivered = facts.consumerSeq
    const request = this.#request
    if (request !== null) {
      request.received += 1
      if (request.received >= request.batch) this.#request = null
    }
    this.#options.onMessage(message, facts)
    this.pull()
  }

  #onStatus(message: Msg): void {
    const { code = 0, description = '' } = message.headers ?? {}
    if (code === 100) return
    const request = this.#request
    if (request === null || message.subject !== `${this.#inbox}.${request.number}`) {
      // Late word on a request that is over; only the consumer's own end still matters.
      if (code === 409 && /deleted/i.test(description)) this.#end('consumer gone')
      return
    }
    const isOverBytes = code === 409 && /exceeds maxbytes/i.test(description)
    if (code === 408 || code === 404 || isOverBytes) {
      this.#request = null
      if (isOverBytes && request.wholeRoom && request.received === 0) this.#widen()
      this.pull()
    } else if (code === 503 || code === 409) {
      this.#end('consumer gone')
    } else {
      this.#end('refused')
    }
  }

  /** Late word on it is passed over; should it deliver after all, the order of deliveries is the same. */
  #onLapse(): void {
    if (this.#request === null) return
    const quietBeats = this.#quietBeats
    this.#request = null
    this.pull()
    // A server that hangs is not to be waited for anew.
    this.#quietBeats = quietBeats
  }

  #widen(): void {
    this.#leastBytes = 2 * Math.max(this.#leastBytes, this.#options.room().maxBytes)
  }

  /** Counts turns of the timer and not time: an event loop that was blocked must not look like a silent server. */
  #beat(): void {
    this.#quietBeats = this.#active || this.#request === null ? 0 : this.#quietBeats + 1
    this.#restingBeats = this.#request === null ? this.#restingBeats + 1 : 0
    this.#active = false
    if (this.#quietBeats >= quietBeatsAllowed) this.#end('silent')
  }

  #end(end: SessionEnd): void {
    if (this.#isOver) return
    this.#isOver = true
    clearInterval(this.#monitor)
    clearTimeout(this.#lapse)
    const { bus, stream } = this.#options
    if (!bus.connection.isClosed()) {
      this.#subscription.unsubscribe()
      // The server would drop it by itself; nothing depends on this.
      if (bus.status() === 'connected') void bus.jsm.consumers.delete(stream, this.#name).catch(() => {})
    }
    this.#finish(end)
  }
}
