import { setTimeout as sleep } from 'node:timers/promises'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { type ByteBudget, watchSize } from './byte-budget.ts'
import type { Engine, EngineResult } from './engine.ts'
import { insertFromFile } from './insert-body.ts'
import { quote } from './literals.ts'
import { framedFor } from './native-blocks.ts'
import type { NamedSessions } from './named-sessions.ts'
import type { HttpQuery } from './request.ts'
import type { ReceivedQuery } from './request-body.ts'
import type { Content, Summary } from './response.ts'
import type { SessionPool } from './session-pool.ts'
import type { Session, SessionMode } from './session.ts'
import { assertAllowedSettings, type ReaderLimits, readerSettings } from './reader-settings.ts'
import type { Spool, SpoolFile } from './spool.ts'
import type { User } from './users.ts'

/** Sessions of the services or of the readers. They are apart, so that readers never hold up our services. */
export interface Lane extends AsyncDisposable {
  readonly pool: SessionPool
  readonly results: ByteBudget
  readonly named: NamedSessions
}

export interface QueryRunner {
  readonly engine: Engine
  readonly lanes: Readonly<Record<SessionMode, Lane>>
  readonly limits: ReaderLimits
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
  const mode = modeOf(user, http.method)
  const { pool, named, results } = runner.lanes[mode]
  const { statement } = received
  const readsBody = statement.kind === 'insert' && statement.input !== undefined
  const wish = { mode, signal, ...settingsOf(mode, http, runner.limits) }
  const context = { database: http.database, settings: wish.changed, params: http.params, readsBody }
  const use = async (session: Session): Promise<QueryResult> => {
    await session.prepare(context, received.sql)
    if (statement.kind === 'session' && http.session === undefined) session.taint()
    const result = await runIn(session, runner, { http, received, signal, mode })
    return framed(heldWithin(results, result), http.clientRevision)
  }
  if (http.session === undefined) return pool.withSession(wish, use)
  const mine = { ...http.session, ...wish, user: user.name }
  return named.with(mine, (owned) => pool.withSession({ ...wish, owned }, use))
}

/** A GET changes nothing, whoever sends it: it is what a web page can make a browser send without being asked. */
export const modeOf = ({ name }: User, method: string): SessionMode =>
  name === 'services' && method === 'POST' ? 'write' : 'read'

const noSettings: ReadonlyMap<string, string> = new Map()

/** A reading session takes its settings when it opens, a writing one before each statement. */
function settingsOf(
  mode: SessionMode,
  { settings }: HttpQuery,
  limits: ReaderLimits,
): { settings: ReadonlyMap<string, string>; changed: ReadonlyMap<string, string> } {
  if (mode === 'read') return { settings: readerSettings(settings, limits), changed: noSettings }
  assertAllowedSettings(settings)
  return { settings: noSettings, changed: settings }
}

interface RunOptions {
  readonly http: HttpQuery
  readonly received: ReceivedQuery
  readonly signal: AbortSignal
  readonly mode: SessionMode
}

/** Counts a result until it is released; a result for which there is no room is dropped at once. */
function heldWithin(results: ByteBudget, result: QueryResult): QueryResult {
  const bytes = 'path' in result.content ? result.content.bytes : 0
  try {
    const free = results.hold(bytes)
    const release = (): void => {
      result.release()
      free()
    }
    return { ...result, release }
  } catch (error) {
    result.release()
    throw error
  }
}

async function runIn(
  session: Session,
  { engine, spool, limits }: QueryRunner,
  { http, received, signal, mode }: RunOptions,
): Promise<QueryResult> {
  const { sql, statement, body } = received
  switch (statement.kind) {
    case 'read': {
      const file = spool.create('result')
      try {
        // The engine writes the result: no copy through JavaScript's heap, and none of the buffered call's limits.
        const text = `${sql.slice(0, statement.outfileAt)}\nINTO OUTFILE ${quote(file.path)} COMPRESSION 'none' ${sql.slice(statement.outfileAt)}`
        const maxBytes = mode === 'read' ? limits.readerMaxResultBytes : Number.POSITIVE_INFINITY
        const work = session.run(text, http.defaultFormat)
        const result = await endedBeyond(maxBytes, file.path, signal, { engine, marker: session.marker, work })
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
      const work = session.run(sql, http.defaultFormat)
      const { marker } = session
      // A change by our services is not ended with its client, for the same reason as an INSERT.
      const result = await (mode === 'read' ? killedWith(signal, { engine, marker, work }) : work)
      return bytesResult(result, format, readRows(result))
    }
  }
}

/** Ends a query whose result becomes too large as well, and then throws that reason. */
async function endedBeyond<T>(
  maxBytes: number,
  path: string,
  signal: AbortSignal,
  query: { engine: Engine; marker: string; work: Promise<T> },
): Promise<T> {
  if (maxBytes === Number.POSITIVE_INFINITY) return killedWith(signal, query)
  using size = watchSize(path, maxBytes)
  try {
    return await killedWith(AbortSignal.any([signal, size.signal]), query)
  } finally {
    size.look()
    size.signal.throwIfAborted()
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
