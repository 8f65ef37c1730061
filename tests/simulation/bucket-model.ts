import type { KeyValue, KeyValueEntry, WatchedEntry } from '../../services/processor/delivery/ports.ts'
import { exchange, type ExchangeOptions } from './exchange.ts'
import type { Host } from './host.ts'
import { busFailure } from './stream-model.ts'
import type { World } from './world.ts'

interface Entry {
  /** JSON; null when it was deleted. */
  readonly json: string | null
  readonly revision: number
}

/** A key-value bucket: compare-and-set, and watches that tell late. */
export class BucketModel {
  readonly #world: World
  #entries = new Map<string, Entry>()
  #revision = 0
  #generation = 1
  readonly #watches = new Set<Watch>()
  isUp = true
  /** Called before every writing. */
  onWrite: (key: string, before: unknown, after: unknown) => void = () => {}

  constructor(world: World) {
    this.#world = world
  }

  get(key: string): KeyValueEntry | null {
    const entry = this.#entries.get(key)
    return entry === undefined || entry.json === null
      ? null
      : { value: JSON.parse(entry.json) as unknown, revision: entry.revision }
  }

  /** Writes when the key still has this revision; 0 when it must have none. */
  #write(key: string, value: unknown, revision: number): number | null {
    const entry = this.#entries.get(key)
    const current = entry === undefined || (entry.json === null && revision === 0) ? 0 : entry.revision
    if (current !== revision) return null
    this.onWrite(key, this.get(key)?.value ?? null, value)
    this.#revision += 1
    this.#entries.delete(key)
    this.#entries.set(key, { json: value === null ? null : JSON.stringify(value), revision: this.#revision })
    for (const watch of this.#watches) watch.tellSoon()
    return this.#revision
  }

  /** Made anew, empty: a lost disk. */
  lose(): void {
    this.#entries = new Map()
    this.#revision = 0
    this.#generation += 1
    for (const watch of this.#watches) watch.tellSoon()
  }

  get generation(): number {
    return this.#generation
  }

  after(revision: number): readonly WatchedEntry[] {
    const later = [...this.#entries].filter(([, entry]) => entry.revision > revision)
    return later.map(([key, { json, revision }], i) => ({
      key,
      value: json === null ? null : (JSON.parse(json) as unknown),
      revision,
      pendingCount: later.length - 1 - i,
      isCurrent: i === later.length - 1,
    }))
  }

  client(host: Host): KeyValue {
    const options: ExchangeOptions = {
      isUp: () => this.isUp,
      failure: (message) => busFailure(`the bucket ${message}`),
      lost: 'bus request lost',
      answerLost: 'bus answer lost',
      late: 'bus request late',
      probability: 0.007,
    }
    const ask = <T>(serve: () => T): Promise<T> => exchange(this.#world, host, serve, options)
    return {
      get: (key) => ask(() => this.get(key)),
      create: (key, value) => ask(() => this.#write(key, value, 0)),
      update: (key, value, revision) => ask(() => this.#write(key, value, revision)),
      remove: (key, revision) => ask(() => void this.#write(key, null, revision)),
      watch: (signal) => this.#watch(host, signal),
    }
  }

  async *#watch(host: Host, signal: AbortSignal): AsyncGenerator<WatchedEntry, void, void> {
    const watch = new Watch(this.#world, this, host)
    const onAbort = (): void => watch.wake()
    signal.addEventListener('abort', onAbort)
    this.#watches.add(watch)
    watch.tellSoon()
    try {
      while (!signal.aborted) {
        const entry = watch.told.shift()
        if (entry !== undefined) yield entry
        else if (watch.isBroken) throw busFailure('the bucket was made anew')
        else await watch.more()
      }
    } finally {
      this.#watches.delete(watch)
      signal.removeEventListener('abort', onAbort)
    }
  }
}

class Watch {
  readonly told: WatchedEntry[] = []
  isBroken = false
  readonly #world: World
  readonly #bucket: BucketModel
  readonly #host: Host
  readonly #generation: number
  #revision = 0
  #isTelling = false
  #waiting: PromiseWithResolvers<void> | null = null

  constructor(world: World, bucket: BucketModel, host: Host) {
    this.#world = world
    this.#bucket = bucket
    this.#host = host
    this.#generation = bucket.generation
  }

  wake(): void {
    this.#waiting?.resolve()
    this.#waiting = null
  }

  async more(): Promise<void> {
    this.#waiting ??= Promise.withResolvers()
    await this.#waiting.promise
  }

  tellSoon(): void {
    if (this.#isTelling || this.#host.isDead) return
    this.#isTelling = true
    const { time, random, faults } = this.#world
    const delayMs = faults.strikes('watch delayed', 0.01) ? random.between(200, 3_000) : random.between(0.2, 4)
    time.after(delayMs, () => this.#tell())
  }

  #tell(): void {
    this.#isTelling = false
    if (!this.#bucket.isUp) {
      this.#isTelling = true
      this.#world.time.after(100, () => this.#tell())
      return
    }
    const isBroken = this.#bucket.generation !== this.#generation
    const entries = isBroken ? [] : this.#bucket.after(this.#revision)
    this.#revision = entries.at(-1)?.revision ?? this.#revision
    this.#host.run(() => {
      this.told.push(...entries)
      this.isBroken ||= isBroken
      this.wake()
    })
  }
}
