import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import type { Snapshot, SnapshotMeta } from '../../../shared/model/snapshot.ts'
import { chainOf, type ContractInput } from '../../../tests/fixtures/quant/chain-builder.ts'
import { completenessOf, type SessionSlots } from './completeness.ts'

const minute = 60_000
const open = Date.parse('2026-11-16T14:30:00Z')
const contracts = (count: number, lastTradeAtS?: number): readonly ContractInput[] =>
  Array.from({ length: count }, (_, i) => ({
    root: 'XYZ',
    expiry: '2026-12-18',
    strike: 50 + i,
    right: 'C',
    ...(lastTradeAtS === undefined ? {} : { lastTradeAtS }),
  }))

/** A snapshot of the slot of a minute of the session; its market time is the slot's unless it says otherwise. */
function snapshotAt(index: number, unchangedBefore = 0, meta: Partial<SnapshotMeta> = {}, count = 10): Snapshot {
  const atMs = open + index * minute
  return chainOf(contracts(count), {
    marketTimeMs: atMs,
    sessionDate: '2026-11-16',
    slot: { atMs, intervalMs: minute, unchangedBefore },
    ...meta,
  })
}

/** The share of slots after each snapshot of a session. */
function shares(steps: readonly (readonly [index: number, unchangedBefore: number])[]): readonly (number | null)[] {
  let session: SessionSlots | undefined
  return steps.map(([index, unchanged]) => {
    const result = completenessOf(snapshotAt(index, unchanged), session)
    // Through JSON, as it is stored between snapshots.
    session = JSON.parse(JSON.stringify(result.session)) as SessionSlots
    return result.completeness.slotCompleteness
  })
}

describe('completeness of slots', () => {
  it('falls by each slot that brought nothing, and counts an unchanged one as brought', () => {
    expect(
      shares([
        [0, 0],
        [1, 0],
        [2, 0],
      ]),
    ).toEqual([1, 1, 1])
    expect(
      shares([
        [0, 0],
        [3, 0],
        [4, 0],
      ]),
    ).toEqual([1, 0.5, 0.6])
    expect(
      shares([
        [0, 0],
        [3, 2],
        [6, 1],
      ]),
    ).toEqual([1, 1, 0.8571])
  })

  it('counts from the first slot that brought a chain, unchanged ones before it included', () => {
    expect(
      shares([
        [100, 0],
        [101, 0],
      ]),
    ).toEqual([1, 1])
    expect(
      shares([
        [5, 2],
        [7, 0],
      ]),
    ).toEqual([1, 0.8])
  })

  it('does not carry unchanged slots of an earlier session into this one', () => {
    expect(
      shares([
        [1, 60],
        [3, 0],
      ]),
    ).toEqual([1, 0.75])
  })

  it('counts a second snapshot of a slot once, and one of an earlier slot not at all', () => {
    expect(
      shares([
        [0, 0],
        [2, 0],
        [2, 0],
        [1, 0],
      ]),
    ).toEqual([1, 0.6667, 0.6667, 0.6667])
  })

  it('begins anew with a session and with another interval', () => {
    const first = completenessOf(snapshotAt(10), undefined).session
    const next = Date.parse('2026-11-17T14:30:00Z')
    const other = chainOf(contracts(4), {
      marketTimeMs: next,
      sessionDate: '2026-11-17',
      slot: { atMs: next, intervalMs: minute, unchangedBefore: 0 },
    })
    expect(completenessOf(other, first).completeness).toMatchObject({ slotCompleteness: 1, contractCompleteness: 1 })
    const slower = snapshotAt(20, 0, { slot: { atMs: open + 20 * minute, intervalMs: 5 * minute, unchangedBefore: 0 } })
    expect(completenessOf(slower, first).completeness.slotCompleteness).toBe(1)
  })

  it('is null without a plan', () => {
    expect(completenessOf(snapshotAt(0, 0, { slot: undefined }), undefined).completeness.slotCompleteness).toBeNull()
  })

  test.prop([fc.array(fc.tuple(fc.nat(389), fc.nat(5)), { minLength: 1, maxLength: 40 })])(
    'lies in 0..1 whatever comes',
    (steps) => {
      for (const share of shares(steps)) {
        expect(share).toBeGreaterThan(0)
        expect(share).toBeLessThanOrEqual(1)
      }
    },
  )
})

describe('completeness of contracts', () => {
  it('is what was stored of what was listed', () => {
    expect(completenessOf(snapshotAt(0, 0, { listed: 16 }), undefined).completeness.contractCompleteness).toBe(0.625)
  })

  it('is held against the fullest chain of the session, so that a lost page shows', () => {
    const full = completenessOf(snapshotAt(0, 0, {}, 20), undefined)
    expect(completenessOf(snapshotAt(1, 0, {}, 14), full.session).completeness.contractCompleteness).toBe(0.7)
  })
})

describe('staleness', () => {
  it('is the market time behind the slot', () => {
    const stale = snapshotAt(30, 0, { marketTimeMs: open + 10 * minute })
    expect(completenessOf(stale, undefined).completeness.stalenessS).toBe(1200)
    expect(completenessOf(snapshotAt(30), undefined).completeness.stalenessS).toBe(0)
  })

  it('counts sessions and not the nights between: weeks old is weeks of sessions', () => {
    const marketTimeMs = Date.parse('2026-11-13T20:50:00Z')
    const stale = snapshotAt(5, 0, { marketTimeMs })
    expect(completenessOf(stale, undefined).completeness.stalenessS).toBe(900)
  })

  it('without a plan is taken behind the receipt less the delay; where nothing says when, it is null', () => {
    const recorded = { slot: undefined, delayMs: 15 * minute, receivedAtMs: open + 45 * minute, marketTimeMs: open }
    expect(completenessOf(snapshotAt(0, 0, recorded), undefined).completeness.stalenessS).toBe(1800)
    const unknown = snapshotAt(0, 0, { slot: undefined, receivedAtMs: 0 })
    expect(completenessOf(unknown, undefined).completeness.stalenessS).toBeNull()
  })

  it('gives the age of the newest trade, and null where nothing ever traded', () => {
    const traded = chainOf(contracts(3, open / 1000), { marketTimeMs: open + 7 * minute, sessionDate: '2026-11-16' })
    expect(completenessOf(traded, undefined).completeness.lastTradeAgeS).toBe(420)
    expect(completenessOf(snapshotAt(0), undefined).completeness.lastTradeAgeS).toBeNull()
  })
})
