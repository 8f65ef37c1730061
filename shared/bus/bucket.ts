import { Kvm } from '@nats-io/kv'
import type { Bus } from './connect.ts'
import { apiErrorCodes, busError, isApiError } from './errors.ts'
import { decodeJson, encodeJson } from './messages.ts'
import type { BucketName } from './stream-specs.ts'
import { whileConnected } from './while-connected.ts'

interface BucketEntry {
  readonly value: unknown
  /** Rises with every write to the bucket; what `update` compares. */
  readonly revision: number
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
        return { value: decodeJson(entry.value), revision: entry.revision }
      }),
    put: (key, value) => attempt(() => kv.put(key, encodeJson(value))),
    create: (key, value) => orConflict(() => kv.create(key, encodeJson(value))),
    update: (key, value, revision) => orConflict(() => kv.update(key, encodeJson(value), revision)),
    delete: (key) => attempt(() => kv.delete(key)),
    keys: () => attempt(async () => Array.fromAsync(await kv.keys())),
  }
}

const conflicts = [apiErrorCodes.wrongLastSequence, apiErrorCodes.wrongLastSequenceUnknown]
