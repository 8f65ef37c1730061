import { randomUUID } from 'node:crypto'
import type { Bus } from './connect.ts'
import { apiErrorCodes, busError, isApiError } from './errors.ts'
import { type Headers, headerNames, messageAt, nextMessage, type StoredMessage } from './messages.ts'
import type { Publisher } from './publisher.ts'
import { parseDlqSubject } from './subjects.ts'

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
  readonly headers: Headers
  readonly payload: Uint8Array
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
 * would know it as the one that was given up. Its snapshot keeps its own id.
 */
export async function replayDeadLetter(bus: Bus, publisher: Publisher, letter: DeadLetter): Promise<number> {
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
  return {
    seq: streamSeq,
    subject: parseDlqSubject(subject),
    reason: headers.get(headerNames.deathReason) ?? '',
    error: headers.get(headerNames.deathError) ?? '',
    messageId: originalId === '' ? null : originalId,
    streamSeq: originalSeq === undefined ? null : Number(originalSeq),
    diedAtMs: publishedAtMs,
    headers,
    payload,
  }
}
