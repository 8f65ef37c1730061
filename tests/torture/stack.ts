import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { nodeFlags } from '../../services/standalone/clickhouse/node-flags.ts'
import { startNats } from '../../services/standalone/nats/nats-server.ts'
import { type Bus, connectBus } from '../../shared/bus/connect.ts'
import { createPublisher, type Publisher } from '../../shared/bus/publisher.ts'
import { ensureStreams } from '../../shared/bus/streams.ts'
import { openStore, type Store } from '../../shared/store/connect.ts'
import { migrate } from '../../shared/store/migrate.ts'
import { type Account, accountIn } from '../support/clickhouse.ts'
import { mountTmpfs } from '../support/mount.ts'
import { silentLog } from '../support/nats.ts'
import { preventMerges } from '../support/no-merges.ts'
import { planted } from './bugs.ts'
import type { Layout } from './chains.ts'
import { type Environment, type Launch, launchNode, Part, type PartKind } from './part.ts'
import { Proxy } from './proxy.ts'

export const leaseTtlMs = 2_000
const insertLimitMs = 3_000

/** One way from a part to a server, through a proxy. */
export interface Link {
  readonly name: string
  readonly proxy: Proxy
}

export interface StackOptions {
  readonly directory: string
  readonly processors: number
  /** Each with its own underlyings. */
  readonly publishers: number
  readonly underlyingsEach: number
  /** Of one underlying, from one acknowledged chain to the next. */
  readonly intervalMs: number
  readonly flushMs?: number
  /** Also an archiver, an exporter and the API. */
  readonly isWhole: boolean
  /** Planted in every processor and publisher. */
  readonly bug?: string | undefined
  readonly layout?: Layout
}

/** A whole stack of processes of its own, every connection through a proxy; and a way of the tester's own to its servers. */
export interface TortureStack extends AsyncDisposable {
  readonly directory: string
  readonly parts: readonly Part[]
  readonly links: readonly Link[]
  readonly bus: Bus
  readonly store: Store
  readonly publisher: Publisher
  readonly journals: readonly string[]
  readonly underlyings: readonly string[]
  readonly archive: string
  /** Where a tmpfs is, of ClickHouse's data; null where mounting is not allowed. */
  readonly smallDisk: string | null
  apiUrl(): string
  of(kind: PartKind): readonly Part[]
  part(name: string): Part
}

/** Enough for hours, and an end for a runaway. */
const diskSize = 'size=1g'

export async function openStack(options: StackOptions): Promise<TortureStack> {
  await using opening = new AsyncDisposableStack()
  const { directory } = options
  const place = (name: string): string => join(directory, name)
  for (const name of ['clickhouse', 'logs', 'archive', 'exports']) mkdirSync(place(name), { recursive: true })
  const unmount = mountTmpfs(place('clickhouse'), diskSize)
  if (unmount !== null) opening.defer(unmount)
  const ports = { nats: 0, clickhouse: 0 }
  const nats = opening.use(new Part('nats', 'nats', launchNats(place('nats'), ports)))
  const clickhouse = opening.use(new Part('clickhouse', 'clickhouse', launchClickHouse(directory, ports)))
  await Promise.all([nats.start(), clickhouse.start()])
  const login = accountIn(join(place('clickhouse'), 'secrets'), 'services')
  const account = { url: `http://127.0.0.1:${ports.clickhouse}`, ...login }
  const store = opening.use(await openTables(account))
  const bus = opening.use(
    await connectBus({ servers: `nats://127.0.0.1:${ports.nats}`, name: 'torture', log: silentLog }),
  )
  await ensureStreams(bus, 'embedded')
  const links: Link[] = []
  const linkTo = async (from: string, server: 'nats' | 'clickhouse'): Promise<string> => {
    const proxy = opening.use(await Proxy.open(() => ports[server]))
    links.push({ name: `${from} to ${server}`, proxy })
    return `${server === 'nats' ? 'nats' : 'http'}://127.0.0.1:${proxy.port}`
  }
  const { services, journals, underlyings, apiUrl } = await createServices(options, linkTo, login)
  for (const part of services) opening.use(part)
  await Promise.all(services.filter(({ kind }) => kind !== 'publisher').map((part) => part.start()))
  const parts = [nats, clickhouse, ...services]
  const kept = opening.move()
  return {
    directory,
    parts,
    links,
    bus,
    store,
    publisher: createPublisher(bus, { publisherId: 'torture/tester', deadlineMs: 600_000 }),
    journals,
    underlyings,
    archive: place('archive'),
    smallDisk: unmount === null ? null : place('clickhouse'),
    apiUrl,
    of: (kind) => parts.filter((part) => part.kind === kind),
    part: (name) => parts.find((part) => part.name === name) ?? nats,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

interface Services {
  readonly services: readonly Part[]
  readonly journals: readonly string[]
  readonly underlyings: readonly string[]
  readonly apiUrl: () => string
}

async function createServices(
  options: StackOptions,
  linkTo: (from: string, server: 'nats' | 'clickhouse') => Promise<string>,
  { user, password }: Account,
): Promise<Services> {
  const { directory, isWhole } = options
  const storeFor = async (name: string): Promise<Environment> => ({
    CLICKHOUSE_URL: await linkTo(name, 'clickhouse'),
    CLICKHOUSE_USER: user,
    CLICKHOUSE_PASSWORD: password,
  })
  const services: Part[] = []
  const journals: string[] = []
  const underlyings: string[] = []
  const add = (kind: PartKind, name: string, env: Environment, script = `services/${kind}/main.ts`): void => {
    services.push(new Part(kind, name, launchNode({ script, env, logFile: join(directory, 'logs', `${name}.log`) })))
  }
  for (const name of ['a', 'b', 'c', 'd'].slice(0, options.processors)) {
    const servers = { NATS_URL: await linkTo(name, 'nats'), ...(await storeFor(name)) }
    add('processor', name, { ...servers, ...processorEnvironment(name, options) })
  }
  for (let i = 0; i < options.publishers; i += 1) {
    const name = `publisher-${i + 1}`
    const own = Array.from({ length: options.underlyingsEach }, (_, n) => `T${i * options.underlyingsEach + n}`)
    const journal = join(directory, `${name}.journal`)
    underlyings.push(...own)
    journals.push(journal)
    const env = {
      NATS_URL: await linkTo(name, 'nats'),
      TORTURE_JOURNAL: journal,
      TORTURE_UNDERLYINGS: own.join(),
      TORTURE_INTERVAL_MS: String(options.intervalMs),
      ...(options.layout !== undefined && { TORTURE_LAYOUT: JSON.stringify(options.layout) }),
      ...plantedIn(options),
    }
    add('publisher', name, env, 'tests/torture/publisher-process.ts')
  }
  let apiUrl = ''
  if (isWhole) {
    add('archiver', 'archiver', { NATS_URL: await linkTo('archiver', 'nats'), ...archiverEnvironment(directory) })
    const exporter = { EXPORTER_DIRECTORY: join(directory, 'exports'), EXPORTER_INTERVAL_SECONDS: '5' }
    add('exporter', 'exporter', { ...(await storeFor('exporter')), ...exporter })
    const env = { API_DIRECTORY: join(directory, 'exports'), API_PORT: '0' }
    const logFile = join(directory, 'logs', 'api.log')
    const onReady = (line: Readonly<Record<string, string>>): void => void (apiUrl = line['url'] ?? '')
    const launch = launchNode({ script: 'services/api/main.ts', env, logFile, onReady })
    const launchApi: Launch = (extra) => {
      apiUrl = ''
      return launch(extra)
    }
    services.push(new Part('api', 'api', launchApi))
  }
  return { services, journals, underlyings, apiUrl: () => apiUrl }
}

const processorEnvironment = (name: string, options: StackOptions): Environment => ({
  PROCESSOR_INSTANCE: name,
  PROCESSOR_LEASE_TTL_MS: String(leaseTtlMs),
  PROCESSOR_LEASE_RENEW_MS: String(leaseTtlMs / 4),
  PROCESSOR_FLUSH_MS: String(options.flushMs ?? 100),
  PROCESSOR_INSERT_LIMIT_MS: String(insertLimitMs),
  ...plantedIn(options),
})

const plantedIn = ({ bug }: StackOptions): Environment => (bug === undefined ? {} : planted(bug))

const archiverEnvironment = (directory: string): Environment => ({
  ARCHIVER_DIRECTORY: join(directory, 'archive'),
  ARCHIVER_FILE_MEBIBYTES: '1',
  ARCHIVER_FILE_SECONDS: '1',
  ARCHIVER_MIN_FREE_MEBIBYTES: '0',
  ARCHIVER_RETRY_MS: '250',
})

interface Ports {
  nats: number
  clickhouse: number
}

const launchNats =
  (dataDir: string, ports: Ports): Launch =>
  async () => {
    const server = await startNats({ dataDir, log: silentLog, port: ports.nats })
    ports.nats = server.port
    const exited = server.exited.then(({ code, signal }) => signal ?? code)
    return { pid: server.pid, exited, signal: (signal) => server.kill(signal) }
  }

const launchClickHouse = (directory: string, ports: Ports): Launch => {
  const dataDir = join(directory, 'clickhouse')
  return (extra) =>
    launchNode({
      script: 'services/standalone/clickhouse/main.ts',
      flags: nodeFlags,
      args: ['--data-dir', dataDir, '--port', String(ports.clickhouse), '--exit-with-parent', 'true'],
      env: {},
      untilReady: true,
      logFile: join(directory, 'logs', 'clickhouse.log'),
      onReady: ({ url }) => {
        if (url !== undefined) ports.clickhouse = Number(new URL(url).port)
      },
    })(extra)
}

async function openTables(account: { url: string; user: string; password: string }): Promise<Store> {
  {
    await using server = openStore({ ...account, database: 'default' })
    await server.command('CREATE DATABASE IF NOT EXISTS strikeflow')
  }
  const store = openStore({ ...account, database: 'strikeflow', requestTimeoutMs: 20_000 })
  await migrate(store)
  await preventMerges(store)
  return store
}
