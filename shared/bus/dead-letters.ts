import { randomUUID } from 'node:crypto'
import { StrikeflowError } from '../model/errors.ts'
import type { Bus } from './connect.ts'
import { apiErrorCodes, busError, isApiError } from './errors.ts'
import { type Headers, headerNames, messageAt, nextMessage, type StoredMessage } from './messages.ts'
import type { Delivery } from './ordered-source.ts'
import { maxMessageBytes, type Publisher } from './publisher.ts'
import { dlqSubject, parseDlqSubject } from './subjects.ts'

const stream = 'DLQ'

/** A message that was given up, as it lies in the stream DLQ. */
export interface DeadLetter {
  /** Sequence in DLQ: its name for `show`, `replay` and `drop`. */
  readonly seq: number
  /** Subject it was first published on. */
  readonly subject: string
  readonly reason: string
  readonly error: string
  /** Id it was first published under; null when it had none. */
  readonly messageId: string | null
  /** Sequence it had in its own stream; null when nobody wrote it down. */
  readonly streamSeq: number | null
  readonly diedAtMs: number
  /** Bytes the payload had, where the letter is not the whole message; null where it is. */
  readonly fullBytes: number | null
  readonly headers: Headers
  readonly payload: Uint8Array
}

/** What is published of a message that is given up. */
export interface Letter {
  readonly subject: string
  readonly payload: Uint8Array
  readonly messageId: string
  readonly headers: Readonly<Record<string, string>>
}

/** Of what does not fit whole. */
const cutPayloadBytes = 64 * 1024
/** The server takes 1 MiB with headers, and the publisher leaves 16 KiB of that to them. */
const maxHeaderBytes = 8 * 1024
/** Far under the server's control line. */
const maxSubjectLength = 1_024
const maxTextLength = 300

/**
 * The dead letter of any message the stream may hold: always one that can be published. What is too large goes cut, and says so;
 * the whole message is in its own stream.
 */
export function letterOf(delivery: Delivery, reason: string, error: unknown): Letter {
  const { subject, streamSeq, messageId, payload, headers } = delivery
  const kept = headersThatFit(headers)
  const words = error instanceof Error ? error.message : String(error)
  const address = subject.length > maxSubjectLength ? `${subject.slice(0, maxSubjectLength)}_` : subject
  const isWhole = payload.length <= maxMessageBytes && kept.areAll && address === subject
  return {
    subject: dlqSubject(address),
    payload: isWhole ? payload : payload.slice(0, cutPayloadBytes),
    messageId: `dlq-${streamSeq}-${printable(messageId ?? '')}`,
    headers: {
      ...kept.headers,
      [headerNames.deathReason]: reason,
      [headerNames.deathError]: printable(words),
      [headerNames.deathStreamSeq]: String(streamSeq),
      [headerNames.deathMessageId]: printable(headers.get(headerNames.replayOf) ?? messageId ?? ''),
      ...(isWhole ? {} : { [headerNames.deathFullBytes]: String(payload.length) }),
    },
  }
}

const printable = (text: string): string => text.slice(0, maxTextLength).replaceAll(/[^\x20-\x7e]/g, ' ')

/** Those of the message itself that can be sent again. */
function headersThatFit(headers: Headers): { readonly headers: Record<string, string>; readonly areAll: boolean } {
  const fitting: Record<string, string> = {}
  let [bytes, areAll] = [0, true]
  for (const [name, value] of headers) {
    if (name.startsWith('Nats-')) continue
    const size = Buffer.byteLength(name) + Buffer.byteLength(value) + 4
    const fits = bytes + size <= maxHeaderBytes && /^[!-9;-~]+$/.test(name) && !/[\r\n]/.test(value)
    if (fits) fitting[name] = value
    bytes += fits ? size : 0
    areAll &&= fits
  }
  return { headers: fitting, areAll }
}

/** All dead letters, oldest first. */
export async function* deadLetters(bus: Bus): AsyncGenerator<DeadLetter, void, void> {
  for (let seq = 1; ;) {
    const message = await nextMessage(bus, stream, seq, 'dlq.>')
    if (message === null) return
    yield toDeadLetter(message)
    seq = message.streamSeq + 1
  }
}

/** Returns one dead letter, or null when there is none at this sequence. */
export async function deadLetterAt(bus: Bus, seq: number): Promise<DeadLetter | null> {
  const message = await messageAt(bus, stream, seq)
  return message === null ? null : toDeadLetter(message)
}

/**
 * Publishes a dead letter on its first subject again and takes it out of DLQ. Under a new message id, or the stream and every table
 * would know it as the one that was given up. Its snapshot keeps its own id. Refuses a letter that is not whole.
 */
export async function replayDeadLetter(bus: Bus, publisher: Publisher, letter: DeadLetter): Promise<number> {
  const cut = cutText(letter)
  if (cut !== null) throw new StrikeflowError('config', `Dead letter ${letter.seq} cannot be published again: ${cut}`)
  const kept = [...letter.headers].filter(
    ([name]) => !name.startsWith('Nats-') && !about.has(name) && name !== headerNames.publisher,
  )
  const { streamSeq } = await publisher.publish(letter.subject, letter.payload, {
    messageId: `replay-${letter.seq}-${randomUUID()}`,
    headers: {
      ...Object.fromEntries(kept),
      ...(letter.messageId === null ? {} : { [headerNames.replayOf]: letter.messageId }),
    },
  })
  await dropDeadLetter(bus, letter.seq)
  return streamSeq
}

/** Says that a letter is not the whole message, and where that is; null where it is whole. */
export function cutText({ fullBytes, payload, streamSeq, subject }: DeadLetter): string | null {
  if (fullBytes === null) return null
  const where = `message ${streamSeq ?? '?'} of CHAINS (${subject.slice(0, 100)}) while the stream keeps it, and in the archive`
  return `it has ${payload.length} of the ${fullBytes} bytes, or not all headers; the whole is ${where}`
}

/** Takes a dead letter away for good; false when it is not there. */
export async function dropDeadLetter(bus: Bus, seq: number): Promise<boolean> {
  try {
    return await bus.jsm.streams.deleteMessage(stream, seq, false)
  } catch (error) {
    if (isApiError(error, apiErrorCodes.messageNotFound)) return false
    throw busError(`cannot drop dead letter ${seq}`, error)
  }
}

/** Headers that tell of the death and not of the message. */
const about = new Set<string>([
  headerNames.deathReason,
  headerNames.deathError,
  headerNames.deathStreamSeq,
  headerNames.deathMessageId,
  headerNames.deathFullBytes,
])

function toDeadLetter({
  subject,
  streamSeq,
  headers,
  payload,
  publishedAtMs,
}: Omit<StoredMessage, 'messageId'>): DeadLetter {
  const originalSeq = headers.get(headerNames.deathStreamSeq)
  const originalId = headers.get(headerNames.deathMessageId) ?? ''
  const fullBytes = headers.get(headerNames.deathFullBytes)
  return {
    seq: streamSeq,
    subject: parseDlqSubject(subject),
    reason: headers.get(headerNames.deathReason) ?? '',
    error: headers.get(headerNames.deathError) ?? '',
    messageId: originalId === '' ? null : originalId,
    streamSeq: wholeOrNull(originalSeq),
    diedAtMs: publishedAtMs,
    // Anybody may publish on dlq.>: what cannot say how long it was is not taken for whole.
    fullBytes: fullBytes === undefined ? null : (wholeOrNull(fullBytes) ?? 0),
    headers,
    payload,
  }
}

const wholeOrNull = (text: string | undefined): number | null =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null
