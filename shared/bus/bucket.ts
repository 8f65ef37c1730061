import { Kvm } from '@nats-io/kv'
import type { Bus } from './connect.ts'
import { apiErrorCodes, busError, isApiError } from './errors.ts'
import { decodeJson, encodeJson } from './messages.ts'
import { openOrderedSource } from './ordered-source.ts'
import type { BucketName } from './stream-specs.ts'
import { streamInfo } from './streams.ts'
import { whileConnected } from './while-connected.ts'

export interface BucketEntry {
  /** Undefined where it is no JSON: whoever may write to the bucket may have written anything. */
  readonly value: unknown
  /** Rises with every write to the bucket; what `update` compares. */
  readonly revision: number
}

export interface BucketChange extends BucketEntry {
  readonly key: string
  /** True from the moment on when all that was there at the beginning of the watch has been told. */
  readonly isCurrent: boolean
}

/** One key-value bucket, JSON values. Keys are letters, digits, `-`, `_`, `.`, `=` and `/`. */
export interface Bucket {
  /** Null where there is no such key, or it was deleted. */
  get(key: string): Promise<BucketEntry | null>
  put(key: string, value: unknown): Promise<number>
  /** Returns the new revision, or null when the key has a value already. */
  create(key: string, value: unknown): Promise<number | null>
  /** Returns the new revision, or null when somebody else wrote since `revision`: the compare-and-set of leases and fences. */
  update(key: string, value: unknown, revision: number): Promise<number | null>
  delete(key: string): Promise<void>
  /** Deletes unless somebody else wrote since `revision`. */
  remove(key: string, revision: number): Promise<void>
  /** Every key as it is now, then every change in order; through reconnects and restarts of the server, until the signal aborts. */
  watch(signal: AbortSignal): AsyncIterable<BucketChange>
  keys(): Promise<readonly string[]>
}

/** Opens a bucket that `ensureStreams` has made. */
export async function openBucket(bus: Bus, name: BucketName): Promise<Bucket> {
  async function attempt<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await whileConnected(bus, call())
    } catch (error) {
      throw busError(`bucket ${name}`, error)
    }
  }

  const kv = await attempt(() => new Kvm(bus.js).open(name))
  const orConflict = (write: () => Promise<number>): Promise<number | null> =>
    attempt(async () => {
      try {
        return await write()
      } catch (error) {
        if (conflicts.some((code) => isApiError(error, code))) return null
        throw error
      }
    })
  return {
    get: (key) =>
      attempt(async () => {
        const entry = await kv.get(key)
        if (entry === null || entry.operation !== 'PUT') return null
        return { value: jsonOrUndefined(entry.value), revision: entry.revision }
      }),
    put: (key, value) => attempt(() => kv.put(key, encodeJson(value))),
    create: (key, value) => orConflict(() => kv.create(key, encodeJson(value))),
    update: (key, value, revision) => orConflict(() => kv.update(key, encodeJson(value), revision)),
    delete: (key) => attempt(() => kv.delete(key)),
    remove: async (key, revision) => {
      await orConflict(async () => {
        await kv.delete(key, { previousSeq: revision })
        return revision
      })
    },
    watch: (signal) => watch(bus, name, signal),
    keys: () => attempt(async () => Array.fromAsync(await kv.keys())),
  }
}

/** The bucket's stream read like any other: a watch of the client library does not survive all that an ordered source does. */
async function* watch(bus: Bus, name: BucketName, signal: AbortSignal): AsyncGenerator<BucketChange, void, void> {
  const prefix = `$KV.${name}.`
  // Not by the count of messages behind: where newer values replace older ones, server 2.9 does not count it down to 0.
  const { lastSeq } = await streamInfo(bus, `KV_${name}`)
  await using source = await openOrderedSource(bus, { stream: `KV_${name}`, filterSubject: `${prefix}>`, fromSeq: 1 })
  const onAbort = (): void => void source[Symbol.asyncDispose]()
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) return
  for await (const { subject, headers, payload, streamSeq } of source) {
    const isGone = headers.has('KV-Operation')
    yield {
      key: subject.slice(prefix.length),
      value: isGone ? null : jsonOrUndefined(payload),
      revision: streamSeq,
      isCurrent: streamSeq >= lastSeq,
    }
  }
}

/** A value that cannot be read must not end those who watch the others. */
function jsonOrUndefined(payload: Uint8Array): unknown {
  try {
    return decodeJson(payload)
  } catch {
    return undefined
  }
}

const conflicts = [apiErrorCodes.wrongLastSequence, apiErrorCodes.wrongLastSequenceUnknown]
