import { headerNames, type Headers } from '../bus/messages.ts'
import { decodeSnapshotMeta } from '../model/snapshot-codec.ts'

/** A message of CHAINS as it was published, to the byte. */
export interface RawMessage {
  readonly streamSeq: number
  readonly subject: string
  readonly headers: Headers
  readonly payload: Uint8Array
  /** By the server's clock. */
  readonly storedAtMs: number
}

export interface ArchivedMessage extends RawMessage {
  /** Numbers the incarnations of the stream in this archive, from 1. Sequences mean something within one run only. */
  readonly run: number
  /** Null for a payload that is no snapshot; it is kept all the same. */
  readonly marketTimeMs: number | null
}

export const messageIdOf = ({ headers }: Pick<RawMessage, 'headers'>): string | null =>
  headers.get(headerNames.messageId) ?? null

const wholeOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined

interface Contents {
  readonly marketTimeMs: number | null
  readonly contracts: number
}

/**
 * What is in a message, as its headers say; where they do not, as far as it can be read, since an archive takes whatever the
 * stream has. To unpack each one would cost more than all the rest of archiving.
 */
export function contentsOf({ payload, headers }: Pick<RawMessage, 'payload' | 'headers'>): Contents {
  const [marketTimeMs, contracts] = [headers.get(headerNames.marketTime), headers.get(headerNames.contracts)].map(
    wholeOf,
  )
  if (marketTimeMs !== undefined && contracts !== undefined) return { marketTimeMs, contracts }
  try {
    const encoding = headers.get(headerNames.contentEncoding) ?? null
    const { meta, contracts } = decodeSnapshotMeta(payload, encoding, headers.get(headerNames.schema) ?? null)
    return { marketTimeMs: meta.marketTimeMs, contracts }
  } catch {
    return { marketTimeMs: null, contracts: 0 }
  }
}
