import { parseZonedTime } from '../../../../shared/calendar/zones.ts'
import { instantOfIso } from '../options-desk/normalize.ts'

/** One document of an NDJSON file, found without parsing it. */
export interface Line {
  /** 1 is the first. */
  readonly number: number
  readonly start: number
  readonly end: number
  /** Null where the start of the line does not say. */
  readonly symbol: string | null
  readonly recordedAtMs: number | null
}

/** `symbol` and `updated` stand at the start of each document; a line is up to 3.5 MB long. */
const peekBytes = 400
const newline = 10
/** A file of short lines has a hundred million of them in a gigabyte. The widest recorded scan has 6,000. */
const maxLines = 100_000

/** Finds the lines of an NDJSON file, the first hundred thousand, and reads what each one says of itself at its start. */
export function readLines(bytes: Buffer): readonly Line[] {
  const lines: Line[] = []
  let number = 0
  for (let start = 0; start < bytes.length && lines.length < maxLines;) {
    const found = bytes.indexOf(newline, start)
    const end = found === -1 ? bytes.length : found
    number += 1
    const head = bytes.toString('utf8', start, Math.min(end, start + peekBytes))
    if (head.trim() !== '') {
      const symbol = /"symbol"\s*:\s*"([^"]{1,32})"/.exec(head)?.[1] ?? null
      const updated = /"updated"\s*:\s*"([^"]{1,40})"/.exec(head)?.[1] ?? null
      lines.push({ number, start, end, symbol, recordedAtMs: instantOfIso(updated) })
    }
    start = end + 1
  }
  return lines
}

/** File time of a single document of Cboe's, or null. */
export function documentTimeMs(document: unknown): number | null {
  const { timestamp } = (document ?? {}) as { readonly timestamp?: unknown }
  return typeof timestamp === 'string' ? parseZonedTime('UTC', timestamp) : null
}

/**
 * Puts a recorder's wrapper back into Cboe's envelope: `raw_options` is Cboe's list untouched. Anything else is passed on for
 * the wire check to judge.
 */
export function asCboeEnvelope(document: unknown): unknown {
  if (typeof document !== 'object' || document === null || !('raw_options' in document)) return document
  const { timestamp, symbol, current_price, raw_options } = document as Readonly<Record<string, unknown>>
  return { timestamp, symbol, data: { symbol, current_price, options: raw_options } }
}
