import { type Body, keyOf } from './message.ts'
import type { StreamModel } from './stream-model.ts'
import type { World } from './world.ts'

interface Key {
  readonly underlying: string
  readonly provider: string
  readonly partition: number
  readonly timeKind: Body['timeKind']
  last: Body | null
}

/** Every message of a run, published over its length: news, copies, latecomers, and what nobody can read. */
export class PublisherModel {
  /** By message id. */
  readonly published = new Map<string, Body>()
  readonly #world: World
  readonly #stream: StreamModel
  readonly #keys: Key[] = []
  readonly #order: string[] = []
  readonly #partitionOf = new Map<string, number>()
  readonly partitionOf = (key: string): number => this.#partitionOf.get(key.slice(0, key.indexOf('/'))) ?? 0
  #number = 0
  #waiting = 0

  constructor(world: World, stream: StreamModel, partitions: number) {
    this.#world = world
    this.#stream = stream
    const underlyings = world.random.integer(partitions, 2 * partitions)
    for (let i = 0; i < underlyings; i += 1) {
      const underlying = `U${i}`
      const partition = i % partitions
      this.#partitionOf.set(underlying, partition)
      const timeKind = i % 4 === 3 ? 'fetch' : 'market'
      for (const provider of world.random.chance(0.4) ? ['p', 'q'] : ['p'])
        this.#keys.push({ underlying, provider, partition, timeKind, last: null })
    }
  }

  /** Messages that could not be published yet. */
  get waiting(): number {
    return this.#waiting
  }

  /** Publishes so many messages over so long. */
  plan(messages: number, durationMs: number): void {
    const { time, random } = this.#world
    let left = messages
    while (left > 0) {
      const burst = Math.min(left, random.chance(0.3) ? random.integer(3, 20) : 1)
      left -= burst
      this.#waiting += burst
      time.after(random.between(0, durationMs), () => {
        for (let i = 0; i < burst; i += 1) this.#publishNext()
      })
    }
  }

  /** Publishes what the stream has lost once more: its publisher never knew that it was stored. */
  again(messageId: string, body: Body): void {
    this.#waiting += 1
    this.#world.time.after(this.#world.random.between(50, 2_000), () => this.#send(messageId, body))
  }

  #publishNext(): void {
    const { random, faults } = this.#world
    if (faults.strikes('copy', 0.06)) {
      const recent = random.chance(0.7) ? this.#order.slice(-5) : this.#order
      const messageId = random.pick(recent)
      const body = messageId === undefined ? undefined : this.published.get(messageId)
      if (messageId !== undefined && body !== undefined && body.kind !== 'deadly') return this.#send(messageId, body)
    }
    if (faults.strikes('dead letter replayed', 0.03)) {
      const dead = [...this.published].filter(([, { kind }]) => kind === 'undecodable' || kind === 'uncomputable')
      const [messageId, body] = random.pick(dead) ?? []
      if (messageId !== undefined && body !== undefined && !messageId.startsWith('replay'))
        return this.#send(`replay-${(this.#number += 1)}-${messageId}`, { ...body, kind: 'sound' })
    }
    const key = random.pick(this.#keys) as Key
    const body = this.#nextOf(key)
    this.#send(body.snapshotId, body)
  }

  #nextOf(key: Key): Body {
    const { random, faults } = this.#world
    const { underlying, provider, timeKind, last } = key
    this.#number += 1
    const latestMs = last?.marketTimeMs ?? 1_000
    if (last !== null && timeKind === 'fetch' && last.kind === 'sound' && random.chance(0.3)) {
      // The same content under a later time is the same snapshot where the time is that of the fetch.
      key.last = { ...last, marketTimeMs: latestMs + 60 }
      return key.last
    }
    const isLate = last !== null && faults.strikes('late snapshot', 0.05)
    const isUnchanged = last !== null && timeKind === 'market' && random.chance(0.08)
    const body: Body = {
      snapshotId: `s${this.#number}`,
      underlying,
      provider,
      timeKind,
      marketTimeMs: isLate ? latestMs - random.integer(1, 100) : latestMs + random.integer(1, 60),
      contentHash: isUnchanged ? last.contentHash : `h${this.#number}`,
      kind: this.#kind(),
      value: random.between(1, 100),
      quotes: random.integer(1, 5),
    }
    if (!isLate) key.last = body
    return body
  }

  #kind(): Body['kind'] {
    const { faults } = this.#world
    if (faults.strikes('undecodable', 0.03)) return 'undecodable'
    if (faults.strikes('uncomputable', 0.02)) return 'uncomputable'
    if (faults.strikes('unpublishable', 0.02)) return 'unpublishable'
    if (faults.strikes('unkeepable', 0.02)) return 'unkeepable'
    if (faults.strikes('deadly', 0.003)) return 'deadly'
    return faults.strikes('unstorable', 0.02) ? 'unstorable' : 'sound'
  }

  #send(messageId: string, body: Body): void {
    if (!this.#stream.isUp) {
      this.#world.time.after(200, () => this.#send(messageId, body))
      return
    }
    this.#waiting -= 1
    const known = this.published.get(messageId)
    if (known === undefined) this.#order.push(messageId)
    this.published.set(messageId, known ?? body)
    this.#stream.publish(this.partitionOf(keyOf(body)), messageId, body)
  }
}
