import { createReadStream, openSync, readFileSync, unlinkSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { hostname } from 'node:os'
import type { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createBrotliCompress, createDeflate, createGzip, createZstdCompress } from 'node:zlib'
import { type ClickHouseException, statusOf } from './exceptions.ts'

export interface Summary {
  readonly readRows: number
  readonly readBytes: number
  readonly writtenRows: number
  readonly writtenBytes: number
  readonly resultRows: number
  readonly resultBytes: number
  readonly elapsedSeconds: number
}

export interface Answer {
  readonly queryId: string
  readonly timezone: string
  readonly format: string
  readonly summary: Summary
  /** Accept-Encoding of a request that asked for compression. */
  readonly acceptEncoding: string | undefined
  readonly content: Content
}

/** A result: bytes in hand, or a file that holds them. */
export type Content = { readonly chunks: readonly Uint8Array[] } | { readonly path: string; readonly bytes: number }

const serverName = hostname()

/** First match counts. */
const contentTypes: readonly (readonly [RegExp, string])[] = [
  [/^json.*eachrow|^jsonlines$|^ndjson$/i, 'application/x-ndjson; charset=UTF-8'],
  [/^json/i, 'application/json; charset=UTF-8'],
  [/^xml$/i, 'application/xml; charset=UTF-8'],
  [/^(tabseparated|tsv)/i, 'text/tab-separated-values; charset=UTF-8'],
  [/^csvwithnames/i, 'text/csv; charset=UTF-8; header=present'],
  [/^csv/i, 'text/csv; charset=UTF-8; header=absent'],
  [/^(native|rowbinary|arrow|parquet|orc|avro|protobuf|msgpack|bson|capnproto)/i, 'application/octet-stream'],
]

/** The Content-Type ClickHouse sends for a format. */
const contentTypeOf = (format: string): string =>
  contentTypes.find(([pattern]) => pattern.test(format))?.[1] ?? 'text/plain; charset=UTF-8'

export async function sendAnswer(response: ServerResponse, answer: Answer): Promise<void> {
  const { content } = answer
  const bytes = 'path' in content ? content.bytes : content.chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  const encoding = bytes === 0 ? undefined : encodingFor(answer.acceptEncoding)
  const headers = {
    ...commonHeaders(answer.queryId, answer.timezone),
    'Content-Type': contentTypeOf(answer.format),
    'X-ClickHouse-Format': answer.format,
    'X-ClickHouse-Summary': summaryJson(answer.summary),
    ...(encoding === undefined ? { 'Content-Length': bytes } : { 'Content-Encoding': encoding.name }),
  }
  response.writeHead(200, headers)
  if (bytes === 0) {
    response.end()
    return
  }
  const source = sourceOf(content)
  if (encoding !== undefined) await pipeline(source, encoding.create(), response)
  else if (Array.isArray(source) && source.length === 1) response.end(source[0])
  else await pipeline(source, response)
}

/** Read in one go up to here: cheaper than a stream, and still no burden for the JavaScript thread. */
const maxBytesAtOnce = 256 * 1024

/** Opens and removes a result's file at once: it is gone with the last byte sent, whatever happens to this process. */
function sourceOf(content: Content): Uint8Array[] | Readable {
  if (!('path' in content)) return [...content.chunks]
  if (content.bytes <= maxBytesAtOnce) {
    const bytes = readFileSync(content.path)
    unlinkSync(content.path)
    return [bytes]
  }
  const fd = openSync(content.path, 'r')
  unlinkSync(content.path)
  return createReadStream('', { fd, highWaterMark: 1 << 20 })
}

export function sendException(
  response: ServerResponse,
  { code, message }: ClickHouseException,
  about: { queryId: string; timezone: string; version: string },
): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const body = Buffer.from(`${message} (version ${about.version} (chdb))\n`)
  response.writeHead(statusOf(code), {
    ...commonHeaders(about.queryId, about.timezone),
    'Content-Type': 'text/plain; charset=UTF-8',
    'Content-Length': body.length,
    'X-ClickHouse-Exception-Code': String(code),
  })
  response.end(body)
}

/** What `/ping` and `/` answer. */
export function sendOk(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, {
    'Content-Type': 'text/html; charset=UTF-8',
    'X-ClickHouse-Server-Display-Name': serverName,
  })
  response.end(request.method === 'HEAD' ? '' : 'Ok.\n')
}

function commonHeaders(queryId: string, timezone: string): Record<string, string> {
  return {
    'X-ClickHouse-Server-Display-Name': serverName,
    'X-ClickHouse-Query-Id': headerSafe(queryId),
    'X-ClickHouse-Timezone': timezone,
  }
}

const headerSafe = (text: string): string => text.replaceAll(/[^\t\x20-\x7e]/g, '?')

function summaryJson(summary: Summary): string {
  return JSON.stringify({
    read_rows: String(summary.readRows),
    read_bytes: String(summary.readBytes),
    written_rows: String(summary.writtenRows),
    written_bytes: String(summary.writtenBytes),
    total_rows_to_read: '0',
    result_rows: String(summary.resultRows),
    result_bytes: String(summary.resultBytes),
    elapsed_ns: String(Math.round(summary.elapsedSeconds * 1e9)),
  })
}

interface Encoding {
  readonly name: string
  create(): Transform
}

/** In order of preference: what costs the server least comes first. */
const encodings: readonly Encoding[] = [
  { name: 'zstd', create: () => createZstdCompress() },
  { name: 'gzip', create: () => createGzip({ level: 3 }) },
  { name: 'deflate', create: () => createDeflate({ level: 3 }) },
  { name: 'br', create: () => createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 3 } }) },
]

function encodingFor(accepted: string | undefined): Encoding | undefined {
  const names = new Set((accepted ?? '').split(',').map((entry) => entry.split(';')[0]?.trim().toLowerCase()))
  return encodings.find(({ name }) => names.has(name))
}
