import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { contractFlags, type Snapshot } from '../../../../shared/model/snapshot.ts'
import { normalizeCboe } from './normalize.ts'

const text = readFileSync(new URL('../../../../tests/fixtures/cboe/ACME.json', import.meta.url), 'utf8')
const receivedAtMs = Date.UTC(2026, 10, 16, 16, 34, 20)

interface Envelope {
  timestamp?: unknown
  symbol?: unknown
  data: Record<string, unknown> & { options: Record<string, unknown>[] }
}

const envelope = (): Envelope => JSON.parse(text) as Envelope

function normalize(document: unknown, underlying: string | null = 'ACME') {
  const drift: string[] = []
  const outcome = normalizeCboe(document, {
    underlying,
    scanId: 's',
    receivedAtMs,
    nowMs: receivedAtMs,
    onDrift: (name) => drift.push(name),
  })
  return { outcome, drift }
}

const rowsOf = (roots: readonly string[]) =>
  roots.map((root, i) => ({ option: `${root}261120C000${45 + i}000`, bid: 1, ask: 2 }))

function snapshotOf(document: unknown): Snapshot {
  const { outcome } = normalize(document)
  if (outcome.kind === 'refused') throw new Error(outcome.detail)
  return outcome.snapshot
}

function rowOf({ columns }: Snapshot, expiry: string, strike: number, right: 1 | 2) {
  const day = Date.parse(expiry) / 86_400_000
  for (let i = 0; i < columns.length; i++) {
    if (columns.expiryDay[i] === day && columns.strike[i] === strike && columns.right[i] === right) {
      return {
        bid: columns.bid[i],
        last: columns.last[i],
        lastTradeAtS: columns.lastTradeAtS[i],
        iv: columns.providerIv[i],
        delta: columns.providerDelta[i],
        volume: columns.volume[i],
        openInterest: columns.openInterest[i],
        flags: columns.flags[i],
      }
    }
  }
  throw new Error('no such contract')
}

describe('normalizeCboe', () => {
  it('reads the file time as UTC and puts the market 15 minutes behind it', () => {
    const { meta } = snapshotOf(envelope())
    expect(meta).toMatchObject({
      provider: 'cboe',
      underlying: 'ACME',
      spot: 50.12,
      timeKind: 'file',
      providerTimeMs: Date.UTC(2026, 10, 16, 16, 34, 17),
      marketTimeMs: Date.UTC(2026, 10, 16, 16, 19, 17),
      receivedAtMs,
      sessionDate: '2026-11-16',
      multiplier: 100,
      listed: 8,
      rejects: [],
    })
  })

  it('reads trade times as New York wall clock', () => {
    const { lastTradeAtS } = rowOf(snapshotOf(envelope()), '2026-11-20', 50, 1)
    expect(lastTradeAtS).toBe(Date.UTC(2026, 10, 16, 16, 15, 0) / 1000)
  })

  it('keeps a bid of 0 as sent, since 0 says that nobody bids', () => {
    expect(rowOf(snapshotOf(envelope()), '2026-11-20', 45, 2).bid).toBe(0)
  })

  it('takes an IV of 0 for not computed, and keeps the greeks beside it', () => {
    const { iv, delta } = rowOf(snapshotOf(envelope()), '2026-11-20', 45, 1)
    expect(iv).toBeNaN()
    expect(delta).toBe(0.9999)
  })

  it('takes a last price of 0 and no trade time for never traded', () => {
    const { last, lastTradeAtS, volume, openInterest } = rowOf(snapshotOf(envelope()), '2026-12-18', 52.5, 2)
    expect(last).toBeNaN()
    expect(lastTradeAtS).toBeNaN()
    expect([volume, openInterest]).toEqual([0, 0])
  })

  it('flags the contract that expired before, and the adjusted one that is crossed', () => {
    const snapshot = snapshotOf(envelope())
    expect(rowOf(snapshot, '2026-11-13', 50, 1).flags).toBe(contractFlags.expired)
    expect(rowOf(snapshot, '2026-11-20', 47.5, 1).flags).toBe(contractFlags.adjusted | contractFlags.crossed)
  })

  it('gives the same id to the same content, in whatever order the rows come', () => {
    const turned = envelope()
    turned.data.options.reverse()
    expect(snapshotOf(turned).meta.snapshotId).toBe(snapshotOf(envelope()).meta.snapshotId)
    expect(snapshotOf(turned)).toEqual(snapshotOf(envelope()))
  })

  it('gives another id when the time moved over the same content, or the content at the same time', () => {
    const later = { ...envelope(), timestamp: '2026-11-16 16:35:17' }
    const dearer = envelope()
    Object.assign(dearer.data.options[0] as object, { ask: 5.35 })
    const first = snapshotOf(envelope()).meta
    expect(snapshotOf(later).meta.snapshotId).not.toBe(first.snapshotId)
    expect(snapshotOf(later).meta.contentHash).toBe(first.contentHash)
    expect(snapshotOf(dearer).meta.snapshotId).not.toBe(first.snapshotId)
  })

  it('tells of fields it does not know and goes on', () => {
    const document = envelope()
    document.data['iv60'] = 1
    Object.assign(document.data.options[3] as object, { phi: 0.1 })
    const { outcome, drift } = normalize(document)
    expect(outcome.kind).toBe('snapshot')
    expect(drift).toEqual(['data.iv60', 'data.options[].phi'])
  })

  it('takes an absent or null number for missing', () => {
    const document = envelope()
    delete document.data.options[0]?.['ask']
    Object.assign(document.data.options[1] as object, { ask: null })
    const { columns } = snapshotOf(document)
    expect([...columns.ask].filter((ask) => Number.isNaN(ask))).toHaveLength(2)
  })

  it('bears a clock that is ten minutes ahead', () => {
    expect(snapshotOf({ ...envelope(), timestamp: '2026-11-16 16:44:20' }).meta.listed).toBe(8)
  })

  it.each([
    ['SPX', 'SPXW'],
    ['NDX', 'NDXP'],
    ['BRK.B', 'BRKB'],
    ['SDS', 'SDS1'],
  ])('takes a chain of %s in which one of ten rows is %s', (underlying, root) => {
    const document = envelope()
    document.data['symbol'] = underlying
    document.data.options = rowsOf([...Array.from({ length: 9 }, () => 'LEFT'), root])
    expect(normalize(document, underlying).outcome.kind).toBe('snapshot')
  })

  it('does not judge by the roots what has less than ten rows', () => {
    const document = envelope()
    document.data.options = rowsOf(Array.from({ length: 9 }, () => 'LEFT'))
    expect(normalize(document).outcome.kind).toBe('snapshot')
  })

  it.each([
    [
      'schema',
      'text where a number is due',
      (d: Envelope) => Object.assign(d.data.options[2] as object, { bid: '1.15' }),
    ],
    ['schema', 'a row that is no object', (d: Envelope) => d.data.options.push(null as never)],
    ['schema', 'a list that is none', (d: Envelope) => Object.assign(d.data, { options: {} })],
    ['schema', 'the chain of another name', (d: Envelope) => Object.assign(d.data, { symbol: 'OTHR' })],
    ['no_time', 'no timestamp', (d: Envelope) => delete d.timestamp],
    ['no_time', 'a timestamp that is none', (d: Envelope) => Object.assign(d, { timestamp: 'yesterday' })],
    ['no_time', 'a time before 2005', (d: Envelope) => Object.assign(d, { timestamp: '2001-01-01 00:00:00' })],
    [
      'future_time',
      'a time 11 minutes ahead of the wall',
      (d: Envelope) => Object.assign(d, { timestamp: '2026-11-16 16:45:21' }),
    ],
    [
      'schema',
      'ten contracts, all of another name',
      (d: Envelope) => (d.data.options = rowsOf(Array.from({ length: 10 }, () => 'OTHR'))),
    ],
    ['empty_chain', 'no contracts', (d: Envelope) => Object.assign(d.data, { options: [] })],
  ])('refuses as %s: %s', (reason, _, spoil) => {
    const document = envelope()
    spoil(document)
    expect(normalize(document).outcome).toMatchObject({ kind: 'refused', reason })
  })

  it('refuses a chain whose every row is refused, names the first and counts them', () => {
    const document = envelope()
    for (const row of document.data.options) row['option'] = `O:${row['option'] as string}`
    const { outcome } = normalize(document)
    expect(outcome).toMatchObject({ kind: 'refused', reason: 'all_rejected', rejectsByReason: { bad_symbol: 8 } })
    expect(outcome).toMatchObject({ detail: expect.stringContaining('the first is O:ACME261120C00045000 (bad_symbol') })
  })

  it.each([[null], ['text'], [[]], [{ error: 'x' }]])('refuses a document that is %j', (document) => {
    expect(normalize(document).outcome).toMatchObject({ kind: 'refused', reason: 'schema' })
  })

  it('rejects the row, not the chain, for a number beyond all numbers', () => {
    const document = JSON.parse(text.replace('"ask": 1.2,', '"ask": 1e999,')) as unknown
    const { meta, columns } = snapshotOf(document)
    expect(meta.rejects).toMatchObject([{ symbol: 'ACME261120C00050000', reason: 'not_finite' }])
    expect(columns.length).toBe(7)
  })

  it('takes the name from the document where none was asked for, without the mark of an index', () => {
    const document = envelope()
    Object.assign(document.data, { symbol: '^SPX' })
    expect(normalize(document, null).outcome).toMatchObject({ snapshot: { meta: { underlying: 'SPX' } } })
  })

  it.each(['', 'NO GOOD', 'A\0B', 'X'.repeat(33)])('refuses %j as the name of an underlying', (symbol) => {
    const document = envelope()
    Object.assign(document.data, { symbol })
    expect(normalize(document, null).outcome).toMatchObject({ kind: 'refused', reason: 'schema' })
  })
})
