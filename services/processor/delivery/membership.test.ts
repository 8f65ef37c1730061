import { describe, expect, it } from 'vitest'
import { World } from '../../../tests/support/delivery-models.ts'
import { createVirtualTimers } from '../../../tests/support/virtual-timers.ts'
import { createLogger } from '../../../shared/runtime/logger.ts'
import { Membership } from './membership.ts'
import type { KeyValue } from './ports.ts'
import { deliveryRules } from './rules.ts'

type Update = KeyValue['update']

/** A member whose writings of one key take effect at once and are answered when the test says so. */
async function joined(heldKey: string) {
  const { coord } = new World()
  const timers = createVirtualTimers()
  const answers: (() => void)[] = []
  let isHeld = false
  let changes = 0
  const update: Update = async (key, value, revision) => {
    const written = await coord.update(key, value, revision)
    if (isHeld && key === heldKey) await new Promise<void>((resolve) => answers.push(resolve))
    return written
  }
  const membership = new Membership({
    coord: {
      get: (key) => coord.get(key),
      create: (key, value) => coord.create(key, value),
      update,
      remove: (key, revision) => coord.remove(key, revision),
      watch: (signal) => coord.watch(signal),
    },
    timers,
    log: createLogger({ service: 'test', level: 'silent' }),
    point: () => undefined,
    rules: deliveryRules,
    instance: 'a',
    boot: 'a1',
    partitions: 1,
    ttlMs: 2_000,
    renewMs: 400,
    onChange: () => (changes += 1),
  })
  await membership.join()
  return {
    membership,
    coord,
    timers,
    hold: () => void (isHeld = true),
    answer: () => answers.splice(0).forEach((resolve) => resolve()),
    changes: () => changes,
  }
}

describe('membership', () => {
  it('tells when leases were late and are renewed between two looks', async () => {
    const { membership, timers, hold, answer, changes } = await joined('member.a')
    await timers.advance(500)
    hold()
    await timers.advance(1_430)
    expect(membership.mayWrite()).toBe(false)
    const before = changes()
    answer()
    await timers.advance(10)
    expect(membership.mayWrite()).toBe(true)
    expect(changes()).toBeGreaterThan(before)
  })

  it('does not put its own late answer over a later owner it was told of', async () => {
    const { membership, coord, timers, hold, answer } = await joined('lease.p0')
    await membership.takeLease(0, 1)
    await timers.advance(100)
    hold()
    const again = membership.takeLease(0, 2)
    await timers.advance(100)
    const mine = await coord.get('lease.p0')
    await coord.update('lease.p0', { owner: { instance: 'b', boot: 'b1' }, epoch: 3 }, mine?.revision ?? 0)
    await timers.advance(100)
    answer()
    expect(await again).toBe(false)
    expect(membership.isMine(0)).toBe(false)
    expect(membership.epochOf(0)).toBe(3)
  })
})
