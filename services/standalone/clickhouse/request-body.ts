import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { type ClickHouseException, codes, exception } from './exceptions.ts'
import type { Spool, SpoolFile } from './spool.ts'
import type { JudgedStatement } from './judged-statement.ts'
import type { Statement } from './statement.ts'

/** SQL and data of a request, taken apart. `body` is there exactly for an INSERT of data. */
export interface ReceivedQuery {
  readonly sql: string
  readonly statement: Statement
  readonly body: SpoolFile | undefined
}

export interface BodyLimits {
  /** Bytes after decompression. */
  readonly maxBodyBytes: number
  /** Bytes of SQL text that come in the body. */
  readonly maxQueryBytes: number
}

export interface ReceiveOptions {
  readonly spool: Spool
  readonly limits: BodyLimits
  readonly signal: AbortSignal
  /** Judges the SQL; throws when this user may not run it, before a byte of its data is kept. */
  readonly admit: (sql: string) => JudgedStatement
}

/**
 * Reads the body. Where the URL's query is an INSERT of data the body goes to a file chunk by chunk; otherwise the body
 * is SQL (behind the URL's, if there is one), and whatever follows an INSERT's format name in it goes to a file too.
 */
export async function receive(
  request: IncomingMessage,
  urlSql: string,
  { spool, limits, signal, admit }: ReceiveOptions,
): Promise<ReceivedQuery> {
  const reader = bodyReader(request, limits.maxBodyBytes, signal)
  const inUrl = urlSql === '' ? undefined : admit(urlSql).statement
  if (inUrl?.kind === 'insert') {
    const data = urlSql.slice(inUrl.dataAt)
    return spooled(urlSql, inUrl, spool, data === '' ? [] : [Buffer.from(`${data}\n`)], reader)
  }
  const head: Buffer[] = urlSql === '' ? [] : [Buffer.from(`${urlSql}\n`)]
  let bytes = 0
  for (;;) {
    const { value, done } = await reader.next()
    if (done === true) break
    head.push(value)
    bytes += value.length
    if (bytes > limits.maxQueryBytes) break
  }
  const text = Buffer.concat(head)
  const sql = text.toString('utf8', 0, limits.maxQueryBytes)
  const { statement } = admit(sql)
  if (statement.kind === 'insert') {
    const dataAt = Buffer.byteLength(sql.slice(0, statement.dataAt))
    return spooled(sql, statement, spool, [text.subarray(dataAt)], reader)
  }
  if (bytes > limits.maxQueryBytes) {
    throw exception(codes.syntaxError, `Syntax error: query exceeds ${limits.maxQueryBytes} bytes.`)
  }
  return { sql: sql.trimEnd(), statement, body: undefined }
}

async function spooled(
  sql: string,
  statement: Statement,
  spool: Spool,
  first: readonly Buffer[],
  rest: AsyncIterable<Buffer>,
): Promise<ReceivedQuery> {
  const body = spool.create('body')
  try {
    for (const chunk of first) body.write(chunk)
    for await (const chunk of rest) body.write(chunk)
    body.end()
    return { sql, statement, body }
  } catch (error) {
    body.remove()
    throw error
  }
}

/** HTTP 413 has no ClickHouse exception of its own for bodies; QUERY_IS_TOO_LARGE is the one that maps to it. */
const tooLarge = (maxBodyBytes: number): ClickHouseException =>
  exception(codes.queryIsTooLarge, `Request body is larger than ${maxBodyBytes} bytes (maxBodyBytes of this server)`)

async function* bodyReader(
  request: IncomingMessage,
  maxBodyBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > maxBodyBytes) throw tooLarge(maxBodyBytes)
  let bytes = 0
  try {
    for await (const chunk of decoded(request, request.headers['content-encoding'])) {
      bytes += chunk.length
      if (bytes > maxBodyBytes) throw tooLarge(maxBodyBytes)
      yield chunk
    }
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
  if (!request.complete) throw exception(codes.networkError, 'The request body ended before it was complete')
}

function decoded(request: IncomingMessage, encoding = ''): AsyncIterable<Buffer> {
  switch (encoding.toLowerCase()) {
    case '':
    case 'identity':
      // The default would close the connection with the reading, and with it the way back for the answer.
      return request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
    case 'gzip':
    case 'x-gzip':
      return through(request, createGunzip())
    case 'deflate':
      return through(request, createInflate())
    case 'br':
      return through(request, createBrotliDecompress())
    case 'zstd':
      return through(request, createZstdDecompress())
    default:
      throw exception(codes.notImplemented, `Unknown compression method: ${encoding}. Known: gzip, deflate, br, zstd`)
  }
}

async function* through(source: Readable, decoder: NodeJS.ReadWriteStream & Readable): AsyncGenerator<Buffer> {
  source.once('error', (error) => decoder.destroy(error))
  source.once('close', () => {
    if (!source.readableEnded) decoder.destroy(new Error('The request was cut off'))
  })
  try {
    for await (const chunk of source.pipe(decoder)) yield chunk as Buffer
  } catch (error) {
    const cause = error as NodeJS.ErrnoException
    if (cause.code?.startsWith('Z_') || cause.code?.startsWith('ERR_') || cause.code?.startsWith('ZSTD_')) {
      throw exception(codes.badArguments, `Cannot decompress the request body: ${cause.message}`)
    }
    throw error
  }
}
