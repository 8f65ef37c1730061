import type { Severity } from '../model/alert.ts'
import { StrikeflowError } from '../model/errors.ts'

/** Partitions of CHAINS. Fixed: changing it means a new stream (the order within an underlying would break). */
export const defaultPartitions = 16

/** Far under the server's control line of 4,096 bytes, which it answers by closing the connection. */
const maxTokenLength = 255

/** Printable ASCII without blank, `%` (the escape itself), `*`, `.` and `>`. */
const forbidden = /[^!-$&-)+-\-/-=?-~]/u

/**
 * Returns any text as one subject token: what NATS forbids, blanks, control characters, `%` and everything beyond ASCII become
 * %XX per UTF-8 byte. `BRK.B` is `BRK%2EB`; `^SPX` and `M&M` stay. Refuses what has no reversible token.
 */
export function escapeToken(text: string): string {
  if (text === '') throw new StrikeflowError('bus', 'Expected a subject token, was empty')
  if (!text.isWellFormed()) throw new StrikeflowError('bus', 'Expected well-formed text for a subject token')
  let token = ''
  for (const character of text) token += forbidden.test(character) ? escapeCharacter(character) : character
  if (token.length > maxTokenLength) {
    throw new StrikeflowError('bus', `Expected at most ${maxTokenLength} characters in a token, was ${token.length}`)
  }
  return token
}

/** The inverse of `escapeToken`. */
export function unescapeToken(token: string): string {
  try {
    return decodeURIComponent(token)
  } catch (cause) {
    throw new StrikeflowError('bus', `Expected an escaped subject token, was ${JSON.stringify(token)}`, { cause })
  }
}

function escapeCharacter(character: string): string {
  let escaped = ''
  for (const byte of Buffer.from(character)) escaped += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  return escaped
}

/** FNV-1a-32 of the token modulo `partitions`: what the server's own `partition()` mapping gives. */
export function partitionOf(escapedToken: string, partitions: number): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(escapedToken)) {
    hash ^= byte
    hash = Math.imul(hash, 0x01000193) >>> 0
  }
  return hash % partitions
}

/** The partition an underlying lives in, whichever provider it comes from. */
export const partitionOfUnderlying = (underlying: string, partitions: number = defaultPartitions): number =>
  partitionOf(escapeToken(underlying), partitions)

export const rawSubject = (partition: number, provider: string, underlying: string): string =>
  `chains.raw.${partition}.${escapeToken(provider)}.${escapeToken(underlying)}`

/** Everything of one partition, for its owner. */
export const rawFilter = (partition: number): string => `chains.raw.${partition}.>`

export interface RawAddress {
  readonly partition: number
  readonly provider: string
  readonly underlying: string
}

export function parseRawSubject(subject: string): RawAddress {
  const [partition, provider, underlying] = tokensAfter('chains.raw', subject, 3)
  return {
    partition: Number(partition),
    provider: unescapeToken(provider ?? ''),
    underlying: unescapeToken(underlying ?? ''),
  }
}

export interface AlertAddress {
  readonly severity: Severity
  readonly detector: string
  readonly underlying: string
}

export const alertSubject = ({ severity, detector, underlying }: AlertAddress): string =>
  `alerts.${severity}.${escapeToken(detector)}.${escapeToken(underlying)}`

export function parseAlertSubject(subject: string): AlertAddress {
  const [severity, detector, underlying] = tokensAfter('alerts', subject, 3)
  return {
    severity: severity as Severity,
    detector: unescapeToken(detector ?? ''),
    underlying: unescapeToken(underlying ?? ''),
  }
}

export const featuresSubject = (underlying: string): string => `features.${escapeToken(underlying)}`

export const parseFeaturesSubject = (subject: string): string => lastToken('features', subject)

export const scanTaskSubject = (priority: number, underlying: string): string =>
  `scans.task.${priority}.${escapeToken(underlying)}`

export const scanSummarySubject = (scanId: string): string => `scans.summary.${escapeToken(scanId)}`

export const parseScanSummarySubject = (subject: string): string => lastToken('scans.summary', subject)

export const scanResultSubject = (scanId: string, underlying: string): string =>
  `scans.result.${escapeToken(scanId)}.${escapeToken(underlying)}`

export function parseScanResultSubject(subject: string): { readonly scanId: string; readonly underlying: string } {
  const [scanId, underlying] = tokensAfter('scans.result', subject, 2)
  return { scanId: unescapeToken(scanId ?? ''), underlying: unescapeToken(underlying ?? '') }
}

export const gapSubject = (underlying: string): string => `quality.gap.${escapeToken(underlying)}`

/** What became of each chain of a pass. */
export const passSubject = (provider: string): string => `quality.pass.${escapeToken(provider)}`

export const parseGapSubject = (subject: string): string => lastToken('quality.gap', subject)

/** Where a message that cannot be processed is kept; the original subject stays readable in it. */
export const dlqSubject = (originalSubject: string): string => `dlq.${originalSubject}`

/** The subject a dead letter was first published on. */
export function parseDlqSubject(subject: string): string {
  if (!subject.startsWith('dlq.')) throw notOfShape('dlq', subject)
  return subject.slice('dlq.'.length)
}

function tokensAfter(prefix: string, subject: string, count: number): readonly string[] {
  const tokens = subject.startsWith(`${prefix}.`) ? subject.slice(prefix.length + 1).split('.') : []
  if (tokens.length !== count || tokens.includes('')) throw notOfShape(prefix, subject)
  return tokens
}

function lastToken(prefix: string, subject: string): string {
  const [token] = tokensAfter(prefix, subject, 1)
  return unescapeToken(token ?? '')
}

const notOfShape = (prefix: string, subject: string): StrikeflowError =>
  new StrikeflowError('bus', `Expected a subject under ${prefix}, was ${JSON.stringify(subject.slice(0, 300))}`)
