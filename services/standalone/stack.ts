import { join } from 'node:path'
import type { Logger } from '../../shared/runtime/logger.ts'
import { openStore, type Store } from '../../shared/store/connect.ts'
import { migrate } from '../../shared/store/migrate.ts'
import { newestMarketTimeMs } from '../../shared/store/queries/board.ts'
import { ChildService, type ReadyFacts } from './child-service.ts'
import type { StandaloneSettings } from './config.ts'
import type { DataDirectory } from './data-directory.ts'
import { type NatsServer, startNats } from './nats/nats-server.ts'
import {
  apiEnvironment,
  clickhouseEnvironment,
  collectorEnvironment,
  commonEnvironment,
  type Endpoints,
  exporterEnvironment,
} from './service-environments.ts'

export const database = 'strikeflow'

export interface StackDeps {
  readonly settings: StandaloneSettings
  readonly directory: DataDirectory
  readonly log: Logger
  /** What every process inherits: PATH and the like. */
  readonly environment: Readonly<Record<string, string>>
  /** Called as each part comes up. */
  readonly onProgress: (what: string) => void
}

export interface Stack extends AsyncDisposable {
  readonly services: readonly ChildService[]
  readonly nats: NatsServer
  readonly store: Store
  readonly natsUrl: string
  readonly clickhouseUrl: string
  readonly apiUrl: string | null
}

const script = (path: string): string => new URL(`../${path}`, import.meta.url).pathname

/**
 * Brings up the whole stack in the order of the data's way back: what others depend on first. Closing it stops the services
 * against that order, sources before sinks, then NATS and ClickHouse.
 */
export async function startStack(deps: StackDeps): Promise<Stack> {
  const { settings, directory, log, onProgress } = deps
  await using opening = new AsyncDisposableStack()
  const services: ChildService[] = []
  const start = async (
    name: string,
    path: string,
    env: Readonly<Record<string, string>>,
    portVariable?: string,
  ): Promise<ReadyFacts> => {
    const child = opening.use(new ChildService(childSpec(deps, name, path, env), log))
    services.push(child)
    const facts = await child.ready
    // A port that was left to chance has been told to others by now.
    if (portVariable !== undefined) child.pin({ [portVariable]: new URL(String(facts['url'])).port })
    onProgress(`${name} is up`)
    return facts
  }

  const clickhouse = await start(
    'clickhouse',
    'standalone/clickhouse/main.ts',
    clickhouseEnvironment(directory, settings),
    'EMBEDDED_CLICKHOUSE_PORT',
  )
  const nats = opening.use(
    await startNats({ dataDir: directory.nats, log, port: settings.natsPort === 0 ? -1 : settings.natsPort }),
  )
  onProgress('nats is up')
  const endpoints: Endpoints = { natsUrl: nats.url, clickhouseUrl: String(clickhouse['url']) }
  const store = opening.use(await openDatabase(endpoints))
  const common = commonEnvironment(endpoints, database)
  await start('processor', 'processor/main.ts', common)
  let apiUrl: string | null = null
  if (settings.stages === 'full') {
    await start('exporter', 'exporter/main.ts', { ...common, ...exporterEnvironment(directory) })
    const api = await start('api', 'api/main.ts', { ...common, ...apiEnvironment(directory, settings) }, 'API_PORT')
    apiUrl = String(api['url'])
  }
  if (settings.provider !== 'none') {
    const resumeAfterMs = await newestMarketTimeMs(store.query, settings.provider)
    await start('collector', 'collector/main.ts', {
      ...common,
      ...collectorEnvironment(settings, directory, resumeAfterMs),
    })
  }
  const kept = opening.move()
  return { services, nats, store, ...endpoints, apiUrl, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

function childSpec(
  { directory, environment }: StackDeps,
  name: string,
  path: string,
  env: Readonly<Record<string, string>>,
) {
  return {
    name,
    args: [script(path)],
    env: { ...environment, ...env },
    logFile: join(directory.logs, `${name}.log`),
    endsByItself: name === 'collector',
  }
}

/** Makes the database and its tables, and returns a connection to it. */
async function openDatabase({ clickhouseUrl }: Endpoints): Promise<Store> {
  const account = { url: clickhouseUrl, user: 'default', password: '' }
  {
    await using server = openStore({ ...account, database: 'default' })
    await server.command(`CREATE DATABASE IF NOT EXISTS ${database}`)
  }
  const store = openStore({ ...account, database })
  await migrate(store)
  return store
}
