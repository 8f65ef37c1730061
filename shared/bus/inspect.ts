import { AckPolicy, DeliverPolicy, type StreamInfo as NatsStreamInfo } from '@nats-io/jetstream'
import { nanos } from 'nats'
import type { Bus } from './connect.ts'
import { apiErrorCodes, busError, isApiError } from './errors.ts'
import { agreedPartitions } from './partition-count.ts'
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
  /** Null while nobody has said how many partitions there are. */
  readonly unread: UnreadMessages | null
}

/** What lies in CHAINS outside of the partitions that processors share. */
export interface UnreadMessages {
  readonly partitions: number
  readonly messages: number
  /** As their subjects have it; empty when there are none. */
  readonly outside: readonly string[]
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
  if (account === null) return { serverVersion, account, streams: [], clock: null, unread: null }
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
  const isThere = (wanted: string) => streams.some(({ name, comparison }) => name === wanted && comparison !== null)
  try {
    const unread = isThere('CHAINS') && isThere('KV_config') ? await findUnread(bus) : null
    return { serverVersion, account, streams, clock: isThere('CHAINS') ? await readClock(bus, clock) : null, unread }
  } catch (error) {
    throw busError('cannot look into stream CHAINS', error)
  }
}

async function findUnread(bus: Bus): Promise<UnreadMessages | null> {
  const partitions = await agreedPartitions(bus)
  if (partitions === null) return null
  const { state } = await bus.jsm.streams.info('CHAINS', { subjects_filter: 'chains.raw.>' })
  const outside = new Set<string>()
  let messages = 0
  for (const [subject, count] of Object.entries(state.subjects ?? {})) {
    const partition = subject.split('.')[2] ?? ''
    if (/^\d+$/.test(partition) && Number(partition) < partitions) continue
    outside.add(partition)
    messages += count
  }
  return { partitions, messages, outside: [...outside].toSorted((a, b) => Number(a) - Number(b)) }
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
async function readClock(bus: Bus, clock: () => number): Promise<ClockReading> {
  const askedAtMs = clock()
  const { created, name } = await bus.jsm.consumers.add('CHAINS', {
    deliver_policy: DeliverPolicy.New,
    ack_policy: AckPolicy.None,
    inactive_threshold: nanos(1000),
    mem_storage: true,
    num_replicas: 1,
  })
  const answeredAtMs = clock()
  await bus.jsm.consumers.delete('CHAINS', name).catch(() => {})
  return { serverMs: Date.parse(created), askedAtMs, answeredAtMs }
}
