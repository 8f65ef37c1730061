import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Logger } from '../../../shared/runtime/logger.ts'
import type { ClickHouseConfig } from './config.ts'
import { ownDataDirectory } from './data-owner.ts'
import { type Engine, openEngine } from './engine.ts'
import { createNamedSessions } from './named-sessions.ts'
import { type HttpServer, serveHttp } from './server.ts'
import { SessionPool } from './session-pool.ts'
import type { SessionDefaults } from './session.ts'
import { openSpool } from './spool.ts'

export interface EmbeddedClickHouse extends AsyncDisposable {
  readonly url: string
  readonly engineVersion: string
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
    const spool = stack.use(openSpool({ directory: config.spoolDir, maxBytes: config.maxSpoolBytes }))
    const engine = stack.use(await openEngine({ dataDir, serverSettings: serverSettings(config) }))
    const defaults = sessionDefaults(config)
    const { maxSessions, maxWaiting } = config
    const pool = stack.use(new SessionPool({ engine, defaults, maxSessions, maxWaiting }))
    const named = stack.use(createNamedSessions(engine, defaults))
    await warmUp(pool)
    const { host, port, users, maxBodyBytes, maxQueryBytes } = config
    const runner = { engine, pool, named, spool }
    const limits = { maxBodyBytes, maxQueryBytes }
    const server = await serveHttp({ host, port, users, limits, runner, log })
    stack.defer(() => drained(server, pool, engine, log))
    const owned = stack.move()
    return {
      url: server.url,
      engineVersion: engine.version,
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

async function drained(server: HttpServer, pool: SessionPool, engine: Engine, log: Logger): Promise<void> {
  server.refuse()
  const isIdle = pool.idle().then(() => true)
  if (!(await Promise.race([isIdle, sleep(stopGraceMs, false, { ref: false })]))) {
    log.warn({ running: pool.busy, waiting: pool.waiting }, 'queries still run at the stop and are cancelled')
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

const serverSettings = ({ maxServerMemoryBytes }: ClickHouseConfig): string[] => [
  `--config-file=${serverFile}`,
  ...(maxServerMemoryBytes > 0 ? [`--max_server_memory_usage=${maxServerMemoryBytes}`] : []),
]
