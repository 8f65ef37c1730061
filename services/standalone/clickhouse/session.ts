import type { Engine, EngineConnection, EngineResult } from './engine.ts'
import { codes, exception } from './exceptions.ts'
import { quote, quoteName } from './literals.ts'

/** What a session lets its user do. Set once when it opens: the engine lets nobody leave a read-only mode. */
export type SessionMode = 'write' | 'get' | 'read'

/** What one request asks of its session beside the statement itself. */
export interface RequestContext {
  readonly database: string
  readonly settings: ReadonlyMap<string, string>
  /** Values of `{name:Type}` placeholders, as the HTTP interface writes them (escaped as in TabSeparated). */
  readonly params: ReadonlyMap<string, string>
}

/** One engine connection with its own settings, which are brought back to this server's defaults after every request. */
export interface Session {
  readonly kind: string
  /** The `log_comment` by which the running query is found and killed. */
  readonly marker: string
  /** Sets what the request names. On an error nothing was run, and `restore` puts things back. */
  prepare(context: RequestContext, sql: string): Promise<void>
  run(sql: string, format?: string): Promise<EngineResult>
  /** Resets what `prepare` set. False: the session can no longer be trusted to be clean and has to be closed. */
  restore(): Promise<boolean>
  /** Says that a statement changed the session itself, so that it cannot serve another request. */
  taint(): void
  close(): void
}

export interface SessionDefaults {
  /** Engine settings of every session, by name. */
  readonly settings: Readonly<Record<string, string>>
}

/** 1: no changes of data or settings at all. 2, as ClickHouse treats GET: no changes of data. */
const readonlyOf: Readonly<Record<SessionMode, string | undefined>> = { write: undefined, get: '2', read: '1' }

const settingName = /^[A-Za-z_]\w*$/
let opened = 0

/**
 * Opens a session. Settings of a `read` session can only be given here, `maxExecutionTime` among them, because the engine
 * refuses every later change.
 */
export async function openSession(
  engine: Engine,
  { settings: defaults }: SessionDefaults,
  mode: SessionMode,
  maxExecutionTime?: string,
): Promise<Session> {
  opened += 1
  const ownMarker = `strikeflow-session-${opened}`
  const connection = engine.connect()
  const base: Record<string, string> = { ...defaults, log_comment: ownMarker }
  if (maxExecutionTime !== undefined) base['max_execution_time'] = maxExecutionTime
  try {
    await connection.run(setStatement(Object.entries(base)))
    const readonly = readonlyOf[mode]
    if (readonly !== undefined) await connection.run(`SET readonly = ${readonly}`)
  } catch (error) {
    connection.close()
    throw error
  }
  return session(connection, base, ownMarker, sessionKind(mode, maxExecutionTime))
}

export const sessionKind = (mode: SessionMode, maxExecutionTime?: string): string =>
  mode === 'read' ? `read ${maxExecutionTime ?? ''}` : mode

function session(
  connection: EngineConnection,
  base: Readonly<Record<string, string>>,
  ownMarker: string,
  kind: string,
): Session {
  const bound = new Set<string>()
  let changed = new Set<string>()
  let database = 'default'
  let marker = ownMarker
  let tainted = false

  async function prepare({ database: wanted, settings, params }: RequestContext, sql: string): Promise<void> {
    for (const name of settings.keys()) {
      if (!settingName.test(name)) throw exception(codes.unknownSetting, `Unknown setting '${name}'.`)
    }
    const statements: string[] = []
    if (wanted !== database) statements.push(`USE ${quoteName(wanted)}`)
    if (settings.size > 0) {
      changed = new Set([...changed, ...settings.keys()])
      statements.push(setStatement([...settings]))
      marker = settings.get('log_comment') ?? ownMarker
    }
    for (const [name, value] of params) {
      bound.add(name)
      statements.push(`SET param_${name} = ${quote(value)}`)
    }
    if (statements.length > 0) {
      // Whatever stopped half way leaves it open which of them took effect.
      tainted = true
      await connection.run(statements.join('; '))
      tainted = false
    }
    database = wanted
    refuseLeaked(sql, params)
  }

  /** The engine cannot forget a parameter: one of an earlier request must not stand in for one that is missing here. */
  function refuseLeaked(sql: string, params: ReadonlyMap<string, string>): void {
    if (bound.size === params.size) return
    for (const [, name = ''] of sql.matchAll(/\{\s*(\w+)\s*:/g)) {
      if (bound.has(name) && !params.has(name)) {
        throw exception(codes.unknownQueryParameter, `Substitution \`${name}\` is not set.`)
      }
    }
  }

  async function restore(): Promise<boolean> {
    if (tainted) return false
    const names = [...changed]
    changed = new Set()
    marker = ownMarker
    if (names.length === 0) return true
    const values = names.map((name) =>
      base[name] === undefined ? `${name} = DEFAULT` : `${name} = ${quote(base[name])}`,
    )
    return connection.run(`SET ${values.join(', ')}`).then(
      () => true,
      () => false,
    )
  }

  return {
    kind,
    get marker() {
      return marker
    },
    prepare,
    run: (sql, format) => connection.run(sql, format),
    restore,
    taint: () => {
      tainted = true
    },
    close: () => connection.close(),
  }
}

const setStatement = (settings: readonly (readonly [string, string])[]): string =>
  `SET ${settings.map(([name, value]) => `${name} = ${quote(value)}`).join(', ')}`
