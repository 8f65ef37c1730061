import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { connectBus, type Bus } from '../../shared/bus/connect.ts'
import { classify } from '../../shared/bus/errors.ts'
import { streamSpecs } from '../../shared/bus/stream-specs.ts'
import { silentLog, startTestNats, type TestNats } from './nats.ts'
import { waitFor } from './wait-for.ts'

/** Three real servers of one cluster; as one server to those who only connect. */
export interface TestCluster extends TestNats {
  readonly nodes: ReadonlyMap<string, TestNats>
  /** SIGKILL to the server that leads a stream, awaited; returns its name. */
  killLeader(stream: string): Promise<string>
  /** Resolves when every stream has a leader and all its copies up to date. */
  healed(): Promise<void>
}

const names = ['n1', 'n2', 'n3'] as const

/** Starts a cluster of three on free ports, each with a store of its own; gone when disposed. */
export async function startTestCluster(binary: string): Promise<TestCluster> {
  await using opening = new AsyncDisposableStack()
  const routes = await freePorts(names.length)
  // Side by side: a server alone has nobody to agree with, and is not ready.
  const started = await Promise.all(
    names.map((name, i) => startTestNats({ binary, name, configuration: clusterOf(routes, i) })),
  )
  for (const node of started) opening.use(node)
  const nodes = new Map(names.map((name, i) => [name as string, started[i] as TestNats]))
  const first = started[0] as TestNats
  const url = started.map((node) => node.url).join(',')
  const connections: Bus[] = []
  const connect = async (name = 'test'): Promise<Bus> => {
    const bus = await connectBus({ servers: url.split(','), name, log: silentLog })
    connections.push(bus)
    return bus
  }
  await hasMetaLeader(await connect('cluster'))
  const kept = opening.move()
  return {
    nodes,
    url,
    server: first.server,
    dataDir: first.dataDir,
    monitorUrl: () => first.monitorUrl(),
    connect,
    kill: () => first.kill(),
    restart: () => first.restart(),
    async killLeader(stream) {
      const leader = await leaderOf(await connect('cluster'), stream)
      await nodes.get(leader)?.kill()
      return leader
    },
    async healed() {
      await isHealed(await connect('cluster'))
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(connections.map((bus) => bus[Symbol.asyncDispose]()))
      await kept.disposeAsync()
    },
  }
}

function clusterOf(routes: readonly number[], own: number): readonly string[] {
  const all = routes.map((port) => `"nats-route://127.0.0.1:${port}"`).join(', ')
  return [`cluster { name: test, listen: "127.0.0.1:${routes[own]}", no_advertise: true, routes: [${all}] }`]
}

/** Taken and let go again: a cluster has to know its ports beforehand. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}

/** While a cluster elects a leader it answers late or not at all: whoever waits asks again. */
async function answerOf<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked
  } catch (error) {
    if (classify(error) !== 'transient') throw error
    return null
  }
}

const patience = { intervalMs: 200 } as const

const hasMetaLeader = (bus: Bus): Promise<unknown> =>
  waitFor('a leader of the cluster', () => answerOf(bus.jsm.getAccountInfo()), patience)

const leaderOf = (bus: Bus, stream: string): Promise<string> =>
  waitFor(
    `a leader of ${stream}`,
    async () => (await answerOf(bus.jsm.streams.info(stream)))?.cluster?.leader,
    patience,
  )

const isHealed = (bus: Bus): Promise<unknown> =>
  waitFor(
    'every copy to be up to date',
    async () => {
      const streams = await answerOf(bus.jsm.streams.list().next())
      // Those without a leader may be left out.
      if (streams === null || streams.length < streamSpecs.length) return false
      return streams.every(({ cluster }) => {
        const copies = cluster?.replicas ?? []
        return cluster?.leader !== undefined && copies.every(({ current, offline }) => current && !(offline ?? false))
      })
    },
    patience,
  )
