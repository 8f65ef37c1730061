import { describe, expect, it } from 'vitest'
import {
  createLedgerModel,
  createSinkModel,
  createStreamModel,
  identityHandler,
  type ModelBatch,
  World,
} from '../../../tests/support/delivery-models.ts'
import { createVirtualTimers, type VirtualTimers } from '../../../tests/support/virtual-timers.ts'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import { createLogger } from '../../../shared/runtime/logger.ts'
import { KeyStates } from '../key-states.ts'
import { Delivery } from './delivery.ts'
import type { Ports } from './ports.ts'
import { deliveryRules } from './rules.ts'

const partitions = 4
const ttlMs = 2_000
const ignore = (): void => {}

/** One life of a process over the world all share. */
function live(
  world: World,
  timers: VirtualTimers,
  instance: string,
  boot: string,
  changed: Partial<Ports<ModelBatch>> = {},
) {
  const delivery = new Delivery(
    { instance, boot, partitions, ttlMs, renewMs: 500, insertLimitMs: 3_000, flushRows: 1_000, flushMs: 50 },
    {
      timers,
      random: () => 0.5,
      coord: world.coord,
      cursors: world.cursors,
      stream: createStreamModel(world),
      ledger: createLedgerModel(world),
      sink: createSinkModel(world),
      handler: identityHandler,
      rules: deliveryRules,
      point: () => undefined,
      observer: {
        written: ignore,
        storeFailed: ignore,
        delivered: ignore,
        took: ignore,
        lost: ignore,
        rewound: ignore,
        settled: ignore,
      },
      log: createLogger({ service: 'test', level: 'silent' }),
      createStates: (isFirst) => new KeyStates(isFirst),
      ...changed,
    },
  )
  const stop = new AbortController()
  return { delivery, stop, running: delivery.run(stop.signal) }
}

/** A process that ends when the test says so: from then on nothing calls it back and no call of its is answered. */
function mortal(world: World, timers: VirtualTimers) {
  let isDead = false
  const cut = <T extends object>(port: T): T =>
    new Proxy(port, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        return (...args: unknown[]): unknown => (isDead ? new Promise(ignore) : Reflect.apply(member, target, args))
      },
    })
  return {
    timers: {
      ...timers,
      after: (ms: number, callback: () => void) => timers.after(ms, () => void (isDead || callback())),
    },
    ports: { coord: cut(world.coord), cursors: cut(world.cursors) },
    kill: () => void (isDead = true),
  }
}

const away = new StrikeflowError('bus', 'away', { retryable: true })

const commitsOf = (world: World): readonly string[] => world.commits.map(({ messageId }) => messageId).toSorted()
const publish = (world: World, from: number, to: number): void => {
  for (let n = from; n < to; n += 1) world.publish(n % partitions, `m${String(n).padStart(3, '0')}`)
}
const ids = (to: number): readonly string[] => Array.from({ length: to }, (_, n) => `m${String(n).padStart(3, '0')}`)

/** What somebody else may have written in the place of a record. */
const noRecords: readonly unknown[] = [
  undefined,
  7,
  'text',
  [],
  {},
  { owner: 7, epoch: 'none' },
  { owner: { instance: 'a' }, epoch: 2 ** 53 },
  { instance: {}, boot: null },
  { instance: 'x'.repeat(10_000), boot: 'b' },
  { boot: 'a0', incarnation: 'stream', to: 1e300, suspectTo: -1, at: 'x', deaths: null },
  { boot: 'a0', incarnation: 'stream', to: 5, suspectTo: 5, at: null, deaths: { 3: 'many' } },
  { boot: 'a0', incarnation: 'stream', to: 5, suspectTo: 5, at: null, deaths: {}, outdated: { from: 'x' } },
]

describe('delivery under a clock of its own', () => {
  it.each(noRecords.map((value) => [value]))(
    'takes every partition where the buckets hold %j instead of records',
    async (value) => {
      const world = new World()
      const timers = createVirtualTimers()
      for (const key of ['member.a', 'member.z', 'lease.p1', 'lease.pX', 'member', 'other.thing'])
        await world.coord.create(key, value)
      for (const key of ['p0', 'p1', 'p2']) await world.cursors.create(key, value)
      const a = live(world, timers, 'a', 'a1')
      publish(world, 0, 12)
      await timers.advance(5_000)
      expect(a.delivery.status()).toMatchObject({ problems: [] })
      expect(a.delivery.status().owned).toHaveLength(4)
      expect(commitsOf(world)).toEqual(ids(12))
      // Written over while it is at work.
      const lease = await world.coord.get('lease.p2')
      await world.coord.update('lease.p2', value, lease?.revision ?? 0)
      publish(world, 12, 24)
      await timers.advance(10_000)
      expect(a.delivery.status().owned).toHaveLength(4)
      expect(new Set(commitsOf(world))).toEqual(new Set(ids(24)))
      a.stop.abort()
      await timers.advance(5_000)
      await a.running
    },
  )

  it('leaves nothing behind when it is told to stop while it joins', async () => {
    const world = new World()
    const timers = createVirtualTimers()
    const answered = Promise.withResolvers<void>()
    const { coord } = world
    const get = coord.get.bind(coord)
    coord.get = async (key) => {
      await answered.promise
      return get(key)
    }
    const a = live(world, timers, 'a', 'a1')
    await timers.advance(10)
    a.stop.abort()
    await timers.advance(10)
    answered.resolve()
    await timers.advance(1_000)
    await a.running
    const b = live(world, timers, 'b', 'b1')
    await timers.advance(1_000)
    expect(b.delivery.status().owned).toHaveLength(4)
  })

  it('takes all partitions alone, shares them with another, and gets them back when that one stops', async () => {
    const world = new World()
    const timers = createVirtualTimers()
    const a = live(world, timers, 'a', 'a1')
    await timers.advance(1_000)
    expect(a.delivery.status()).toMatchObject({ owned: [0, 1, 2, 3], problems: [] })
    publish(world, 0, 20)
    await timers.advance(1_000)
    const b = live(world, timers, 'b', 'b1')
    await timers.advance(1_000)
    expect([a.delivery.status().owned.length, b.delivery.status().owned.length]).toEqual([2, 2])
    publish(world, 20, 40)
    await timers.advance(1_000)
    b.stop.abort()
    await timers.advance(1_000)
    await b.running
    expect(a.delivery.status().owned).toHaveLength(4)
    expect(commitsOf(world)).toEqual(ids(40))
    expect(world.rows).toHaveLength(40 * 3)
    a.stop.abort()
    await timers.advance(1_000)
    await a.running
  })

  it('takes over from a dead one after the time to live, and from an earlier boot of the same instance at once', async () => {
    const world = new World()
    const timers = createVirtualTimers()
    const first = mortal(world, timers)
    live(world, first.timers, 'a', 'a1', first.ports)
    await timers.advance(1_000)
    first.kill()
    const second = mortal(world, timers)
    const again = live(world, second.timers, 'a', 'a2', second.ports)
    await timers.advance(100)
    expect(again.delivery.status().owned).toHaveLength(4)
    second.kill()
    const heir = live(world, timers, 'b', 'b1')
    await timers.advance(ttlMs - 100)
    expect(heir.delivery.status().owned).toHaveLength(0)
    await timers.advance(600)
    expect(heir.delivery.status().owned).toHaveLength(4)
  })

  it('writes again only what a dead owner left half written', async () => {
    const world = new World()
    const timers = createVirtualTimers()
    const victim = mortal(world, timers)
    const sink = createSinkModel(world)
    const never = new Promise<void>(ignore)
    live(world, victim.timers, 'a', 'a1', { ...victim.ports, sink: { ...sink, insertCommits: () => never } })
    publish(world, 0, 8)
    await timers.advance(1_000)
    expect([world.rows.length, world.commits.length]).toEqual([8 * 3, 0])
    victim.kill()
    world.rows.splice(0, 1)
    live(world, timers, 'a', 'a2')
    await timers.advance(1_000)
    expect(commitsOf(world)).toEqual(ids(8))
    // One had lost a row of quotes: its two are written again under the new epoch.
    expect(world.rows).toHaveLength(8 * 3 - 1 + 2)
  })

  it('a planted bug shows: with presence in place of count the lost row stays lost', async () => {
    const world = new World()
    const timers = createVirtualTimers()
    const victim = mortal(world, timers)
    const never = new Promise<void>(ignore)
    live(world, victim.timers, 'a', 'a1', {
      ...victim.ports,
      sink: { ...createSinkModel(world), insertCommits: () => never },
    })
    publish(world, 0, 8)
    await timers.advance(1_000)
    victim.kill()
    world.rows.splice(0, 1)
    const rules = {
      ...deliveryRules,
      tablesToWrite: (...[counts, present]: Parameters<typeof deliveryRules.tablesToWrite>) =>
        deliveryRules.tablesToWrite(counts, present).filter((table) => (present?.[table] ?? 0) === 0),
    }
    live(world, timers, 'a', 'a2', { rules })
    await timers.advance(1_000)
    expect(commitsOf(world)).toEqual(ids(8))
    expect(world.rows).toHaveLength(8 * 3 - 1)
  })

  it('an owner that was stopped for longer than its lease writes nothing when it goes on', async () => {
    const world = new World()
    const timers = createVirtualTimers()
    const sink = createSinkModel(world)
    const gate = Promise.withResolvers<void>()
    const held = {
      ...sink,
      insertCommits: (...args: Parameters<typeof sink.insertCommits>) =>
        gate.promise.then(() => sink.insertCommits(...args)),
    }
    const zombie = mortal(world, timers)
    live(world, zombie.timers, 'a', 'a1', { ...zombie.ports, sink: held })
    publish(world, 0, 8)
    await timers.advance(1_000)
    zombie.kill()
    live(world, timers, 'b', 'b1')
    await timers.advance(ttlMs + 1_000)
    expect(commitsOf(world)).toEqual(ids(8))
    gate.resolve()
    await timers.advance(100)
    expect(commitsOf(world)).toEqual(ids(8))
  })

  it('writes nothing while its leases cannot be renewed, and goes on as if nothing had been when nobody took them', async () => {
    const world = new World()
    const timers = createVirtualTimers()
    let isAway = false
    const coord = new Proxy(world.coord, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        const call = (...args: unknown[]): unknown => Reflect.apply(member, target, args)
        return (...args: unknown[]) => (isAway && name === 'update' ? Promise.reject(away) : call(...args))
      },
    })
    const a = live(world, timers, 'a', 'a1', { coord })
    await timers.advance(1_000)
    isAway = true
    await timers.advance(ttlMs)
    publish(world, 0, 8)
    await timers.advance(5_000)
    expect(world.rows).toEqual([])
    expect(a.delivery.status().problems).toEqual(['the leases cannot be renewed'])
    isAway = false
    await timers.advance(1_000)
    expect(commitsOf(world)).toEqual(ids(8))
    expect([...world.epochs.values()]).toEqual([1, 1, 1, 1])
  })

  it('ends when another process starts under its name', async () => {
    const world = new World()
    const timers = createVirtualTimers()
    const first = live(world, timers, 'same', 'one')
    first.running.catch(ignore)
    await timers.advance(1_000)
    live(world, timers, 'same', 'two')
    await timers.advance(15_000)
    await expect(first.running).rejects.toThrow('PROCESSOR_INSTANCE')
  })
})
