import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Logger } from '../../../shared/runtime/logger.ts'
import { ensureSecrets, readStackSecret } from '../../../shared/runtime/secrets.ts'
import { ByteBudget } from './byte-budget.ts'
import type { ClickHouseConfig } from './config.ts'
import { ownDataDirectory } from './data-owner.ts'
import { type Engine, openEngine } from './engine.ts'
import { createNamedSessions } from './named-sessions.ts'
import { readerDefaults } from './reader-settings.ts'
import type { Lane } from './run-query.ts'
import { type HttpServer, serveHttp } from './server.ts'
import { SessionPool } from './session-pool.ts'
import type { SessionDefaults } from './session.ts'
import { openSpool } from './spool.ts'
import type { User } from './users.ts'

export interface EmbeddedClickHouse extends AsyncDisposable {
  readonly url: string
  readonly engineVersion: string
  /** The folder that holds the passwords of `services` and `reader`. */
  readonly secretsDir: string
  readonly engine: Pick<Engine, 'control'>
}

/** Running queries get this long at a stop; then the engine is asked to end them. */
const stopGraceMs = 10_000
const killGraceMs = 2000

/**
 * Opens the data directory and serves it. Consumes HTTP requests, produces what a ClickHouse server would answer.
 * Guarantees: one owner of the directory; acknowledged inserts are in the engine's files; nothing of a request (settings,
 * parameters, database) is left for the next one.
 */
export async function startClickHouse(config: ClickHouseConfig, log: Logger): Promise<EmbeddedClickHouse> {
  const dataDir = resolve(config.dataDir)
  const stack = new AsyncDisposableStack()
  try {
    mkdirSync(dataDir, { recursive: true })
    stack.use(ownDataDirectory(dataDir))
    const secretsDir = config.secretsDir ?? (await ensureSecrets(dataDir)).directory
    const users = usersIn(secretsDir)
    const spool = stack.use(openSpool({ directory: config.spoolDir, maxBytes: config.maxSpoolBytes }))
    const engine = stack.use(await openEngine({ dataDir, serverSettings: serverSettings(config) }))
    const lanes = { write: stack.use(servicesLane(engine, config)), read: stack.use(readersLane(engine, config)) }
    await warmUp(lanes.write.pool)
    const { host, port, allowedHosts = [], maxBodyBytes, maxQueryBytes } = config
    const runner = { engine, lanes, limits: config, spool }
    const limits = { maxBodyBytes, maxQueryBytes }
    const server = await serveHttp({ host, port, allowedHosts, users, limits, runner, log })
    stack.defer(() => drained(server, [lanes.write.pool, lanes.read.pool], engine, log))
    const owned = stack.move()
    return {
      url: server.url,
      engineVersion: engine.version,
      secretsDir,
      engine,
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

const usersIn = (secretsDir: string): readonly User[] =>
  (['services', 'reader'] as const).map((name) => ({ name, password: readStackSecret(join(secretsDir, name)) }))

function servicesLane(engine: Engine, config: ClickHouseConfig): Lane {
  const { maxSessions, maxWaiting, maxSpoolBytes } = config
  return lane(engine, sessionDefaults(config), { maxSessions, maxWaiting, maxResultBytes: maxSpoolBytes })
}

function readersLane(engine: Engine, config: ClickHouseConfig): Lane {
  const settings = { ...sessionDefaults(config).settings, ...readerDefaults(config) }
  const { readerMaxSessions: maxSessions, readerMaxWaiting: maxWaiting } = config
  const maxResultBytes = config.readerMaxResultBytes * maxSessions
  return lane(engine, { settings }, { maxSessions, maxWaiting, maxResultBytes })
}

interface LaneSize {
  readonly maxSessions: number
  readonly maxWaiting: number
  /** Of all results that wait for their clients. */
  readonly maxResultBytes: number
}

function lane(engine: Engine, defaults: SessionDefaults, { maxResultBytes, ...size }: LaneSize): Lane {
  const pool = new SessionPool({ engine, defaults, ...size })
  const named = createNamedSessions(engine, defaults)
  return {
    pool,
    named,
    results: new ByteBudget(maxResultBytes),
    async [Symbol.asyncDispose]() {
      named[Symbol.dispose]()
      await pool[Symbol.asyncDispose]()
    },
  }
}

async function drained(server: HttpServer, pools: readonly SessionPool[], engine: Engine, log: Logger): Promise<void> {
  server.refuse()
  const isIdle = Promise.all(pools.map((pool) => pool.idle())).then(() => true)
  if (!(await Promise.race([isIdle, sleep(stopGraceMs, false, { ref: false })]))) {
    const sum = (of: (pool: SessionPool) => number): number => pools.reduce((total, pool) => total + of(pool), 0)
    log.warn(
      { running: sum(({ busy }) => busy), waiting: sum(({ waiting }) => waiting) },
      'queries still run at the stop and are cancelled',
    )
    await engine.killAll()
    await Promise.race([isIdle, sleep(killGraceMs)])
  }
  await server.close()
}

/** The first statement of a connection costs milliseconds; it is spent before anybody waits for it. */
async function warmUp(pool: SessionPool): Promise<void> {
  const { signal } = new AbortController()
  await pool.withSession({ mode: 'write', signal }, (session) => session.run('SELECT 1'))
}

function sessionDefaults({ maxQueryMemoryBytes, maxThreads }: ClickHouseConfig): SessionDefaults {
  return {
    settings: {
      // A request is acknowledged when its rows are stored, and a writer that batches gains nothing from server-side batching.
      async_insert: '0',
      // chdb's own dialect, which turns a misspelled SELECT into an expression.
      implicit_select: '0',
      max_memory_usage: String(maxQueryMemoryBytes),
      ...(maxThreads > 0 ? { max_threads: String(maxThreads) } : {}),
    },
  }
}

/** What cannot be said on the engine's command line. */
const serverFile = fileURLToPath(new URL('server.xml', import.meta.url))
/** The rights of everybody on the port; the engine refuses what is not granted there. */
const usersFile = fileURLToPath(new URL('users.xml', import.meta.url))

export const engineFiles = [`--config-file=${serverFile}`, `--users_config=${usersFile}`] as const

const serverSettings = ({ maxServerMemoryBytes }: Pick<ClickHouseConfig, 'maxServerMemoryBytes'>): string[] => [
  ...engineFiles,
  ...(maxServerMemoryBytes > 0 ? [`--max_server_memory_usage=${maxServerMemoryBytes}`] : []),
]
