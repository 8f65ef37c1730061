import type { Bus } from './connect.ts'
import { messageAt } from './messages.ts'
import { type StreamInfo, streamInfo } from './streams.ts'

export interface LagFacts {
  readonly stream: Pick<StreamInfo, 'firstSeq' | 'lastSeq' | 'messages' | 'bytes' | 'maxBytes' | 'maxAgeMs'>
  /** Last sequence the reader has dealt with for good. */
  readonly cursorSeq: number
  /** When the stream stored the oldest message the reader still needs; null when there is none, or nobody knows. */
  readonly oldestUnreadAtMs: number | null
  /** By the clock that `oldestUnreadAtMs` is of. */
  readonly nowMs: number
}

export type LagLevel = 'ok' | 'near' | 'overtaken'

export interface Lag {
  readonly level: LagLevel
  /** Messages behind the end of the stream. */
  readonly messages: number
  /** Bytes behind, by the stream's mean message. */
  readonly bytes: number
  readonly ageMs: number
  /** How much of what the stream keeps the reader still needs: at 1 the next message pushes out one it has not read. */
  readonly bytesShare: number
  readonly ageShare: number
  /** Discarded before the reader came to them, as sequences; null when none are. */
  readonly lost: { readonly fromSeq: number; readonly toSeq: number } | null
}

/** A reader with this much of the retention behind it has little time left to catch up. */
export const defaultNearShare = 0.8

/**
 * Compares a reader's cursor with what the stream keeps: a stream that discards its oldest messages waits for nobody. For any
 * reader of a whole stream; one of several partitions passes the lowest of its cursors.
 */
export function assessLag(
  { stream, cursorSeq, oldestUnreadAtMs, nowMs }: LagFacts,
  nearShare: number = defaultNearShare,
): Lag {
  const { firstSeq, lastSeq, maxBytes, maxAgeMs } = stream
  // Of an empty stream the first sequence is the one after the last.
  const lost = firstSeq > cursorSeq + 1 && lastSeq > cursorSeq ? { fromSeq: cursorSeq + 1, toSeq: firstSeq - 1 } : null
  const messages = Math.max(0, lastSeq - Math.max(cursorSeq, firstSeq - 1))
  const bytes = stream.messages === 0 ? 0 : Math.min(stream.bytes, (stream.bytes / stream.messages) * messages)
  const ageMs = messages === 0 || oldestUnreadAtMs === null ? 0 : Math.max(0, nowMs - oldestUnreadAtMs)
  const bytesShare = maxBytes > 0 ? bytes / maxBytes : 0
  const ageShare = maxAgeMs > 0 ? ageMs / maxAgeMs : 0
  const isNear = Math.max(bytesShare, ageShare) >= nearShare
  const level = lost !== null ? 'overtaken' : isNear ? 'near' : 'ok'
  return { level, messages, bytes, ageMs, bytesShare, ageShare, lost }
}

/** Asks the server how far a reader is behind. */
export async function readLag(
  bus: Bus,
  stream: string,
  cursorSeq: number,
  nowMs: number,
  nearShare: number = defaultNearShare,
): Promise<Lag> {
  const info = await streamInfo(bus, stream)
  const oldestUnread = Math.max(cursorSeq + 1, info.firstSeq)
  const message = oldestUnread > info.lastSeq ? null : await messageAt(bus, stream, oldestUnread)
  // `publishedAtMs` of a message read by its sequence is the server's time of storing it.
  return assessLag({ stream: info, cursorSeq, oldestUnreadAtMs: message?.publishedAtMs ?? null, nowMs }, nearShare)
}
