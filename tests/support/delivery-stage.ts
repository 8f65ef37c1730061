import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Bus } from '../../shared/bus/connect.ts'
import { createPublisher, type Publisher } from '../../shared/bus/publisher.ts'
import { ensureStreams } from '../../shared/bus/streams.ts'
import { partitionOfUnderlying, rawSubject } from '../../shared/bus/subjects.ts'
import { encodeSnapshot, snapshotSchema } from '../../shared/model/snapshot-codec.ts'
import { uuidOf } from '../../shared/model/uuid.ts'
import { openStore, type Store } from '../../shared/store/connect.ts'
import { migrate } from '../../shared/store/migrate.ts'
import { chainOf } from '../fixtures/quant/chain-builder.ts'
import { startClickHouse, type TestClickHouse } from './clickhouse.ts'
import { startTestNats, type TestNats } from './nats.ts'
import { waitFor } from './wait-for.ts'

/** Short, so that tests of takeovers are short, and long enough for a process that gets a tenth of a core to renew in time. */
export const testLease = { ttlMs: 4_000, renewMs: 1_000 } as const
const script = new URL('../../services/processor/main.ts', import.meta.url).pathname

export interface TestProcessor extends AsyncDisposable {
  readonly instance: string
  readonly process: ChildProcess
  readonly healthUrl: string
  /** Log lines so far. */
  readonly log: readonly LogLine[]
  readonly exited: Promise<number | null>
  /** Partitions it owns, by its own word. */
  owned(): Promise<readonly number[]>
  /** Why it is not ready; empty when it is. */
  problems(): Promise<readonly string[]>
  kill(signal: NodeJS.Signals): void
  stop(): Promise<number | null>
}

export interface LogLine {
  readonly time: number
  readonly msg: string
  readonly [field: string]: unknown
}

/** A real nats-server, the embedded ClickHouse with its tables, and processors as processes of their own. */
export interface DeliveryStage extends AsyncDisposable {
  readonly nats: TestNats
  readonly clickhouse: TestClickHouse
  readonly bus: Bus
  readonly store: Store
  readonly publisher: Publisher
  /** Starts a processor; resolves when it is ready unless `wait` is false. */
  start(instance: string, env?: Readonly<Record<string, string>>, wait?: boolean): Promise<TestProcessor>
  publish(messages: readonly ChainMessage[]): Promise<void>
  /** Commit rows so far. */
  committed(): Promise<number>
}

export interface StageOptions {
  /** @default one server, the machine's own */
  readonly startNats?: () => Promise<TestNats>
  /** Copies of each stream. @default 1 */
  readonly replicas?: number
}

export async function openStage({
  startNats = startTestNats,
  replicas = 1,
}: StageOptions = {}): Promise<DeliveryStage> {
  await using opening = new AsyncDisposableStack()
  const clickhouse = opening.use(await startClickHouse())
  const nats = opening.use(await startNats())
  const bus = await nats.connect()
  const { account } = clickhouse
  {
    await using server = openStore({ ...account, database: 'default' })
    await server.command('CREATE DATABASE strikeflow')
  }
  const store = opening.use(openStore({ ...account, database: 'strikeflow' }))
  await migrate(store)
  // A merge would hide what was written twice.
  await clickhouse.control('SYSTEM STOP MERGES')
  await ensureStreams(bus, 'embedded', { replicas })
  const publisher = createPublisher(bus, { publisherId: 'test/1' })
  const kept = opening.move()
  return {
    nats,
    clickhouse,
    bus,
    store,
    publisher,
    async start(instance, env = {}, wait = true) {
      const servers = { NATS_URL: nats.url, NATS_REPLICAS: String(replicas), ...clickhouse.env }
      const processor = spawnProcessor(instance, { ...servers, ...env })
      kept.use(processor)
      if (wait) await processor.ready
      return processor
    },
    async publish(messages) {
      for (const { subject, payload, messageId, headers } of messages) {
        await publisher.enqueue(subject, payload, { messageId, headers })
      }
      await publisher.flush()
    },
    async committed() {
      const [row] = await store.query.rows<{ n: number }>(
        'SELECT uniqExact(incarnation, partition, stream_seq) AS n FROM snapshots_v1',
      )
      return row?.n ?? 0
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

function spawnProcessor(
  instance: string,
  env: Readonly<Record<string, string>>,
): TestProcessor & { readonly ready: Promise<void> } {
  const child = spawn(process.execPath, [script], {
    // Its channel to this process makes it end with it.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      PATH: process.env['PATH'],
      PROCESSOR_INSTANCE: instance,
      PROCESSOR_LEASE_TTL_MS: String(testLease.ttlMs),
      PROCESSOR_LEASE_RENEW_MS: String(testLease.renewMs),
      PROCESSOR_FLUSH_MS: '50',
      // Inserts of a busy machine are slow, not lost.
      PROCESSOR_INSERT_LIMIT_MS: '20000',
      ...env,
    },
  })
  const log: LogLine[] = []
  createInterface({ input: child.stderr as Readable }).on('line', (line) => log.push(parseLine(line)))
  let healthUrl = ''
  const ready = Promise.withResolvers<void>()
  ready.promise.catch(() => {})
  createInterface({ input: child.stdout as Readable }).on('line', (line) => {
    healthUrl = (JSON.parse(line) as { healthUrl: string }).healthUrl
    ready.resolve()
  })
  const exited = once(child, 'exit').then(([code]) => {
    ready.reject(
      new Error(`${instance} ended before it was ready:\n${log.map((line) => JSON.stringify(line)).join('\n')}`),
    )
    return code as number | null
  })
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    return exited
  }
  return {
    instance,
    process: child,
    get healthUrl() {
      return healthUrl
    },
    log,
    exited,
    ready: ready.promise,
    owned: () => ownedAt(healthUrl),
    problems: () => problemsAt(healthUrl),
    kill: (signal) => void child.kill(signal),
    stop: () => stop(),
    async [Symbol.asyncDispose]() {
      child.kill('SIGCONT')
      await stop('SIGKILL')
    },
  }
}

async function ownedAt(healthUrl: string): Promise<readonly number[]> {
  const { partitions } = (await (await fetch(`${healthUrl}/status`)).json()) as { readonly partitions: string }
  return partitions === '' ? [] : partitions.split(' ').map(Number)
}

async function problemsAt(healthUrl: string): Promise<readonly string[]> {
  const answer = (await (await fetch(`${healthUrl}/health/ready`)).json()) as { readonly reasons?: readonly string[] }
  return answer.reasons ?? []
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine
  } catch {
    return { time: Date.now(), msg: line }
  }
}

export interface ChainMessage {
  readonly subject: string
  readonly payload: Uint8Array
  readonly messageId: string
  readonly headers: Readonly<Record<string, string>>
}

export interface ChainOptions {
  readonly underlying: string
  readonly step: number
  readonly provider?: string
  /** Two contracts each. @default 95, 100, 105 */
  readonly strikes?: readonly number[]
  /** Added to its market time. */
  readonly shiftMs?: number
}

const startMs = Date.UTC(2026, 5, 22, 14)

/** A small chain; its volume jumps now and then, so that there are alerts. */
export function chainMessage(options: ChainOptions): ChainMessage {
  const { underlying, step, provider = 'test', strikes = [95, 100, 105], shiftMs = 0 } = options
  const volume = 1_000 + step * 100 + Math.floor(step / 13) * 50_000
  const contracts = strikes.flatMap((strike) =>
    (['C', 'P'] as const).map((right) => ({
      root: underlying,
      expiry: '2026-07-17',
      strike,
      right,
      bid: 4.35 + (step % 7) / 100,
      ask: 4.5 + (step % 7) / 100,
      volume: Math.floor(volume / 2 / strikes.length),
      openInterest: 500,
    })),
  )
  const snapshotId = uuidOf('test', provider, underlying, String(step))
  const marketTimeMs = startMs + shiftMs + step * 60_000
  const snapshot = chainOf(contracts, { underlying, provider, snapshotId, marketTimeMs, contentHash: `${step}` })
  const { payload, contentEncoding } = encodeSnapshot(snapshot)
  return {
    subject: rawSubject(partitionOfUnderlying(underlying), provider, underlying),
    payload,
    messageId: snapshotId,
    headers: { 'Sf-Schema': snapshotSchema, ...(contentEncoding === 'zstd' && { 'Content-Encoding': 'zstd' }) },
  }
}

/** Chains of so many underlyings, step after step. */
export const chainMessages = (underlyings: number, steps: number, fromStep = 0): readonly ChainMessage[] =>
  Array.from({ length: steps }, (_, step) =>
    Array.from({ length: underlyings }, (__, i) => chainMessage({ underlying: `T${i}`, step: fromStep + step })),
  ).flat()

export const waitForCommits = (stage: DeliveryStage, count: number): Promise<true> =>
  waitFor(`${count} commit rows`, async () => (await stage.committed()) >= count, { intervalMs: 25 }).then(
    () => true as const,
  )
