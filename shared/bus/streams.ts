import { setTimeout as sleep } from 'node:timers/promises'
import {
  DiscardPolicy,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  StoreCompression,
  type StreamConfig,
  type StreamInfo as NatsStreamInfo,
} from '@nats-io/jetstream'
import { nanos } from 'nats'
import { StrikeflowError } from '../model/errors.ts'
import type { Bus } from './connect.ts'
import { apiErrorCodes, busError, classify, isApiError } from './errors.ts'
import { type StreamDrift, compareStream } from './stream-drift.ts'
import { bucketSpecs, type StreamProfile, type StreamSpec, streamSpecs } from './stream-specs.ts'

export interface EnsureOptions {
  /** Copies of each stream in a cluster. @default 1 */
  readonly replicas?: number
  /** How long to wait for a server that is still starting. @default 30000 */
  readonly timeoutMs?: number
}

export interface EnsuredStream {
  readonly name: string
  readonly action: 'created' | 'updated' | 'unchanged'
  /** Where the server differs from the declaration after all that could be done. */
  readonly drift: readonly StreamDrift[]
}

/**
 * Creates the streams and buckets that are missing and brings the others up to their declaration. Never shrinks a limit, because
 * that deletes messages: a larger one is somebody's decision and is reported as drift. Refuses a stream whose storage or
 * retention is another, since those cannot be changed in place.
 */
export async function ensureStreams(
  bus: Bus,
  profile: StreamProfile,
  { replicas = 1, timeoutMs = 30_000 }: EnsureOptions = {},
): Promise<readonly EnsuredStream[]> {
  const until = performance.now() + timeoutMs
  const ensured: EnsuredStream[] = []
  for (const spec of [...streamSpecs, ...bucketSpecs]) {
    const wanted = streamConfig(spec, profile, replicas, bus.connection.info?.version ?? '0.0.0')
    const result = await whileStarting(spec.name, until, () => ensureStream(bus, wanted))
    for (const { field, wanted: want, found } of result.drift) {
      bus.log.warn({ stream: spec.name, field, wanted: want, found }, 'stream differs from its declaration')
    }
    ensured.push(result)
  }
  return ensured
}

/** JetStream comes up some time after the port does. */
async function whileStarting<T>(name: string, until: number, attempt: () => Promise<T>): Promise<T> {
  for (let pauseMs = 50; ; pauseMs = Math.min(1_000, pauseMs * 2)) {
    try {
      return await attempt()
    } catch (error) {
      if (classify(error) !== 'transient' || performance.now() > until)
        throw busError(`cannot set up stream ${name}`, error)
      await sleep(pauseMs)
    }
  }
}

/** Looks again after a refusal, with a pause that doubles from here. */
const lookAgainMs = 50
const looksAgain = 4

async function ensureStream(
  bus: Bus,
  wanted: Partial<StreamConfig> & { name: string },
  refusals = 0,
): Promise<EnsuredStream> {
  const { name } = wanted
  const existing = await findStream(bus, name)
  if (existing === null) {
    try {
      await bus.jsm.streams.add(wanted)
      return { name, action: 'created', drift: [] }
    } catch (error) {
      // Perhaps another process makes it at this moment. The server does not look and make in one step: beside "name in use" it
      // then says that the subjects overlap, or that there is no room for a second one of this size.
      if (!(error instanceof JetStreamApiError) || refusals === looksAgain) throw error
      await sleep(lookAgainMs * 2 ** refusals)
      return await ensureStream(bus, wanted, refusals + 1)
    }
  }
  const { update, drift, immovable } = compareStream(wanted, existing.config)
  if (immovable.length > 0) throw immovableError(name, immovable)
  if (Object.keys(update).length === 0) return { name, action: 'unchanged', drift }
  await bus.jsm.streams.update(name, update)
  return { name, action: 'updated', drift }
}

async function findStream(bus: Bus, name: string): Promise<NatsStreamInfo | null> {
  try {
    return await bus.jsm.streams.info(name)
  } catch (error) {
    if (isApiError(error, apiErrorCodes.streamNotFound)) return null
    throw error
  }
}

function immovableError(name: string, immovable: readonly StreamDrift[]): StrikeflowError {
  const fields = immovable.map(({ field, wanted, found }) => `${field} ${String(wanted)}, was ${String(found)}`)
  return new StrikeflowError(
    'bus',
    `Stream ${name}: expected ${fields.join('; ')}. This cannot be changed in place: delete the stream or give this system a server or account of its own`,
  )
}

/** The server's words for a declaration, without what a server of this version does not know (2.12 refuses unknown fields). */
export function streamConfig(
  spec: StreamSpec,
  profile: StreamProfile,
  replicas: number,
  serverVersion: string,
): Partial<StreamConfig> & { name: string } {
  return {
    name: spec.name,
    description: spec.description,
    subjects: [...spec.subjects],
    storage: StorageType.File,
    retention: spec.retention === 'workqueue' ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
    discard: spec.discard === 'new' ? DiscardPolicy.New : DiscardPolicy.Old,
    max_bytes: spec.maxBytes[profile],
    max_age: spec.maxAgeMs === null ? 0 : nanos(spec.maxAgeMs),
    max_msgs: spec.maxMessages ?? -1,
    max_msgs_per_subject: spec.maxMessagesPerSubject ?? -1,
    max_msg_size: spec.maxMessageBytes,
    duplicate_window: nanos(spec.duplicateWindowMs),
    num_replicas: replicas,
    allow_direct: true,
    ...(spec.bucket === true ? { allow_rollup_hdrs: true, deny_delete: true } : {}),
    ...(spec.compressed && isAtLeast(serverVersion, 2, 10) ? { compression: StoreCompression.S2 } : {}),
  }
}

function isAtLeast(version: string, major: number, minor: number): boolean {
  const [haveMajor = 0, haveMinor = 0] = version.split('.').map(Number)
  return haveMajor > major || (haveMajor === major && haveMinor >= minor)
}

export interface StreamInfo {
  /** Changes when the stream is deleted and made anew: sequences then begin again and mean other messages. */
  readonly created: string
  readonly firstSeq: number
  readonly lastSeq: number
  readonly bytes: number
  readonly messages: number
  /** Bytes at which the oldest messages are discarded, -1 for none. */
  readonly maxBytes: number
  /** Age at which messages are discarded, 0 for none. */
  readonly maxAgeMs: number
}

/** Returns the state of a stream; rejects where there is none. */
export async function streamInfo(bus: Bus, stream: string): Promise<StreamInfo> {
  try {
    const { created, state, config } = await bus.jsm.streams.info(stream)
    return {
      created,
      firstSeq: state.first_seq,
      lastSeq: state.last_seq,
      bytes: state.bytes,
      messages: state.messages,
      maxBytes: config.max_bytes,
      maxAgeMs: config.max_age / 1_000_000,
    }
  } catch (error) {
    throw busError(`cannot read the state of stream ${stream}`, error)
  }
}
