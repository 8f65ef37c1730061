import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { FetchOutcome, FetchedSnapshot } from '../provider.ts'
import { instantOfIso, normalizeOptionsDesk } from './normalize.ts'

const lines = readFileSync(
  new URL('../../../../tests/fixtures/options_desk/2026-11-16_small.ndjson', import.meta.url),
  'utf8',
)
  .trim()
  .split('\n')

const document = (index: number): Record<string, unknown> =>
  JSON.parse(lines[index] as string) as Record<string, unknown>

const nowMs = Date.UTC(2026, 10, 20)
const normalize = (given: unknown): FetchOutcome =>
  normalizeOptionsDesk(given, { scanId: 's', nowMs, onDrift: () => {} })

function snapshotOf(given: unknown): FetchedSnapshot {
  const outcome = normalize(given)
  if (outcome.kind === 'refused') throw new Error(outcome.detail)
  return outcome
}

describe('normalizeOptionsDesk', () => {
  it.each([
    ['no_time', '1970-01-01T00:00:00Z'],
    ['future_time', '2026-11-20T00:10:01Z'],
  ])('refuses as %s what is dated %s', (reason, updated) => {
    expect(normalize({ ...document(0), updated })).toMatchObject({ kind: 'refused', reason })
    expect(normalize({ ...document(0), updated: '2026-11-20T00:10:00Z' }).kind).toBe('snapshot')
  })

  it('takes its time for that of a fetch, 15 minutes ahead of the market', () => {
    expect(snapshotOf(document(0)).snapshot.meta).toMatchObject({
      provider: 'options_desk',
      underlying: 'ACME',
      timeKind: 'fetch',
      providerTimeMs: Date.UTC(2026, 10, 16, 16, 17, 0, 250),
      marketTimeMs: Date.UTC(2026, 10, 16, 16, 2, 0, 250),
      receivedAtMs: Date.UTC(2026, 10, 16, 16, 17, 0, 250),
      sessionDate: '2026-11-16',
    })
  })

  it("takes Yahoo's unknown IV for missing and keeps a null bid apart from one of 0", () => {
    const { columns } = snapshotOf(document(0)).snapshot
    expect([...columns.providerIv]).toEqual([0.3127, NaN, NaN])
    expect([...columns.bid]).toEqual([1.15, 1, NaN])
    expect([...columns.last]).toEqual([1.18, 1.02, NaN])
    expect(snapshotOf(document(1)).snapshot.columns.bid[0]).toBe(0)
  })

  it('takes an absent volume for none traded, but absent open interest and greeks for unknown', () => {
    const { columns } = snapshotOf(document(0)).snapshot
    expect([...columns.volume]).toEqual([118, 0, 2])
    expect([...columns.openInterest]).toEqual([1022, 877, NaN])
    expect([...columns.providerDelta]).toEqual([0.5, 0.5, NaN])
  })

  it('writes a class of shares with a dot, and knows its root', () => {
    const { meta, columns } = snapshotOf(document(1)).snapshot
    expect(meta.underlying).toBe('BRX.B')
    expect([columns.roots, columns.flags[0]]).toEqual([['BRXB'], 0])
  })

  it('keeps the quotes of a chain without spot and rejects its rows that contradict or repeat', () => {
    const { snapshot, rejectsByReason } = snapshotOf(document(2))
    expect(snapshot.meta).toMatchObject({ spot: null, listed: 4 })
    expect(snapshot.columns.length).toBe(2)
    expect(rejectsByReason).toEqual({ expiry_mismatch: 1, duplicate_contract: 1 })
  })

  it('gives a chain fetched again in the same session the same id, and in the next session another', () => {
    const id = (updated: string) => snapshotOf({ ...document(0), updated }).snapshot.meta.snapshotId
    const first = id('2026-11-16T11:17:00.250000-05:00')
    expect(id('2026-11-16T15:00:00-05:00')).toBe(first)
    expect(id('2026-11-17T11:17:00-05:00')).not.toBe(first)
  })

  it.each([
    ['no_time', { updated: null }],
    ['no_time', { updated: '2026-11-16T11:17:00' }],
    ['empty_chain', { quotes: [] }],
    ['schema', { quotes: 'none' }],
    ['schema', { underlyingPrice: '50' }],
    ['schema', { symbol: 'NO GOOD' }],
  ])('refuses as %s what holds %j', (reason, spoilt) => {
    expect(normalize({ ...document(0), ...spoilt })).toMatchObject({ kind: 'refused', reason })
  })

  it.each([
    ['expiry_mismatch', { expiration: 'soon' }],
    ['right_mismatch', { side: 'put' }],
    ['right_mismatch', { side: 'straddle' }],
    ['strike_mismatch', { strike: 51 }],
  ])('rejects as %s a row that says %j', (reason, spoilt) => {
    const spoiltDocument = document(0)
    Object.assign((spoiltDocument['quotes'] as object[])[0] as object, spoilt)
    expect(snapshotOf(spoiltDocument).rejectsByReason).toEqual({ [reason]: 1 })
  })
})

it('reads an instant only where an offset makes it one', () => {
  expect(instantOfIso('2026-07-16T11:16:47.116260-04:00')).toBe(Date.UTC(2026, 6, 16, 15, 16, 47, 116))
  expect(instantOfIso('2026-07-16T11:16:47Z')).toBe(Date.UTC(2026, 6, 16, 11, 16, 47))
  expect(instantOfIso('2026-07-16 11:16:47')).toBeNull()
  expect(instantOfIso('2026-13-16T11:16:47Z')).toBeNull()
})
