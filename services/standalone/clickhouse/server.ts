import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import type { Logger } from '../../../shared/runtime/logger.ts'
import { createRequestGuard, type RequestGuard } from '../../../shared/runtime/request-guard.ts'
import { type ClickHouseException, codes, exception, fromEngine } from './exceptions.ts'
import { type JudgedStatement, StatementJudge } from './judged-statement.ts'
import { cannotModify } from './reader-settings.ts'
import { type HttpQuery, readRequest } from './request.ts'
import { type BodyLimits, receive, type ReceivedQuery } from './request-body.ts'
import { sendAnswer, sendException, sendOk } from './response.ts'
import { modeOf, type QueryRunner, runQuery } from './run-query.ts'
import type { SessionMode } from './session.ts'
import { SlowRefusals } from '../../../shared/runtime/slow-refusals.ts'
import { authenticationFailed, credentialsOf, type User, userOf } from './users.ts'

export interface HttpServerOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Further names by which a port on loopback may be called. */
  readonly allowedHosts: readonly string[]
  readonly users: readonly User[]
  readonly limits: BodyLimits
  readonly runner: QueryRunner
  readonly log: Logger
}

export interface HttpServer {
  readonly url: string
  /** Takes no new requests from now on. */
  refuse(): void
  /** Closes every connection. */
  close(): Promise<void>
}

/** A connection that takes nothing of its answer for this long is closed. */
const stalledMs = 120_000

/** What every request goes through before it is read. */
interface Gate {
  readonly guard: RequestGuard
  readonly refusals: SlowRefusals
  readonly statements: StatementJudge
}

/** Serves ClickHouse's HTTP interface. */
export async function serveHttp(options: HttpServerOptions): Promise<HttpServer> {
  const { host, port, allowedHosts } = options
  const gate: Gate = {
    guard: createRequestGuard({ boundHost: host, allowedHosts }),
    refusals: new SlowRefusals({ clock: () => performance.now() }),
    statements: new StatementJudge(),
  }
  let isDraining = false
  const server = createServer({ keepAliveTimeout: 30_000, requestTimeout: 0 }, (request, response) => {
    void handle(options, gate, request, response, isDraining)
  })
  await listening(server, host, port)
  const address = server.address() as AddressInfo
  const urlHost = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return {
    url: `http://${urlHost}:${address.port}`,
    refuse() {
      isDraining = true
      server.close()
    },
    close() {
      return new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? `port ${port} on ${host} is taken by another process` : error.message
      reject(new StrikeflowError('config', `Cannot listen: ${reason}`, { cause: error }))
    })
    server.listen(port, host, resolve)
  })
}

async function handle(
  options: HttpServerOptions,
  gate: Gate,
  request: IncomingMessage,
  response: ServerResponse,
  isDraining: boolean,
): Promise<void> {
  const { runner, log } = options
  const startedMs = performance.now()
  const url = new URL(request.url ?? '/', 'http://localhost')
  const refusal = gate.guard(request)
  if (refusal !== null) return refuse(options, request, response, exception(codes.accessDenied, refusal))
  if (url.pathname === '/ping' || url.pathname === '/replicas_status') return sendOk(request, response)
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(exception(codes.queryWasCancelled, 'The client has left'))
  })
  let queryId = url.searchParams.get('query_id') ?? ''
  let facts: Record<string, unknown> = {}
  try {
    if (isDraining) throw exception(codes.networkError, 'Server is shutting down')
    const credentials = credentialsOf(request.headers, url.searchParams)
    const user = userOf(options.users, credentials)
    if (user === undefined) {
      const mayAnswer = credentials === undefined || (await gate.refusals.slowDown(gone.signal))
      if (!mayAnswer) return void response.destroy()
      throw authenticationFailed(credentials)
    }
    const http = readRequest(request, url)
    queryId = http.queryId
    const mode = modeOf(user, http.method)
    const received = await receive(request, http.sql, {
      spool: runner.spool,
      limits: options.limits,
      signal: gone.signal,
      admit: (sql) => admitted(gate.statements.judge(sql), sql, mode),
    })
    facts = { user: user.name, kind: received.statement.kind, bodyBytes: received.body?.bytes }
    await answer(options, { user, http, received, request, response, signal: gone.signal })
    log.debug({ queryId, ...facts, durationMs: Math.round(performance.now() - startedMs) }, 'query done')
  } catch (error) {
    const failure = fromEngine(error)
    log.debug(
      { queryId, ...facts, code: failure.code, durationMs: Math.round(performance.now() - startedMs) },
      'query failed',
    )
    if (failure.code === codes.unknownException && !gone.signal.aborted)
      log.error({ queryId, err: error }, 'request failed in this server')
    refuse(options, request, response, failure, queryId)
  }
}

function refuse(
  { runner }: HttpServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  failure: ClickHouseException,
  queryId = '',
): void {
  // What is left of the body is read and dropped: closing on a sender would take the answer from it.
  request.unpipe()
  request.resume()
  const { timezone, version } = runner.engine
  sendException(response, failure, { queryId, timezone, version })
}

/** Returns the statement when it may run in this mode. Throws ACCESS_DENIED, or READONLY for one that only reading stops. */
function admitted(judged: JudgedStatement, sql: string, mode: SessionMode): JudgedStatement {
  const { refusal, reads, statement } = judged
  if (refusal !== null) throw exception(codes.accessDenied, `Statement refused: ${refusal}`)
  if (mode === 'write' || reads || statement.kind === 'empty') return judged
  if (statement.kind === 'session' && statement.setsSettings) throw cannotModify(/SET\s+(\w+)/i.exec(sql)?.[1] ?? '')
  throw exception(codes.readonly, 'Cannot execute query in readonly mode: a reader and a GET may only read.')
}

async function answer(
  { runner }: HttpServerOptions,
  asked: {
    user: User
    http: HttpQuery
    received: ReceivedQuery
    request: IncomingMessage
    response: ServerResponse
    signal: AbortSignal
  },
): Promise<void> {
  const { http, received, request, response } = asked
  if (received.statement.kind === 'empty') return sendOk(request, response)
  const result = await runQuery(runner, asked).finally(() => received.body?.remove())
  // A client that takes nothing more must not keep its result in memory.
  response.setTimeout(stalledMs, () => response.destroy())
  try {
    await sendAnswer(response, {
      ...result,
      queryId: http.queryId,
      timezone: runner.engine.timezone,
      acceptEncoding: http.compressResponse ? request.headers['accept-encoding'] : undefined,
    })
  } finally {
    result.release()
  }
}
