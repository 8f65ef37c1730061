import { describe, expect, it } from 'vitest'
import { assign } from './assignment.ts'

describe('assignment', () => {
  it('gives every partition to one of the members, nobody more than his share', () => {
    for (const members of [['a'], ['a', 'b'], ['a', 'b', 'c'], Array.from({ length: 20 }, (_, i) => `m${i}`)]) {
      const owners = assign(16, members)
      expect(owners).toHaveLength(16)
      const share = Math.ceil(16 / members.length)
      for (const member of members) {
        expect(owners.filter((owner) => owner === member).length).toBeLessThanOrEqual(share)
      }
      expect(owners.every((owner) => owner !== null && members.includes(owner))).toBe(true)
    }
  })

  it('does not depend on the order in which members are known', () => {
    expect(assign(16, ['c', 'a', 'b'])).toEqual(assign(16, ['a', 'b', 'c']))
  })

  it('moves few partitions when one joins', () => {
    const before = assign(64, ['a', 'b', 'c'])
    const after = assign(64, ['a', 'b', 'c', 'd'])
    const moved = before.filter((owner, partition) => owner !== after[partition]).length
    expect(moved).toBeLessThanOrEqual(32)
  })

  it('gives nothing to nobody', () => {
    expect(assign(2, [])).toEqual([null, null])
  })
})
