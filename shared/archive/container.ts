import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { type ArrowBytesColumn, type ArrowColumn, arrowTypes, encodeArrow, stringColumn } from '../model/arrow.ts'
import { type DecodedTable, decodeArrow } from '../model/arrow-reader.ts'
import { StrikeflowError } from '../model/errors.ts'
import type { ArchivedMessage } from './message.ts'

/*
 * An archive file: an Arrow IPC stream of one record batch, one row a message, zstd around it. Any Arrow reader opens it, and
 * ClickHouse as well: file('….arrows.zst', 'ArrowStream').
 */

/** What a file says of itself, so that its manifest entry can be made again from it. */
export interface ContainerHead {
  readonly stream: string
  /** Creation time of the stream. */
  readonly created: string
  readonly run: number
  /** The sequences it stands for, those that the stream no longer had included. */
  readonly fromSeq: number
  readonly toSeq: number
}

const metadataKey = 'strikeflow.archive'
const formatVersion = 1
/** A bound against a bomb, far above any file this writes. */
const maxUnpackedBytes = 1024 ** 3

/** Of one file; each costs many times the bytes that it may take in the file. */
const maxSubjects = 1_000_000

/** The last millisecond that a `Date` can say. */
const maxWhole = 8.64e15

/** The default of 16 KiB turns a file into a thousand pieces to be put together again. */
const chunkSize = 4 * 1024 ** 2

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** Payloads are compressed already; the frame's checksum and the headers are what this is for. */
const zstdParams = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 }

export async function encodeContainer(head: ContainerHead, messages: readonly ArchivedMessage[]): Promise<Uint8Array> {
  const metadata = new Map([[metadataKey, JSON.stringify({ format: formatVersion, ...head })]])
  return await compress(encodeArrow(columnsOf(messages), metadata), { params: zstdParams, chunkSize })
}

function columnsOf(messages: readonly ArchivedMessage[]): readonly (ArrowColumn | ArrowBytesColumn)[] {
  const subjects = [...new Set(messages.map(({ subject }) => subject))]
  const indexOf = new Map(subjects.map((subject, index) => [subject, index]))
  const subjectIndex = Int32Array.from(messages, ({ subject }) => indexOf.get(subject) ?? 0)
  const encoder = new TextEncoder()
  return [
    int64Column(
      'stream_seq',
      messages.map(({ streamSeq }) => streamSeq),
    ),
    timeColumn(
      'stored_at',
      messages.map(({ storedAtMs }) => storedAtMs),
    ),
    timeColumn(
      'market_time',
      messages.map(({ marketTimeMs }) => marketTimeMs),
    ),
    stringColumn('subject', subjects, subjectIndex),
    bytesColumn(
      'headers',
      'utf8',
      messages.map(({ headers }) => encoder.encode(JSON.stringify([...headers]))),
    ),
    bytesColumn(
      'payload',
      'binary',
      messages.map(({ payload }) => payload),
    ),
  ]
}

const int64Column = (name: string, values: readonly number[]): ArrowColumn => ({
  name,
  type: arrowTypes.int64,
  values: BigInt64Array.from(values, BigInt),
})

function timeColumn(name: string, values: readonly (number | null)[]): ArrowColumn {
  const validity = new Uint8Array(((values.length + 63) >>> 6) << 3)
  let nullCount = 0
  values.forEach((value, i) => {
    if (value === null) nullCount += 1
    else validity[i >> 3] = (validity[i >> 3] ?? 0) | (1 << (i & 7))
  })
  const times = BigInt64Array.from(values, (value) => BigInt(value ?? 0))
  return { name, type: arrowTypes.timestampMs, values: times, validity, nullCount }
}

function bytesColumn(name: string, kind: 'binary' | 'utf8', parts: readonly Uint8Array[]): ArrowBytesColumn {
  const offsets = new Int32Array(parts.length + 1)
  parts.forEach((part, i) => (offsets[i + 1] = (offsets[i] ?? 0) + part.byteLength))
  const bytes = new Uint8Array(offsets.at(-1) ?? 0)
  parts.forEach((part, i) => bytes.set(part, offsets[i]))
  return { name, kind, bytes, offsets }
}

export interface Container {
  readonly head: ContainerHead
  /** In stream order; payloads are copies of their own, aligned to 8 bytes. */
  readonly messages: readonly ArchivedMessage[]
}

/** Reads a file back; with `wants`, only the messages of those subjects. Throws StrikeflowError `decode`, never anything else. */
export async function decodeContainer(
  file: Uint8Array,
  wants: (subject: string) => boolean = () => true,
): Promise<Container> {
  try {
    const table = decodeArrow(
      aligned(await decompress(file, { maxOutputLength: maxUnpackedBytes, chunkSize })),
      maxSubjects,
    )
    const head = readHead(table)
    return { head, messages: messagesOf(table, head.run, wants) }
  } catch (cause) {
    if (cause instanceof StrikeflowError) throw cause
    throw new StrikeflowError('decode', `Not an archive file: ${(cause as Error).message}`, { cause })
  }
}

const aligned = (bytes: Uint8Array): Uint8Array => (bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes))

function readHead(table: DecodedTable): ContainerHead {
  const { format, ...head } = JSON.parse(table.metadata.get(metadataKey) ?? '{}') as ContainerHead & { format?: number }
  if (format !== formatVersion) {
    throw new StrikeflowError('decode', `Expected archive format ${formatVersion}, was ${format}`)
  }
  return head
}

function messagesOf(table: DecodedTable, run: number, wants: (subject: string) => boolean): readonly ArchivedMessage[] {
  const sequences = table.column('stream_seq').values
  const storedAt = table.column('stored_at').values
  const marketTime = table.column('market_time')
  const subject = table.column('subject')
  const headers = slices(table, 'headers')
  const payload = slices(table, 'payload')
  const decoder = new TextDecoder()
  const messages: ArchivedMessage[] = []
  for (let i = 0; i < table.length; i++) {
    const name = subject.dictionary?.[Number(subject.values[i])] ?? ''
    if (!wants(name)) continue
    const isMissing = marketTime.validity !== null && ((marketTime.validity[i >> 3] ?? 0) & (1 << (i & 7))) === 0
    messages.push({
      run,
      streamSeq: wholeOf(sequences[i], 'stream_seq'),
      storedAtMs: wholeOf(storedAt[i], 'stored_at'),
      marketTimeMs: isMissing ? null : wholeOf(marketTime.values[i], 'market_time'),
      subject: name,
      headers: headersOf(decoder.decode(headers(i))),
      payload: new Uint8Array(payload(i)),
    })
  }
  return messages
}

const isPair = (pair: unknown): pair is readonly [string, string] =>
  Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string')

function headersOf(text: string): ReadonlyMap<string, string> {
  const pairs = JSON.parse(text) as unknown
  if (!Array.isArray(pairs) || !pairs.every(isPair))
    throw new StrikeflowError('decode', 'Expected headers as pairs of texts')
  return new Map(pairs)
}

/** A sequence or a time. What is larger was written by nobody, and neither a date nor a subject could say it. */
function wholeOf(value: number | bigint | undefined, name: string): number {
  const whole = Number(value)
  if (whole >= 0 && whole <= maxWhole) return whole
  throw new StrikeflowError('decode', `Expected a whole number as ${name}, was ${whole}`)
}

function slices(table: DecodedTable, name: string): (index: number) => Uint8Array {
  const { values, offsets } = table.column(name)
  if (offsets === null) throw new StrikeflowError('decode', `Column ${name} holds no byte strings`)
  return (index) => (values as Uint8Array).subarray(offsets[index], offsets[index + 1])
}
