import type { MsgHdrs } from 'nats'
import { StrikeflowError } from '../model/errors.ts'
import type { Bus } from './connect.ts'
import { apiErrorCodes, busError, isApiError } from './errors.ts'

/** Header names; matched case-sensitively, so they are spelt here only. */
export const headerNames = {
  messageId: 'Nats-Msg-Id',
  schema: 'Sf-Schema',
  publishedAt: 'Sf-Published-At',
  publisher: 'Sf-Publisher',
  contentType: 'Content-Type',
  contentEncoding: 'Content-Encoding',
  /** Of a snapshot, epoch milliseconds: for those who keep or forward it without reading it. */
  marketTime: 'Sf-Market-Time',
  /** How many a snapshot has. */
  contracts: 'Sf-Contracts',
  traceparent: 'traceparent',
  /** On a message published again after its death: the id it had before. */
  replayOf: 'Sf-Replay-Of',
  /** On dead letters: why, the error's words, and what the message was in its own stream. */
  deathReason: 'Sf-Reason',
  deathError: 'Sf-Error',
  deathStreamSeq: 'Sf-Stream-Seq',
  deathMessageId: 'Sf-Message-Id',
  /** On a dead letter that is not the whole message: bytes its payload had. */
  deathFullBytes: 'Sf-Full-Bytes',
} as const

export type Headers = ReadonlyMap<string, string>

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

export const encodeJson = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value))

/** Parses a JSON payload; what is in it is for the caller's schema to say. */
export function decodeJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(payload)) as unknown
  } catch (cause) {
    throw new StrikeflowError('decode', `Expected a JSON payload of ${payload.length} bytes`, { cause })
  }
}

/**
 * The last value of each header; a repeated header has no meaning here. None of a message whose headers the client cannot read (a
 * space in a name, a line break in a value): it says nothing of itself then, and is refused like any other that does not.
 */
export function readHeaders(ofMessage: () => MsgHdrs | undefined): Headers {
  const read = new Map<string, string>()
  try {
    for (const [name, values] of ofMessage() ?? []) read.set(name, values.at(-1) ?? '')
  } catch {
    return new Map()
  }
  return read
}

/** An own copy, aligned to 8 bytes, since Arrow reads its columns in place; a NATS payload is a view into a larger buffer. */
export function ownCopy(payload: Uint8Array): Uint8Array {
  const copy = new Uint8Array(payload.length)
  copy.set(payload)
  return copy
}

export interface StoredMessage {
  readonly subject: string
  readonly streamSeq: number
  /** Null when it was published without one. */
  readonly messageId: string | null
  readonly headers: Headers
  readonly payload: Uint8Array
  readonly publishedAtMs: number
}

/** Returns the message at a sequence of a stream, or null when there is none (deleted, aged out, not yet there). */
export async function messageAt(bus: Bus, stream: string, streamSeq: number): Promise<StoredMessage | null> {
  return streamSeq < 1 ? null : getMessage(bus, stream, { seq: streamSeq })
}

/** Returns the first message from a sequence on under a subject pattern, or null when there is none. */
export const nextMessage = (
  bus: Bus,
  stream: string,
  fromSeq: number,
  pattern: string,
): Promise<StoredMessage | null> => getMessage(bus, stream, { seq: fromSeq, next_by_subj: pattern })

async function getMessage(
  bus: Bus,
  stream: string,
  query: { readonly seq: number; readonly next_by_subj?: string },
): Promise<StoredMessage | null> {
  try {
    const stored = await bus.jsm.streams.getMessage(stream, query)
    if (stored === null) return null
    const headers = readHeaders(() => stored.header)
    return {
      subject: stored.subject,
      streamSeq: stored.seq,
      messageId: headers.get(headerNames.messageId) ?? null,
      headers,
      payload: ownCopy(stored.data),
      publishedAtMs: stored.time.getTime(),
    }
  } catch (error) {
    if (isApiError(error, apiErrorCodes.messageNotFound)) return null
    throw busError(`cannot read message ${query.seq} of stream ${stream}`, error)
  }
}
