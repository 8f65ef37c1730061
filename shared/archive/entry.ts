import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import { parseRawSubject } from '../bus/subjects.ts'
import { StrikeflowError } from '../model/errors.ts'
import type { ContainerHead } from './container.ts'
import { type ArchivedMessage, messageIdOf } from './message.ts'

const sequence = z.int().nonnegative()

const entrySchema = z.object({
  format: z.literal(1),
  stream: z.string(),
  /** Creation time of the stream. */
  created: z.string(),
  run: z.int().positive(),
  /** The entry before it in this run ends at `fromSeq - 1`. */
  fromSeq: sequence,
  toSeq: sequence,
  messages: z.int().nonnegative(),
  contracts: z.int().nonnegative(),
  /** Sequences the stream no longer had when they were to be archived, as `[first, last]`. */
  missing: z.array(z.tuple([sequence, sequence])),
  /** Of the message at `toSeq`: a stream that has another one there has gone back. */
  lastMessageId: z.string().nullable(),
  firstStoredAtMs: z.int(),
  lastStoredAtMs: z.int(),
  /** Null when nothing in it is a snapshot. */
  firstMarketTimeMs: z.int().nullable(),
  lastMarketTimeMs: z.int().nullable(),
  underlyings: z.array(z.string()),
  /** Name of the file, in the folder of this entry. */
  file: z.string().regex(/^[^/]+$/),
  bytes: z.int().nonnegative(),
  payloadBytes: z.int().nonnegative(),
  /** Of the file's bytes. */
  sha256: z.string(),
})

/** One line of the manifest: what one file holds. An archive is its entries; a file without one does not count. */
export type ArchiveEntry = z.output<typeof entrySchema>

/** An entry with the folder it lies in, named for the UTC day of its first message. */
export interface PlacedEntry extends ArchiveEntry {
  readonly day: string
}

const digits = (value: number, width: number): string => String(value).padStart(width, '0')
const stem = ({ run, fromSeq }: Pick<ContainerHead, 'run' | 'fromSeq'>): string =>
  `${digits(run, 4)}-${digits(fromSeq, 12)}`

/** Named by where it begins: an archive can have one file only that goes on after a given message, whoever writes it. */
export const entryName = (head: Pick<ContainerHead, 'run' | 'fromSeq'>): string => `${stem(head)}.json`
/** With a piece of the checksum: two files of one name are one file. */
export const fileName = (head: Pick<ContainerHead, 'run' | 'fromSeq' | 'toSeq'>, checksum: string): string =>
  `${stem(head)}-${digits(head.toSeq, 12)}.${checksum.slice(0, 8)}.arrows.zst`

export const dayOf = (timeMs: number): string => new Date(timeMs).toISOString().slice(0, 10)
export const isDay = (name: string): boolean => /^\d{4}-\d\d-\d\d$/.test(name)

export function parseEntryName(name: string): { readonly run: number; readonly fromSeq: number } | null {
  const [, run, fromSeq] = /^(\d{4,})-(\d{12,})\.json$/.exec(name) ?? []
  return run === undefined ? null : { run: Number(run), fromSeq: Number(fromSeq) }
}

export function parseFileName(
  name: string,
): { readonly run: number; readonly fromSeq: number; readonly toSeq: number } | null {
  const [, run, fromSeq, toSeq] = /^(\d{4,})-(\d{12,})-(\d{12,})\.[0-9a-f]{8}\.arrows\.zst$/.exec(name) ?? []
  return run === undefined ? null : { run: Number(run), fromSeq: Number(fromSeq), toSeq: Number(toSeq) }
}

export const filePath = (directory: string, entry: PlacedEntry): string => join(directory, entry.day, entry.file)

export const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

/** Says what a file holds. */
export function describeFile(
  head: ContainerHead,
  messages: readonly ArchivedMessage[],
  file: Uint8Array,
  contracts: number,
): ArchiveEntry {
  const marketTimes = rangeOf(messages)
  const sum = (of: (message: ArchivedMessage) => number): number => messages.reduce((n, each) => n + of(each), 0)
  const last = messages.at(-1)
  const checksum = sha256(file)
  return {
    format: 1,
    ...head,
    messages: messages.length,
    contracts,
    missing: missingRanges(head, messages),
    lastMessageId: last === undefined ? null : messageIdOf(last),
    firstStoredAtMs: messages[0]?.storedAtMs ?? 0,
    lastStoredAtMs: last?.storedAtMs ?? 0,
    firstMarketTimeMs: marketTimes?.first ?? null,
    lastMarketTimeMs: marketTimes?.last ?? null,
    underlyings: [...new Set(messages.map(({ subject }) => underlyingOf(subject)))].toSorted(),
    file: fileName(head, checksum),
    bytes: file.byteLength,
    payloadBytes: sum(({ payload }) => payload.byteLength),
    sha256: checksum,
  }
}

/** Not by `Math.min(...times)`: a file of small messages has more of them than a call may have arguments. */
function rangeOf(messages: readonly ArchivedMessage[]): { readonly first: number; readonly last: number } | null {
  let [first, last] = [Infinity, -Infinity]
  for (const { marketTimeMs } of messages) {
    if (marketTimeMs === null) continue
    first = Math.min(first, marketTimeMs)
    last = Math.max(last, marketTimeMs)
  }
  return first === Infinity ? null : { first, last }
}

/** Returns the whole subject where it is none of ours. */
export function underlyingOf(subject: string): string {
  try {
    return parseRawSubject(subject).underlying
  } catch {
    return subject
  }
}

/** The sequences between `fromSeq` and the last message at which there is none. */
export function missingRanges(
  { fromSeq }: Pick<ContainerHead, 'fromSeq'>,
  messages: readonly Pick<ArchivedMessage, 'streamSeq'>[],
): [number, number][] {
  const ranges: [number, number][] = []
  let expected = fromSeq
  for (const { streamSeq } of messages) {
    if (streamSeq > expected) ranges.push([expected, streamSeq - 1])
    expected = streamSeq + 1
  }
  return ranges
}

/** The entry as its file holds it: JSON a person can read, and the checksum of that text on a line of its own. */
export function encodeEntry(entry: ArchiveEntry): Uint8Array {
  const text = JSON.stringify(entry)
  return new TextEncoder().encode(`${text}\n${sha256(text)}\n`)
}

/** Throws StrikeflowError `decode` for an entry that is not whole. */
export function decodeEntry(content: Uint8Array): ArchiveEntry {
  const [text = '', checksum] = new TextDecoder().decode(content).split('\n')
  if (sha256(text) !== checksum) throw new StrikeflowError('decode', 'the manifest entry does not match its checksum')
  const parsed = entrySchema.safeParse(JSON.parse(text))
  if (!parsed.success) throw new StrikeflowError('decode', `the manifest entry: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}
