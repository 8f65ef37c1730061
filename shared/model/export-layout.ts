import { crc32 } from 'node:zlib'
import { StrikeflowError } from './errors.ts'

/** The exported documents; `<name>.json` is its file, `<name>` the key of its rows, `<name>_count` their number. */
export const exportNames = ['alerts', 'chains', 'scans', 'features'] as const
export type ExportName = (typeof exportNames)[number]

/*
 * One document is one JSON value laid out in lines: a head, one row per line, a foot.
 *
 *   {"export_timestamp":"…","chains_count":2,"chains":[
 *   {"ticker":"AAPL",…},
 *   {"ticker":"SPY",…}
 *   ],"checksum":"crc32:1a2b3c4d"}
 *
 * Any JSON parser reads it; one that knows the lines finds a row without parsing the others. The checksum covers every
 * byte before the foot.
 */

/** Bytes gathered before they are handed on: few system calls, little memory. */
const chunkChars = 1 << 20

export interface ExportDocument {
  readonly name: ExportName
  /** ISO 8601 UTC. */
  readonly timestamp: string
  readonly count: number
  /** Each row's JSON text, on one line. */
  readonly rows: AsyncIterable<string> | Iterable<string>
}

/** Yields the bytes of a document. Throws at the end when the rows were not as many as `count` said. */
export async function* encodeExport({ name, timestamp, count, rows }: ExportDocument): AsyncGenerator<Buffer> {
  let text = `{"export_timestamp":${JSON.stringify(timestamp)},"${name}_count":${count},"${name}":[\n`
  let seen = 0
  let checksum = 0
  for await (const row of rows) {
    seen += 1
    text += seen < count ? `${row},\n` : `${row}\n`
    if (text.length < chunkChars) continue
    const chunk = Buffer.from(text)
    checksum = crc32(chunk, checksum)
    text = ''
    yield chunk
  }
  if (seen !== count) throw new StrikeflowError('internal', `Expected ${count} rows of ${name}, had ${seen}`)
  checksum = crc32(text, checksum)
  yield Buffer.from(`${text}],"checksum":"crc32:${checksum.toString(16).padStart(8, '0')}"}\n`)
}

export interface ExportLayout {
  /** ISO 8601 UTC. */
  readonly timestamp: string
  readonly count: number
  /** Views of each row's JSON text, without the comma. */
  readonly rows: readonly Buffer[]
  /** The bytes the checksum covers. */
  readonly covered: Buffer
  readonly checksum: number
}

const footPattern = /\],"checksum":"crc32:([0-9a-f]{8})"\}\n?$/
const footBytes = 40
const newline = 10
const comma = 44

/** Finds the parts of a document without parsing its rows. Throws `decode` on any other layout; the checksum is for the caller. */
export function readExportLayout(name: ExportName, bytes: Buffer): ExportLayout {
  const tail = bytes.subarray(Math.max(0, bytes.length - footBytes)).toString('latin1')
  const foot = footPattern.exec(tail)
  if (foot === null) throw new StrikeflowError('decode', `Expected ${name} to end with its checksum`)
  const covered = bytes.subarray(0, bytes.length - foot[0].length)
  const headEnd = covered.indexOf(newline)
  const head = readHead(name, covered.subarray(0, Math.max(0, headEnd)).toString())
  const rows = splitRows(covered.subarray(headEnd + 1))
  if (rows.length !== head.count)
    throw new StrikeflowError('decode', `Expected ${head.count} rows of ${name}, found ${rows.length}`)
  return { ...head, rows, covered, checksum: Number.parseInt(foot[1] ?? '', 16) }
}

function readHead(name: ExportName, text: string): { timestamp: string; count: number } {
  try {
    const head = JSON.parse(`${text}]}`) as Record<string, unknown>
    const timestamp = head['export_timestamp']
    const count = head[`${name}_count`]
    if (typeof timestamp === 'string' && Number.isFinite(Date.parse(timestamp)) && Number.isInteger(count))
      return { timestamp, count: count as number }
  } catch {
    // Falls through to the one error below.
  }
  throw new StrikeflowError('decode', `Expected ${name} to begin with its time and count`)
}

function splitRows(lines: Buffer): Buffer[] {
  const rows: Buffer[] = []
  for (let start = 0; start < lines.length;) {
    const end = lines.indexOf(newline, start)
    if (end < 0) throw new StrikeflowError('decode', 'Expected a line break after the last row')
    rows.push(lines.subarray(start, lines[end - 1] === comma ? end - 1 : end))
    start = end + 1
  }
  return rows
}

/** Continues the checksum of a document over the next bytes. */
export const exportChecksum = (bytes: Uint8Array, soFar = 0): number => crc32(bytes, soFar)
