import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type NatsServer, type NatsServerOptions, startNats } from '../../services/standalone/nats/nats-server.ts'
import { type Bus, connectBus } from '../../shared/bus/connect.ts'
import { createLogger } from '../../shared/runtime/logger.ts'

export const silentLog = createLogger({ service: 'test', level: 'silent' })

export interface TestNats extends AsyncDisposable {
  readonly url: string
  readonly server: NatsServer
  /** Where it tells of itself over HTTP; null unless its configuration opens that. */
  monitorUrl(): Promise<string | null>
  /** Streams and buckets lie below it. */
  readonly dataDir: string
  /** A connection that is closed with the server. */
  connect(name?: string): Promise<Bus>
  /** SIGKILL, awaited. */
  kill(): Promise<void>
  /** Starts again on the same store and port. */
  restart(): Promise<void>
}

export type TestNatsOptions = Pick<
  NatsServerOptions,
  'binary' | 'configuration' | 'maxPendingBytes' | 'name' | 'startTimeoutMs' | 'syncAlways'
>

/** Starts a real nats-server in a folder of its own; stopped and removed when disposed. */
export async function startTestNats(options: TestNatsOptions = {}): Promise<TestNats> {
  const dataDir = await mkdtemp(join(tmpdir(), 'strikeflow-nats-'))
  let server = await startNats({ ...options, dataDir, log: silentLog })
  const { url, port } = server
  const connections: Bus[] = []
  return {
    url,
    dataDir,
    get server() {
      return server
    },
    monitorUrl: () => monitorUrl(dataDir),
    async connect(name = 'test') {
      const bus = await connectBus({ servers: url, name, log: silentLog })
      connections.push(bus)
      return bus
    },
    async kill() {
      server.kill('SIGKILL')
      await server.exited
    },
    async restart() {
      await server.stop()
      server = await startNats({ ...options, dataDir, log: silentLog, port })
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(connections.map((bus) => bus[Symbol.asyncDispose]()))
      await server.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** For the configuration of a server, to have `monitorUrl`. */
export const monitoring = 'http: "127.0.0.1:-1"'

async function monitorUrl(dataDir: string): Promise<string | null> {
  const folder = join(dataDir, 'ports')
  const file = (await readdir(folder)).find((name) => name.endsWith('.ports'))
  if (file === undefined) return null
  const ports = JSON.parse(await readFile(join(folder, file), 'utf8')) as { readonly monitoring?: readonly string[] }
  return ports.monitoring?.[0] ?? null
}

export interface Valve extends AsyncDisposable {
  readonly port: number
  /** From now on nothing is read from the server, as when the client's process is busy. */
  shut(): void
  open(): void
}

/** Stands between a client and the server. */
export async function openValve(serverPort: number): Promise<Valve> {
  const upstreams: Socket[] = []
  const server = createServer((client) => {
    const upstream = connect(serverPort, '127.0.0.1')
    upstreams.push(upstream)
    client.pipe(upstream)
    upstream.on('data', (chunk) => client.write(chunk))
    for (const socket of [client, upstream]) {
      socket.on('error', () => {})
      socket.on('close', () => [client, upstream].forEach((each) => each.destroy()))
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    shut: () => upstreams.forEach((upstream) => upstream.pause()),
    open: () => upstreams.forEach((upstream) => upstream.resume()),
    async [Symbol.asyncDispose]() {
      for (const upstream of upstreams) upstream.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
