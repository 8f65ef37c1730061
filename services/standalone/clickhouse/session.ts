import type { Engine, EngineConnection, EngineResult } from './engine.ts'
import { codes, exception } from './exceptions.ts'
import { quote, quoteName } from './literals.ts'

/** What a session lets its user do. Set once when it opens: the engine lets nobody leave the read-only mode. */
export type SessionMode = 'write' | 'read'

/** What one request asks of its session beside the statement itself. */
export interface RequestContext {
  readonly database: string
  readonly settings: ReadonlyMap<string, string>
  /** Values of `{name:Type}` placeholders, as the HTTP interface writes them (escaped as in TabSeparated). */
  readonly params: ReadonlyMap<string, string>
  /** The statement reads a body that this server hands to the engine as a file. @default false */
  readonly readsBody?: boolean
}

export interface SessionDefaults {
  /** Engine settings of every session, by name. */
  readonly settings: Readonly<Record<string, string>>
}

const settingName = /^[A-Za-z_]\w*$/
let opened = 0

/** What a session is opened for. */
export interface SessionWish {
  readonly mode: SessionMode
  /** Settings of a `read` session: they can only be given when it opens, because the engine refuses every later change. */
  readonly settings?: ReadonlyMap<string, string> | undefined
}

/** Opens a session. It has none of the rights of the server's own connection (`SET ROLE NONE`). */
export async function openSession(
  engine: Engine,
  { settings: defaults }: SessionDefaults,
  wish: SessionWish,
): Promise<Session> {
  opened += 1
  const ownMarker = `strikeflow-session-${opened}`
  const connection = engine.connect()
  const base = { ...defaults, ...Object.fromEntries(wish.settings ?? []), log_comment: ownMarker }
  const statements = [setStatement(Object.entries(base)), withoutRoles]
  if (wish.mode === 'read') statements.push('SET readonly = 1')
  try {
    await connection.run(statements.join('; '))
  } catch (error) {
    connection.close()
    throw error
  }
  return new Session(connection, base, { kind: sessionKind(wish), ownMarker })
}

/** Sessions of one kind can stand in for each other. */
export const sessionKind = ({ mode, settings = new Map() }: SessionWish): string =>
  mode === 'read' ? `read ${JSON.stringify([...settings].toSorted(([a], [b]) => (a < b ? -1 : 1)))}` : mode

/** Roles of users.xml: none, and the one that reads a body's file. */
const withoutRoles = 'SET ROLE NONE'
const withBody = 'SET ROLE body'

/** One engine connection with its own settings, which are brought back to this server's defaults after every request. */
export class Session {
  /** Which wishes it can serve; see `sessionKind`. */
  readonly kind: string
  readonly #connection: EngineConnection
  readonly #base: Readonly<Record<string, string>>
  readonly #ownMarker: string
  readonly #boundParams = new Set<string>()
  #changedSettings = new Set<string>()
  #database = 'default'
  #marker: string
  #isTainted = false
  #hasRole = false

  constructor(
    connection: EngineConnection,
    base: Readonly<Record<string, string>>,
    { kind, ownMarker }: { readonly kind: string; readonly ownMarker: string },
  ) {
    this.#connection = connection
    this.#base = base
    this.kind = kind
    this.#ownMarker = ownMarker
    this.#marker = ownMarker
  }

  /** The `log_comment` by which the running query is found and killed. */
  get marker(): string {
    return this.#marker
  }

  /** Sets what the request names. After an error nothing was run. */
  async prepare({ database, settings, params, readsBody = false }: RequestContext, sql: string): Promise<void> {
    for (const name of settings.keys()) {
      if (!settingName.test(name)) throw exception(codes.unknownSetting, `Unknown setting '${name}'.`)
    }
    const statements: string[] = []
    if (database !== this.#database) statements.push(`USE ${quoteName(database)}`)
    if (settings.size > 0) {
      this.#changedSettings = this.#changedSettings.union(new Set(settings.keys()))
      statements.push(setStatement([...settings]))
      this.#marker = settings.get('log_comment') ?? this.#ownMarker
    }
    for (const [name, value] of params) {
      this.#boundParams.add(name)
      statements.push(`SET param_${name} = ${quote(value)}`)
    }
    if (readsBody) {
      this.#hasRole = true
      statements.push(withBody)
    }
    if (statements.length > 0) {
      // Whatever stopped half way leaves it open which of them took effect.
      this.#isTainted = true
      await this.#connection.run(statements.join('; '))
      this.#isTainted = false
    }
    this.#database = database
    this.#refuseLeaked(sql, params)
  }

  async run(sql: string, format?: string): Promise<EngineResult> {
    try {
      return await this.#connection.run(sql, format)
    } catch (error) {
      // A connection keeps the remains of a failed query, table locks and memory too, until its next statement.
      this.#changedSettings.add('log_comment')
      throw error
    }
  }

  /** Resets what `prepare` set. False: the session can no longer be trusted to be clean and has to be closed. */
  async restore(): Promise<boolean> {
    if (this.#isTainted) return false
    const names = [...this.#changedSettings]
    this.#changedSettings = new Set()
    this.#marker = this.#ownMarker
    const statements = this.#hasRole ? [withoutRoles] : []
    this.#hasRole = false
    const values = names.map((name) => {
      const value = this.#base[name]
      return value === undefined ? `${name} = DEFAULT` : `${name} = ${quote(value)}`
    })
    if (values.length > 0) statements.push(`SET ${values.join(', ')}`)
    if (statements.length === 0) return true
    return this.#connection.run(statements.join('; ')).then(
      () => true,
      () => false,
    )
  }

  /** Says that a statement changed the session itself, so that it cannot serve another request. */
  taint(): void {
    this.#isTainted = true
  }

  close(): void {
    this.#connection.close()
  }

  /** The engine cannot forget a parameter: one of an earlier request must not stand in for one that is missing here. */
  #refuseLeaked(sql: string, params: ReadonlyMap<string, string>): void {
    if (this.#boundParams.size === params.size) return
    for (const [, name = ''] of sql.matchAll(/\{\s*(\w+)\s*:/g)) {
      if (this.#boundParams.has(name) && !params.has(name)) {
        throw exception(codes.unknownQueryParameter, `Substitution \`${name}\` is not set.`)
      }
    }
  }
}

const setStatement = (settings: readonly (readonly [string, string])[]): string =>
  `SET ${settings.map(([name, value]) => `${name} = ${quote(value)}`).join(', ')}`
