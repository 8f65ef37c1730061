import { setTimeout as sleep } from 'node:timers/promises'
import { existsSync, readFileSync, statSync } from 'node:fs'
import type { Engine, EngineResult } from './engine.ts'
import { insertFromFile } from './insert-body.ts'
import { quote } from './literals.ts'
import { framedFor } from './native-blocks.ts'
import type { NamedSessions } from './named-sessions.ts'
import { cannotModify, type HttpQuery, settingsFor } from './request.ts'
import type { ReceivedQuery } from './request-body.ts'
import type { Content, Summary } from './response.ts'
import type { SessionPool } from './session-pool.ts'
import type { Session, SessionMode } from './session.ts'
import type { Spool, SpoolFile } from './spool.ts'
import type { User } from './users.ts'

export interface QueryRunner {
  readonly engine: Engine
  readonly pool: SessionPool
  readonly named: NamedSessions
  readonly spool: Spool
}

export interface QueryResult {
  readonly format: string
  readonly summary: Summary
  readonly content: Content
  /** Removes the result's file; to be called when it is sent. */
  release(): void
}

/** Runs one received query in a session of its own and returns its whole result. `signal` aborts with the client. */
export async function runQuery(
  runner: QueryRunner,
  { user, http, received, signal }: { user: User; http: HttpQuery; received: ReceivedQuery; signal: AbortSignal },
): Promise<QueryResult> {
  const { pool, named } = runner
  const mode = modeOf(user, http)
  const { statement } = received
  if (mode === 'read' && statement.kind === 'session' && statement.setsSettings)
    throw cannotModify(/SET\s+(\w+)/i.exec(received.sql)?.[1] ?? '')
  const { settings, maxExecutionTime } = settingsFor(user, http.settings)
  const context = { database: http.database, settings, params: http.params }
  const use = async (session: Session): Promise<QueryResult> => {
    await session.prepare(context, received.sql)
    if (statement.kind === 'session' && http.session === undefined) session.taint()
    return framed(await runIn(session, runner, { http, received, signal }), http.clientRevision)
  }
  const wish = { mode, maxExecutionTime, signal }
  if (http.session === undefined) return pool.withSession(wish, use)
  const mine = { ...http.session, user: user.name, mode, maxExecutionTime }
  return named.with(mine, (owned) => pool.withSession({ ...wish, owned }, use))
}

function modeOf(user: User, http: HttpQuery): SessionMode {
  if (user.readonly) return 'read'
  return http.method === 'POST' ? 'write' : 'get'
}

async function runIn(
  session: Session,
  { engine, spool }: QueryRunner,
  { http, received, signal }: { http: HttpQuery; received: ReceivedQuery; signal: AbortSignal },
): Promise<QueryResult> {
  const { sql, statement, body } = received
  switch (statement.kind) {
    case 'read': {
      const file = spool.create('result')
      try {
        // The engine writes the result: no copy through JavaScript's heap, and none of the buffered call's limits.
        const text = `${sql.slice(0, statement.outfileAt)}\nINTO OUTFILE ${quote(file.path)} COMPRESSION 'none' ${sql.slice(statement.outfileAt)}`
        const work = session.run(text, http.defaultFormat)
        const result = await killedWith(signal, { engine, marker: session.marker, work })
        return fileResult(file, result, statement.format ?? http.defaultFormat)
      } catch (error) {
        file.remove()
        throw error
      }
    }
    case 'insert': {
      // Not killed with its client: whether a begun INSERT took effect should not depend on when the client left.
      const result = await session.run(insertFromFile(sql, statement, body?.path ?? '/dev/null'), 'TabSeparated')
      return bytesResult(result, http.defaultFormat, {
        ...noRows,
        writtenRows: result.rows,
        writtenBytes: result.rowBytes,
      })
    }
    case 'session':
    case 'empty':
    case 'other': {
      const format = 'format' in statement ? (statement.format ?? http.defaultFormat) : http.defaultFormat
      const result = await session.run(sql, http.defaultFormat)
      return bytesResult(result, format, readRows(result))
    }
  }
}

/**
 * Lets the engine end a query whose client has gone, so that it frees its session. Returns once no kill is on its way any more: it
 * would end the next query of the session.
 */
async function killedWith<T>(
  signal: AbortSignal,
  { engine, marker, work }: { engine: Engine; marker: string; work: Promise<T> },
): Promise<T> {
  const done = new AbortController()
  let killing = Promise.resolve()
  const kill = async (): Promise<void> => {
    // Repeated, since the query may not yet be known to the engine when the client leaves.
    while (!done.signal.aborted) {
      await engine.kill(marker).catch(() => 0)
      await sleep(100, undefined, { signal: done.signal }).catch(() => undefined)
    }
  }
  const onAbort = (): void => {
    killing = kill()
  }
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await work
  } finally {
    done.abort()
    signal.removeEventListener('abort', onAbort)
    await killing
  }
}

/** Gives Native blocks the frame that the client's protocol revision asks for; every other result stays as it is. */
function framed(result: QueryResult, clientRevision: number): QueryResult {
  if (clientRevision <= 0 || result.format !== 'Native') return result
  const { content } = result
  try {
    const bytes = 'path' in content ? readFileSync(content.path) : Buffer.concat(content.chunks)
    return { ...result, content: { chunks: framedFor(clientRevision, bytes) } }
  } finally {
    result.release()
  }
}

const noRows = { readRows: 0, readBytes: 0, writtenRows: 0, writtenBytes: 0, resultRows: 0, resultBytes: 0 }

const readRows = ({ rows, rowBytes }: EngineResult): Omit<Summary, 'elapsedSeconds'> => ({
  ...noRows,
  readRows: rows,
  readBytes: rowBytes,
  resultRows: rows,
  resultBytes: rowBytes,
})

function fileResult(file: SpoolFile, result: EngineResult, format: string): QueryResult {
  const summary = { ...readRows(result), elapsedSeconds: result.elapsedSeconds }
  const content = existsSync(file.path) ? { path: file.path, bytes: statSync(file.path).size } : { chunks: [] }
  return { format, summary, content, release: () => file.remove() }
}

function bytesResult(result: EngineResult, format: string, rows: Omit<Summary, 'elapsedSeconds'>): QueryResult {
  const summary = { ...rows, elapsedSeconds: result.elapsedSeconds }
  return { format, summary, content: { chunks: [result.bytes] }, release: () => undefined }
}
