import { setTimeout as delay } from 'node:timers/promises'
import type { Headers } from '../../../shared/bus/messages.ts'
import type { PublishAck, Publisher } from '../../../shared/bus/publisher.ts'
import { StrikeflowError } from '../../../shared/model/errors.ts'

export interface PacedPublisherOptions {
  readonly publisher: Pick<Publisher, 'enqueueAgain' | 'flush'>
  /** Bytes at which the stream discards its oldest messages, -1 for no limit, and how many it holds that nobody has read yet. */
  readonly stream: { readonly maxBytes: number; readonly unreadBytes: number }
  /** How many of the messages published here are committed; null when nobody can say. */
  readonly committed: (() => Promise<number>) | null
  /** @default 100 */
  readonly pollMs?: number
}

export interface PacedPublisher {
  /** Waits for room: a stream filled past what its processor has read would discard it unread. */
  publish(subject: string, payload: Uint8Array, headers: Headers): Promise<void>
  /** Resolves when everything is acknowledged. */
  finish(): Promise<{ readonly messages: number; readonly duplicates: number }>
}

/** Share of the stream that may be unread: the rest is room for what comes while we look. */
const unreadShare = 0.5
/** Subject and headers as the server counts them, generously. */
const messageOverheadBytes = 512

/** Publishes messages again, never more than half a stream ahead of who reads it. */
export function createPacedPublisher(options: PacedPublisherOptions): PacedPublisher {
  const { publisher, stream, committed, pollMs = 100 } = options
  const allowedBytes = stream.maxBytes <= 0 ? Infinity : Math.max(0, stream.maxBytes * unreadShare - stream.unreadBytes)
  let messages = 0
  let duplicates = 0
  let bytes = 0
  let failure: unknown = null
  const counting = new Set<Promise<void>>()
  /** Bytes published at which it looks again how far the reader is. */
  let nextLookBytes = allowedBytes

  async function count(acked: Promise<PublishAck>): Promise<void> {
    try {
      if ((await acked).duplicate) duplicates += 1
    } catch (error) {
      failure ??= error
    }
  }

  /** The publisher is done a moment before those who wait for its answers. */
  async function flushed(): Promise<void> {
    await publisher.flush()
    await Promise.all(counting)
    if (failure !== null) throw failure
  }

  async function untilRead(ask: () => Promise<number>): Promise<void> {
    await flushed()
    for (;;) {
      const unread = messages - duplicates - (await ask())
      const unreadBytes = (bytes / Math.max(1, messages)) * unread
      nextLookBytes = bytes + allowedBytes - unreadBytes
      // In gulps, or it would ask before every message.
      if (unreadBytes <= 0.75 * allowedBytes) return
      await delay(pollMs)
    }
  }

  return {
    async publish(subject, payload, headers) {
      if (bytes >= nextLookBytes) {
        if (committed === null) throw unpacedError()
        await untilRead(committed)
      }
      if (failure !== null) throw failure
      const { acked } = await publisher.enqueueAgain(subject, payload, headers)
      messages += 1
      bytes += payload.byteLength + messageOverheadBytes
      const counted = count(acked).finally(() => counting.delete(counted))
      counting.add(counted)
    },
    async finish() {
      await flushed()
      return { messages, duplicates }
    },
  }
}

/**
 * Bytes of a stream whose messages nobody may have read: a running stack keeps for days what it has read, and that may be discarded.
 *
 * @param committed messages of it that have a commit row; null when nobody can say
 */
export function unreadBytesOf(
  { bytes, messages }: { readonly bytes: number; readonly messages: number },
  committed: number | null,
): number {
  if (committed === null || messages === 0) return bytes
  return bytes * Math.max(0, 1 - committed / messages)
}

const unpacedError = (): StrikeflowError =>
  new StrikeflowError(
    'config',
    'CHAINS is half full or would be, and how far its processor is cannot be seen: set CLICKHOUSE_URL, or restore less at a time',
  )
