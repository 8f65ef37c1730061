import { Readable } from 'node:stream'
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { StrikeflowError } from '../model/errors.ts'
import { readPasswordFile } from '../runtime/secrets.ts'
import type { Query } from './queries/query.ts'

export interface StoreSettings {
  readonly url: string
  readonly database: string
  readonly user: string
  readonly password: string
  /** Read when the store is opened; comes before `password`. */
  readonly passwordFile?: string | undefined
  /** Longest wait for an answer. @default 30000 */
  readonly requestTimeoutMs?: number
}

export interface Store extends AsyncDisposable {
  readonly database: string
  readonly query: Query
  /** Runs a statement that returns nothing: DDL, or a small INSERT with its values in parameters. */
  command(sql: string, params?: Record<string, unknown>, settings?: StatementSettings): Promise<void>
  /** Runs an INSERT whose data is `body`, in the format the statement names. Nothing of the body may change meanwhile. */
  insert(sql: string, body: InsertBody, options?: InsertOptions): Promise<void>
  ping(): Promise<boolean>
}

/** What is sent, one piece after the other. */
export type InsertBody = readonly Uint8Array[]

export interface InsertOptions {
  /** The server ends the insert by itself after this; rounded up to seconds. */
  readonly limitMs?: number
  /** Called when half of the body is on its way. */
  readonly midway?: (() => Promise<void> | undefined) | undefined
}

export type StatementSettings = Readonly<Record<string, string | number>>

/** A failed statement, with ClickHouse's own code. `indeterminate` when it may have taken effect all the same. */
export class StoreError extends StrikeflowError {
  readonly clickhouseCode: number | null
  readonly indeterminate: boolean

  constructor(message: string, cause: unknown, clickhouseCode: number | null) {
    const unreachable = clickhouseCode === null
    super('store', message, { cause, retryable: unreachable || retryableCodes.has(clickhouseCode) })
    this.name = 'StoreError'
    this.clickhouseCode = clickhouseCode
    this.indeterminate = unreachable || indeterminateCodes.has(clickhouseCode)
  }
}

/** Timeout, network, memory, too many parts, not enough space, read-only, cancelled or aborted (a server that stops): the same statement may succeed later. */
const retryableCodes = new Set([
  3, 107, 159, 164, 173, 202, 203, 209, 210, 236, 241, 242, 243, 252, 285, 319, 341, 394, 425, 517, 999,
])
const indeterminateCodes = new Set([159, 209, 210, 236, 319, 394, 999])

const defaultRequestTimeoutMs = 30_000

/** Opens a store; nothing is sent before the first statement. */
export function openStore(settings: StoreSettings): Store {
  const client = createClient({
    url: settings.url,
    database: settings.database,
    username: settings.user,
    password: settings.passwordFile === undefined ? settings.password : readPasswordFile(settings.passwordFile),
    request_timeout: settings.requestTimeoutMs ?? defaultRequestTimeoutMs,
    max_open_connections: 16,
    // Below the server's keep-alive timeout, or a socket closes under a request on its way ("socket hang up").
    keep_alive: { enabled: true, idle_socket_ttl: 2500 },
    // A server may have async inserts on by default; ours must be in the table when the answer comes.
    // Its errors reach us as exceptions; its own log would only write over the terminal.
    log: { level: ClickHouseLogLevel.OFF },
    // No insert holds a row twice, so there is nothing to merge in it before it is written.
    clickhouse_settings: { async_insert: 0, optimize_on_insert: 0, output_format_json_quote_64bit_integers: 0 },
  })
  // The server gives up before we do: an insert whose answer we did not wait for must not land later.
  const requestTimeoutMs = settings.requestTimeoutMs ?? defaultRequestTimeoutMs
  const longestMs = requestTimeoutMs - 2_000
  return {
    database: settings.database,
    query: { rows: (sql, params) => guarded(() => rows(client, sql, params)) },
    command: (sql, params = {}, extra = {}) =>
      guarded(async () => {
        await client.command({ query: sql, query_params: params, clickhouse_settings: extra })
      }),
    insert: (sql, body, { limitMs = longestMs, midway } = {}) =>
      guarded(() => insert(client, sql, body, Math.max(1, Math.ceil(Math.min(limitMs, longestMs) / 1000)), midway)),
    ping: async () => (await client.ping()).success,
    [Symbol.asyncDispose]: () => client.close(),
  }
}

async function rows<T>(client: ClickHouseClient, sql: string, params: Record<string, unknown> = {}): Promise<T[]> {
  const result = await client.query({ query: sql, query_params: params, format: 'JSONEachRow' })
  return result.json<T>()
}

async function insert(
  client: ClickHouseClient,
  sql: string,
  body: InsertBody,
  limitS: number,
  midway: InsertOptions['midway'],
): Promise<void> {
  const { stream } = await client.exec({
    query: sql,
    values: Readable.from(midway === undefined ? body : inTwoHalves(body, midway), { objectMode: false }),
    clickhouse_settings: { max_execution_time: limitS },
  })
  // Until the answer is read to its end the server may still report a failure, and the socket is not free.
  for await (const _ of stream);
}

async function* inTwoHalves(
  body: InsertBody,
  midway: () => Promise<void> | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  const half = body.reduce((sum, { length }) => sum + length, 0) >> 1
  let sent = 0
  for (const piece of body) {
    const at = half - sent
    if (at >= 0 && at < piece.length) {
      yield piece.subarray(0, at)
      await midway()
      yield piece.subarray(at)
    } else yield piece
    sent += piece.length
  }
}

async function guarded<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    if (cause instanceof ClickHouseError) {
      const code = Number(cause.code)
      throw new StoreError(`ClickHouse ${code} ${cause.type ?? ''}: ${cause.message.slice(0, 500)}`, cause, code)
    }
    throw new StoreError(`ClickHouse did not answer: ${(cause as Error).message}`, cause, null)
  }
}
