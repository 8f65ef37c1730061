import { headerNames, type Headers } from '../bus/messages.ts'
import { maxInstantMs } from '../model/instant.ts'

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

const wholeUpTo = (text: string | undefined, max: number): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) && Number(text) <= max ? Number(text) : undefined

interface Contents {
  readonly marketTimeMs: number | null
  readonly contracts: number
}

const maxContracts = 10_000_000

/**
 * What is in a message, as its headers say; nothing where they do not. The payload is never looked at: an archive takes whatever
 * the stream has, so no message may be able to stop it, and unpacking each one would cost more than all the rest of archiving.
 */
export const contentsOf = ({ headers }: Pick<RawMessage, 'headers'>): Contents => ({
  marketTimeMs: wholeUpTo(headers.get(headerNames.marketTime), maxInstantMs) ?? null,
  contracts: wholeUpTo(headers.get(headerNames.contracts), maxContracts) ?? 0,
})
