import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { codes, exception } from './exceptions.ts'

/** A request as ClickHouse's HTTP interface understands it; the body is not read yet. */
export interface HttpQuery {
  readonly method: string
  /** The `query` parameter; the body is appended or is the data. */
  readonly sql: string
  readonly queryId: string
  readonly database: string
  readonly defaultFormat: string
  readonly params: ReadonlyMap<string, string>
  /** Engine settings the request names. */
  readonly settings: ReadonlyMap<string, string>
  readonly session: { readonly id: string; readonly timeoutSeconds: number; readonly mustExist: boolean } | undefined
  readonly compressResponse: boolean
  /** Native protocol revision by which the client wants Native blocks framed; 0 as a file has them. */
  readonly clientRevision: number
}

/** Parameters that belong to the HTTP interface and are no settings of the embedded engine. */
const interfaceParameters = new Set([
  'add_http_cors_header',
  'buffer_size',
  'cancel_http_readonly_queries_on_client_close',
  'client_protocol_version',
  'close_session',
  'compress',
  'database',
  'decompress',
  'default_format',
  'enable_http_compression',
  'http_headers_progress_interval_ms',
  'http_native_compression_disable_checksumming_on_decompress',
  'http_response_buffer_size',
  'http_response_compression_method',
  'http_write_exception_in_output_format',
  'http_zlib_compression_level',
  'password',
  'query',
  'query_id',
  'quota_key',
  'role',
  'send_progress_in_http_headers',
  'send_progress_in_http_headers_interval_ms',
  'session_check',
  'session_id',
  'session_timeout',
  'stacktrace',
  'user',
  'wait_end_of_query',
])

const paramName = /^\w+$/
const maxSessionTimeoutSeconds = 3600

/** Reads method, URL and headers. Throws what ClickHouse would answer to parameters it cannot serve. */
export function readRequest(request: IncomingMessage, url: URL): HttpQuery {
  const { searchParams } = url
  for (const name of ['compress', 'decompress']) {
    if (isTrue(searchParams.get(name))) {
      const text = `ClickHouse's own block compression (${name}=1) is not served here; use Content-Encoding and enable_http_compression`
      throw exception(codes.notImplemented, text)
    }
  }
  const params = new Map<string, string>()
  const settings = new Map<string, string>()
  for (const [name, value] of searchParams) {
    if (name.startsWith('param_')) {
      const key = name.slice('param_'.length)
      if (!paramName.test(key)) throw exception(codes.badArguments, `Invalid query parameter name '${key}'`)
      params.set(key, value)
    } else if (!interfaceParameters.has(name)) {
      settings.set(name, value)
    }
  }
  return {
    method: request.method ?? 'GET',
    sql: searchParams.get('query') ?? '',
    queryId: searchParams.get('query_id') || randomUUID(),
    database: searchParams.get('database') || header(request, 'x-clickhouse-database') || 'default',
    defaultFormat: header(request, 'x-clickhouse-format') || searchParams.get('default_format') || 'TabSeparated',
    params,
    settings,
    session: sessionOf(searchParams),
    compressResponse: isTrue(searchParams.get('enable_http_compression')),
    clientRevision: Number(searchParams.get('client_protocol_version') ?? 0) || 0,
  }
}

function sessionOf(params: URLSearchParams): HttpQuery['session'] {
  const id = params.get('session_id')
  if (id === null || id === '') return undefined
  const timeoutSeconds = Number(params.get('session_timeout') ?? 60)
  if (!(timeoutSeconds > 0 && timeoutSeconds <= maxSessionTimeoutSeconds)) {
    throw exception(codes.badArguments, `Invalid session timeout: '${params.get('session_timeout')}'`)
  }
  return { id, timeoutSeconds, mustExist: isTrue(params.get('session_check')) }
}

const isTrue = (value: string | null): boolean => value === '1' || value === 'true'

const header = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}
