import { join } from 'node:path'
import type { Guard } from '../../shared/runtime/guard.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import { readStackSecret, type SecretFiles } from '../../shared/runtime/secrets.ts'
import { openStore, type Store } from '../../shared/store/connect.ts'
import { migrate } from '../../shared/store/migrate.ts'
import { newestMarketTimeMs } from '../../shared/store/queries/board.ts'
import { nodeFlags } from './clickhouse/node-flags.ts'
import { ChildService, type ReadyFacts } from './child-service.ts'
import type { StandaloneSettings } from './config.ts'
import type { DataDirectory } from './data-directory.ts'
import { DiskWatch } from './disk-watch.ts'
import { SupervisedNats } from './supervised-nats.ts'
import {
  apiEnvironment,
  archiverEnvironment,
  clickhouseEnvironment,
  collectorEnvironment,
  resumeEnvironment,
  commonEnvironment,
  type Endpoints,
  exporterEnvironment,
  processorEnvironment,
  processorNames,
} from './service-environments.ts'

export const database = 'strikeflow'

export interface StackDeps {
  readonly settings: StandaloneSettings
  readonly directory: DataDirectory
  readonly secrets: SecretFiles
  readonly log: Logger
  /** Ends what was started here, however this process ends. */
  readonly guard: Guard
  /** What every process inherits: PATH and the like. */
  readonly environment: Readonly<Record<string, string>>
  /** Called as each part comes up. */
  readonly onProgress: (what: string) => void
}

export interface Stack extends AsyncDisposable {
  readonly services: readonly ChildService[]
  readonly nats: SupervisedNats
  readonly disk: DiskWatch
  readonly store: Store
  readonly natsUrl: string
  readonly clickhouseUrl: string
  readonly apiUrl: string | null
}

type Environment = Readonly<Record<string, string>>

interface StartOptions {
  /** Service of which this is one of several. @default the name itself */
  readonly service?: string
  /** Variable of a port that must stay what it was at the first start. */
  readonly portVariable?: string
  /** Settings that depend on when it starts. */
  readonly freshEnv?: () => Promise<Environment>
}

const script = (path: string): string => new URL(`../${path}`, import.meta.url).pathname

/**
 * Brings up the whole stack, what others depend on first. Closing it stops everything against that order: sources before
 * sinks, then NATS and ClickHouse.
 */
export async function startStack(deps: StackDeps): Promise<Stack> {
  const { settings, directory, secrets, log, guard, onProgress } = deps
  await using opening = new AsyncDisposableStack()
  const services: ChildService[] = []
  const start = async (name: string, env: Environment, options: StartOptions = {}): Promise<ReadyFacts> => {
    const child = opening.use(startChild(deps, name, env, options))
    services.push(child)
    const facts = await child.ready
    // A port that was left to chance has been told to others by now.
    if (options.portVariable !== undefined) child.pin({ [options.portVariable]: new URL(String(facts['url'])).port })
    onProgress(`${name} is up`)
    return facts
  }
  const clickhouse = await start('clickhouse', clickhouseEnvironment(directory, secrets, settings), {
    portVariable: 'EMBEDDED_CLICKHOUSE_PORT',
  })
  const natsPort = settings.natsPort === 0 ? -1 : settings.natsPort
  const passwords = { services: readStackSecret(secrets.services), reader: readStackSecret(secrets.reader) }
  const nats = opening.use(
    await SupervisedNats.start(
      { dataDir: directory.nats, log, port: natsPort, passwords },
      { guard, hangSeconds: settings.hangSeconds },
    ),
  )
  onProgress('nats is up')
  const disk = opening.use(watchDisk(directory, nats, log))
  const endpoints: Endpoints = { natsUrl: nats.url, clickhouseUrl: String(clickhouse['url']) }
  const store = opening.use(await openDatabase(endpoints, secrets))
  const apiUrl = await startStages(deps, start, commonEnvironment(endpoints, database, secrets), store)
  const kept = opening.move()
  return { services, nats, disk, store, ...endpoints, apiUrl, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/**
 * A nats-server whose disk was full answers no request of JetStream any more, not even when there is room again, until it is started
 * again. What it has acknowledged is there then.
 */
function watchDisk({ root, nats: store, clickhouse }: DataDirectory, nats: SupervisedNats, log: Logger): DiskWatch {
  return new DiskWatch({
    folders: [root, store, clickhouse],
    log,
    onRoomAgain: () => void nats.restart('restarted after the disk was full'),
  })
}

type Start = (name: string, env: Environment, options?: StartOptions) => Promise<ReadyFacts>

/** Starts our own services, those downstream first; returns where the API is. */
async function startStages(
  { settings, directory, secrets, environment }: StackDeps,
  start: Start,
  common: Environment,
  { query }: Store,
): Promise<string | null> {
  const processorEnv = { ...common, ...processorEnvironment(settings, environment) }
  for (const name of processorNames(settings)) {
    await start(name, { ...processorEnv, PROCESSOR_INSTANCE: name }, { service: 'processor' })
  }
  if (settings.archive) await start('archiver', { ...common, ...archiverEnvironment(directory) })
  let apiUrl: string | null = null
  if (settings.stages === 'full') {
    await start('exporter', { ...common, ...exporterEnvironment(directory) })
    const env = { ...common, ...apiEnvironment(directory, secrets, settings) }
    const api = await start('api', env, { portVariable: 'API_PORT' })
    apiUrl = String(api['url'])
  }
  if (settings.provider !== 'none') {
    const env = { ...common, ...collectorEnvironment(settings, directory) }
    const freshEnv = async (): Promise<Environment> =>
      resumeEnvironment(settings, await newestMarketTimeMs(query, settings.provider))
    await start('collector', env, { freshEnv })
  }
  return apiUrl
}

function startChild(
  { settings, directory, environment, log, guard }: StackDeps,
  name: string,
  env: Environment,
  { freshEnv, service = name }: StartOptions,
): ChildService {
  const isClickHouse = service === 'clickhouse'
  const path = isClickHouse ? 'standalone/clickhouse/main.ts' : `${service}/main.ts`
  const spec = {
    name,
    args: [...(isClickHouse ? nodeFlags : []), script(path)],
    env: { ...environment, ...env },
    logFile: join(directory.logs, `${name}.log`),
    endsByItself: name === 'collector',
    hangSeconds: settings.hangSeconds,
    blocksAtStart: isClickHouse,
    ...(freshEnv !== undefined && { freshEnv }),
  }
  return new ChildService(spec, log, guard)
}

/** Makes the database and its tables, and returns a connection to it. */
async function openDatabase({ clickhouseUrl }: Endpoints, { services }: SecretFiles): Promise<Store> {
  const account = { url: clickhouseUrl, user: 'services', password: '', passwordFile: services }
  {
    await using server = openStore({ ...account, database: 'default' })
    await server.command(`CREATE DATABASE IF NOT EXISTS ${database}`)
  }
  const store = openStore({ ...account, database })
  await migrate(store)
  return store
}
