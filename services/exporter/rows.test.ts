import { describe, expect, it } from 'vitest'
import { batchesOf, said } from './documents.ts'
import { alertRow, chainRow, featureRow, scanRow } from './rows.ts'

const snapshot = {
  underlying: 'BRK.B',
  snapshot_id: 's1',
  provider: 'cboe',
  scan_id: 'scan1',
  market_time: '2026-07-16T14:00:00.000Z',
  n_quotes: 2,
}
const chain = { snapshot_id: 's1', spot: 500.5, calls: '{"strike":500},{"strike":505}', puts: '{"strike":500}' }

const alert = {
  alert_id: 'a1',
  scan_id: 'scan1',
  underlying: 'SPY',
  provider: 'cboe',
  detector: 'volume_spike',
  detector_version: 1,
  parameters_hash: 'ff',
  severity: 'warning' as const,
  score: 81.5,
  message: 'volume 9 times its mean',
  evidence: '{"ratio":9}',
  inputs: ['s1'],
  snapshot_id: 's1',
  quality: 99,
  replayed: false,
  market_time: '2026-07-16T14:00:00.000Z',
  stored_at: '2026-07-16T14:00:01.000Z',
}

const parse = (row: string) => JSON.parse(row) as Record<string, unknown>

describe('the rows dashboards read', () => {
  it('has an alert under the agreed names', () => {
    expect(parse(alertRow(alert))).toMatchObject({
      id: 'a1',
      scan_id: 'scan1',
      ticker: 'SPY',
      detector_name: 'volume_spike',
      score: 81.5,
      alert_data: { severity: 'warning', message: 'volume 9 times its mean', evidence: { ratio: 9 } },
      created_at: '2026-07-16T14:00:01.000Z',
    })
  })

  it('keeps an alert whose evidence is not JSON, as text', () => {
    expect(parse(alertRow({ ...alert, evidence: 'ratio 9' }))).toMatchObject({ alert_data: { evidence: 'ratio 9' } })
  })

  it('has a chain with its contracts as they came, the ticker first', () => {
    const row = chainRow(snapshot, chain)
    expect(row.startsWith('{"ticker":"BRK.B",')).toBe(true)
    expect(parse(row)).toEqual({
      ticker: 'BRK.B',
      timestamp: '2026-07-16T14:00:00.000Z',
      underlying_price: 500.5,
      calls: [{ strike: 500 }, { strike: 505 }],
      puts: [{ strike: 500 }],
      snapshot_id: 's1',
      scan_id: 'scan1',
      provider: 'cboe',
    })
  })

  it('has null for a chain without a spot and empty lists for one without contracts', () => {
    expect(parse(chainRow(snapshot, { ...chain, spot: null, puts: '' }))).toMatchObject({
      underlying_price: null,
      puts: [],
    })
    expect(parse(chainRow(snapshot, undefined))).toMatchObject({ underlying_price: null, calls: [], puts: [] })
  })

  it('has features with those of each expiry inside', () => {
    const row = featureRow({
      ...snapshot,
      stored_at: '2026-07-16T14:00:01.000Z',
      features: '{"spot":500.5,"pcr_oi":null}',
      expiries: '{"expiry":"2026-07-17"}',
    })
    expect(parse(row)).toMatchObject({
      ticker: 'BRK.B',
      features: { spot: 500.5, pcr_oi: null, expiries: [{ expiry: '2026-07-17' }] },
      created_at: '2026-07-16T14:00:01.000Z',
      scan_id: 'scan1',
    })
  })

  it('has a scan under the agreed names', () => {
    const row = scanRow({
      scan_id: 'scan1',
      provider: 'cboe',
      status: 'completed',
      started_at: '2026-07-16T14:00:00.000Z',
      finished_at: null,
      planned: 3,
      delivered: 2,
      repeated: 0,
      refused: 1,
      contracts: 500,
      rejects_by_reason: {},
      refusals_by_reason: { timeout: 1 },
      alerts: 4,
    })
    expect(parse(row)).toMatchObject({
      id: 'scan1',
      created_at: '2026-07-16T14:00:00.000Z',
      status: 'completed',
      tickers_scanned: 2,
      alerts_generated: 4,
    })
  })
})

describe('chains are read in batches', () => {
  it('of bounded contracts and bounded number, in order, none left out', () => {
    const sizes = [...Array.from({ length: 200 }, () => 250), 50_000, 1, 0]
    const snapshots = sizes.map((n_quotes, index) => ({ ...snapshot, snapshot_id: `s${index}`, n_quotes }))
    const batches = batchesOf(snapshots)
    expect(batches.flat()).toEqual(snapshots)
    for (const batch of batches) {
      expect(batch.length).toBeLessThanOrEqual(64)
      const contracts = batch.reduce((sum, { n_quotes }) => sum + n_quotes, 0)
      expect(batch.length === 1 || contracts <= 20_000).toBe(true)
    }
    expect(batchesOf([])).toEqual([])
  })
})

describe('a row that cannot be said', () => {
  it('is left out, and the others are the document', () => {
    const odd = { ...alert, underlying: 'X'.repeat(250) }
    const isNamed = ({ underlying }: typeof alert): boolean => underlying.length <= 32
    const failing = (row: typeof alert): string => {
      if (row.score === 13) throw new RangeError('no such time')
      return alertRow(row)
    }
    const { count, leftOut, rows } = said([alert, odd, { ...alert, score: 13 }, alert], failing, isNamed)
    expect([count, leftOut]).toEqual([2, 2])
    expect([...(rows as Iterable<string>)]).toHaveLength(2)
  })
})
