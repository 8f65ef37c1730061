import { AckPolicy, DeliverPolicy, type StreamInfo as NatsStreamInfo } from '@nats-io/jetstream'
import { nanos } from 'nats'
import type { Bus } from './connect.ts'
import { apiErrorCodes, busError, isApiError } from './errors.ts'
import { compareStream, type Comparison } from './stream-drift.ts'
import { bucketSpecs, type StreamProfile, streamSpecs } from './stream-specs.ts'
import { streamConfig } from './streams.ts'

export interface StreamFacts {
  readonly name: string
  /** Against its declaration; null for a stream that is not there. */
  readonly comparison: Comparison | null
  /** How full it is of the bytes it may have, where a full one refuses its publishers; else null. */
  readonly refusesAtShare: number | null
}

export interface BusFacts {
  readonly serverVersion: string
  /** Null where the account has no JetStream. */
  readonly account: AccountFacts | null
  readonly streams: readonly StreamFacts[]
  /** The server's clock, and by ours the moments between which it was read; null when there is no stream to ask by. */
  readonly clock: ClockReading | null
}

export interface AccountFacts {
  readonly streams: number
  readonly consumers: number
  readonly storageBytes: number
  /** -1 for no limit. */
  readonly maxStreams: number
  readonly maxConsumers: number
  readonly maxStorageBytes: number
}

export interface ClockReading {
  readonly serverMs: number
  readonly askedAtMs: number
  readonly answeredAtMs: number
}

/** Looks at a server as the services will find it. Changes nothing; leaves a consumer that goes by itself after a second. */
export async function inspectBus(
  bus: Bus,
  {
    profile,
    replicas,
    clock,
  }: { readonly profile: StreamProfile; readonly replicas: number; readonly clock: () => number },
): Promise<BusFacts> {
  const serverVersion = bus.connection.info?.version ?? '0.0.0'
  const account = await accountFacts(bus)
  if (account === null) return { serverVersion, account, streams: [], clock: null }
  const streams: StreamFacts[] = []
  for (const spec of [...streamSpecs, ...bucketSpecs]) {
    const info = await findStream(bus, spec.name)
    const wanted = streamConfig(spec, profile, replicas, serverVersion)
    const isRefusing = spec.discard === 'new' && info !== null && info.config.max_bytes > 0
    streams.push({
      name: spec.name,
      comparison: info === null ? null : compareStream(wanted, info.config),
      refusesAtShare: isRefusing ? info.state.bytes / info.config.max_bytes : null,
    })
  }
  return { serverVersion, account, streams, clock: await readClock(bus, streams, clock) }
}

async function accountFacts(bus: Bus): Promise<AccountFacts | null> {
  try {
    const { streams, consumers, storage, limits } = await bus.jsm.getAccountInfo()
    return {
      streams,
      consumers,
      storageBytes: storage,
      maxStreams: limits.max_streams,
      maxConsumers: limits.max_consumers,
      maxStorageBytes: limits.max_storage,
    }
  } catch (error) {
    if (error instanceof Error && error.name === 'JetStreamNotEnabled') return null
    throw busError('cannot read the JetStream account', error)
  }
}

async function findStream(bus: Bus, name: string): Promise<NatsStreamInfo | null> {
  try {
    return await bus.jsm.streams.info(name)
  } catch (error) {
    if (isApiError(error, apiErrorCodes.streamNotFound)) return null
    throw busError(`cannot read the state of stream ${name}`, error)
  }
}

/** A server says its time nowhere else in every version: here as the time at which it made a consumer. */
async function readClock(bus: Bus, streams: readonly StreamFacts[], clock: () => number): Promise<ClockReading | null> {
  const stream = streams.find(({ name, comparison }) => name === 'CHAINS' && comparison !== null)?.name
  if (stream === undefined) return null
  const askedAtMs = clock()
  const { created, name } = await bus.jsm.consumers.add(stream, {
    deliver_policy: DeliverPolicy.New,
    ack_policy: AckPolicy.None,
    inactive_threshold: nanos(1000),
    mem_storage: true,
    num_replicas: 1,
  })
  const answeredAtMs = clock()
  await bus.jsm.consumers.delete(stream, name).catch(() => {})
  return { serverMs: Date.parse(created), askedAtMs, answeredAtMs }
}
