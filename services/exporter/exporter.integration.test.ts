import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ExportName } from '../../shared/model/export-layout.ts'
import { createLogger } from '../../shared/runtime/logger.ts'
import { createRegistry } from '../../shared/runtime/metrics.ts'
import { openStore, type Store } from '../../shared/store/connect.ts'
import { migrate } from '../../shared/store/migrate.ts'
import { startClickHouse, type TestClickHouse } from '../../tests/support/clickhouse.ts'
import { exporterSettings } from './config.ts'
import { createExporter, type Exporter } from './exporter.ts'
import { createMetrics } from './metrics.ts'

const timeMs = Date.parse('2026-07-16T20:00:00.000Z')
const log = createLogger({ service: 'exporter', level: 'silent' })
const id = (number: number): string => `00000000-0000-8000-8000-${String(number).padStart(12, '0')}`
const tables = ['option_quotes_v1', 'expiry_features_v1', 'chain_features_v1', 'alerts_v1', 'snapshots_v1', 'scans_v1']

let clickhouse: TestClickHouse
let store: Store
let directory: string
let elapsedMs: number
let exporter: Exporter
let registry: ReturnType<typeof createRegistry>

beforeAll(async () => {
  clickhouse = await startClickHouse()
  await using server = openStore({ ...clickhouse.account, database: 'default' })
  await server.command('CREATE DATABASE IF NOT EXISTS strikeflow')
  store = openStore({ ...clickhouse.account, database: 'strikeflow' })
  await migrate(store)
})
afterAll(async () => {
  await store[Symbol.asyncDispose]()
  await clickhouse[Symbol.asyncDispose]()
  // Started a second time on it, it is no longer the fixture's own to remove.
  await rm(clickhouse.dataDir, { recursive: true, force: true })
})

beforeEach(async () => {
  for (const table of tables) await store.command(`TRUNCATE TABLE ${table}`)
  directory = await mkdtemp(join(tmpdir(), 'strikeflow-exports-'))
  elapsedMs = 0
  registry = createRegistry('exporter')
  exporter = createExporter({
    query: store.query,
    settings: exporterSettings.parse({ directory, retryMs: '50', pollMs: '50' }),
    clock: () => timeMs + elapsedMs,
    elapsed: () => elapsedMs,
    log,
    metrics: createMetrics(registry),
  })
})
afterEach(() => rm(directory, { recursive: true, force: true }))

type Row = Record<string, unknown>

async function insert(table: string, ...rows: readonly Row[]): Promise<void> {
  const body = Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'))
  await store.insert(`INSERT INTO ${table} FORMAT JSONEachRow`, [body])
}

async function document(name: ExportName): Promise<Row[]> {
  const whole = JSON.parse(await readFile(join(directory, `${name}.json`), 'utf8')) as Row
  const rows = whole[name] as Row[]
  expect(whole[`${name}_count`]).toBe(rows.length)
  expect(whole['export_timestamp']).toBe(new Date(timeMs + elapsedMs).toISOString())
  return rows
}

const spy = { underlying: 'SPY', provider: 'cboe', market_time: '2026-07-16 14:00:00.000', epoch: 1 }
const committed = (snapshot: number, row: Row): Row => ({
  incarnation: 'i',
  partition: 1,
  stream_seq: snapshot,
  outcome: 'stored',
  snapshot_id: id(snapshot),
  scan_id: 'scan1',
  n_chains: 1,
  ...row,
})
const quote = (snapshot: number, row: Row): Row => ({
  ...spy,
  snapshot_id: id(snapshot),
  root: 'SPY',
  expiry: '2026-07-17',
  strike: '500',
  right: 'C',
  bid: '4.35',
  ask: '4.4',
  code_version: 'v',
  ...row,
})
const alertRow = (alert: number, snapshot: number, row: Row = {}): Row => ({
  ...spy,
  alert_id: id(900 + alert),
  snapshot_id: id(snapshot),
  scan_id: 'scan1',
  detector: 'volume_spike',
  severity: 'warning',
  score: 80,
  message: 'volume',
  evidence: '{"ratio":9.5}',
  inputs: [id(snapshot)],
  ...row,
})

describe('an empty database', () => {
  it('gives valid empty documents and an archive of them', async () => {
    expect(await exporter.step()).toEqual(['alerts', 'scans', 'features', 'chains'])
    for (const name of ['alerts', 'scans', 'features', 'chains'] as const) expect(await document(name)).toEqual([])
    expect((await readdir(join(directory, 'archive'))).toSorted()).toEqual(
      ['alerts', 'chains', 'features', 'scans'].map((name) => `${name}_20260716_200000.json`),
    )
    expect(exporter.reasonsNotReady()).toEqual([])
  })
})

describe('the chains document', () => {
  it('has the newest committed snapshot of every underlying and each contract once, of the highest epoch', async () => {
    const later = { market_time: '2026-07-16 14:01:00.000' }
    const latest = { market_time: '2026-07-16 14:09:00.000' }
    await insert(
      'snapshots_v1',
      committed(1, spy),
      committed(2, { ...spy, ...later, n_quotes: 3 }),
      committed(2, { ...spy, ...later, n_quotes: 3, epoch: 2 }),
      committed(4, { ...spy, ...latest, outcome: 'dead-lettered' }),
      committed(5, { ...spy, underlying: 'CPRX', n_chains: 0 }),
    )
    await insert('option_quotes_v1', quote(1, {}))
    await insert(
      'option_quotes_v1',
      quote(2, { ...later, strike: '505', bid: '9.99' }),
      quote(2, { ...later, strike: '500', bid: null, iv: 0.2, gamma: '0.0000001', volume: 0 }),
      quote(2, { ...later, right: 'P', flags: 1 }),
    )
    await insert('option_quotes_v1', quote(2, { ...later, strike: '505', bid: '4.35', epoch: 2 }))
    await insert('option_quotes_v1', quote(3, latest), quote(4, latest), quote(5, { underlying: 'CPRX', root: 'CPRX' }))
    await insert('chain_features_v1', { ...spy, ...later, snapshot_id: id(2), spot: 501.25 })
    await insert('chain_features_v1', { ...spy, ...latest, snapshot_id: id(3), spot: 999 })

    await exporter.step()
    const [cprx, spyChain, ...more] = await document('chains')
    expect(more).toEqual([])
    expect(cprx).toMatchObject({ ticker: 'CPRX', underlying_price: null, puts: [] })
    expect(cprx?.['calls']).toHaveLength(1)
    expect(spyChain).toMatchObject({
      ticker: 'SPY',
      timestamp: '2026-07-16T14:01:00.000Z',
      underlying_price: 501.25,
      snapshot_id: id(2),
      scan_id: 'scan1',
      provider: 'cboe',
    })
    const sizes = { bid_size: null, ask_size: null }
    const missing = { bid: null, last: null, open_interest: null, delta: null, theta: null, vega: null, ...sizes }
    expect(spyChain?.['calls']).toEqual([
      {
        ...missing,
        expiry: '2026-07-17',
        strike: 500,
        ask: 4.4,
        volume: 0,
        iv: 0.2,
        gamma: 1e-7,
        root: 'SPY',
        flags: 0,
      },
      expect.objectContaining({ strike: 505, bid: 4.35, volume: null, iv: null, gamma: null }),
    ])
    expect(spyChain?.['puts']).toEqual([expect.objectContaining({ strike: 500, flags: 1 })])
  })

  it('has every underlying when there are more than one query asks for', async () => {
    const tickers = Array.from({ length: 150 }, (_, index) => `T${String(index).padStart(3, '0')}`)
    await insert('snapshots_v1', ...tickers.map((underlying, index) => committed(index, { ...spy, underlying })))
    await insert('option_quotes_v1', ...tickers.map((underlying, index) => quote(index, { underlying, strike: index })))
    await exporter.step()
    const chains = await document('chains')
    expect(chains.map(({ ticker }) => ticker)).toEqual(tickers)
    expect(chains.map(({ calls }) => (calls as Row[])[0]?.['strike'])).toEqual(tickers.map((_, index) => index))
  })
})

describe('the features document', () => {
  it('has the newest snapshot with features, its expiries in order, missing as null', async () => {
    const later = { market_time: '2026-07-16 14:01:00.000' }
    await insert('snapshots_v1', committed(1, spy), committed(2, { ...spy, ...later, n_chains: 0 }))
    const features = { ...spy, snapshot_id: id(1), scan_id: 'scan1', session_date: '2026-07-16', spot: 500 }
    await insert('chain_features_v1', { ...features, call_volume: 5, pcr_oi: null })
    await insert('chain_features_v1', { ...features, epoch: 2, call_volume: 7, pcr_oi: 0.75 })
    const expiry = { ...spy, snapshot_id: id(1), root: 'SPY', n_contracts: 2 }
    await insert('expiry_features_v1', { ...expiry, expiry: '2026-07-24' }, { ...expiry, expiry: '2026-07-17' })
    await exporter.step()
    const rows = await document('features')
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatchObject({
      ticker: 'SPY',
      scan_id: 'scan1',
      market_time: '2026-07-16T14:00:00.000Z',
      features: {
        spot: 500,
        call_volume: 7,
        pcr_oi: 0.75,
        atm_iv_30d: null,
        expiries: [
          { expiry: '2026-07-17', atm_iv: null },
          { expiry: '2026-07-24', atm_iv: null },
        ],
      },
    })
    expect(Date.parse(String(rows[0]?.['created_at']))).not.toBeNaN()
  })
})

describe('the alerts and scans documents', () => {
  it('have committed alerts once each, newest first, and count them by scan', async () => {
    const later = { market_time: '2026-07-16 14:01:00.000' }
    await insert('snapshots_v1', committed(1, { ...spy, n_alerts: 2 }), committed(2, { ...spy, ...later, n_alerts: 1 }))
    await insert('alerts_v1', alertRow(1, 1), alertRow(2, 1, { score: 90 }), alertRow(3, 2, later))
    await insert('alerts_v1', alertRow(1, 1, { epoch: 2 }), alertRow(4, 3, later))
    const scan = { provider: 'cboe', started_at: '2026-07-16 14:00:00.000', planned: 2, delivered: 2 }
    await insert('scans_v1', { ...scan, scan_id: 'scan1', status: 'running', version: 1 })
    await insert('scans_v1', {
      ...scan,
      scan_id: 'scan1',
      status: 'completed',
      version: 2,
      refusals_by_reason: { timeout: 1 },
    })
    await insert('scans_v1', {
      ...scan,
      scan_id: 'scan2',
      status: 'running',
      version: 3,
      started_at: '2026-07-16 14:05:00',
    })
    await exporter.step()
    const alerts = await document('alerts')
    expect(alerts.map((alert) => alert['id'])).toEqual([id(903), id(902), id(901)])
    expect(alerts[0]).toMatchObject({
      scan_id: 'scan1',
      ticker: 'SPY',
      detector_name: 'volume_spike',
      score: 80,
      alert_data: { evidence: { ratio: 9.5 }, severity: 'warning', replayed: false },
      market_time: '2026-07-16T14:01:00.000Z',
    })
    expect(await document('scans')).toMatchObject([
      { id: 'scan2', status: 'running', alerts_generated: 0, finished_at: null },
      { id: 'scan1', status: 'completed', tickers_scanned: 2, alerts_generated: 3, refusals_by_reason: { timeout: 1 } },
    ])
  })
})

describe('the exporter', () => {
  it('writes alerts at the next look after their snapshot is committed, not before', async () => {
    await exporter.step()
    expect(await exporter.step()).toEqual([])
    await insert('alerts_v1', alertRow(1, 1))
    expect(await exporter.step()).toEqual([])
    await insert('snapshots_v1', committed(1, { ...spy, n_alerts: 1 }))
    elapsedMs += 1000
    expect(await exporter.step()).toEqual(['alerts', 'scans'])
    expect(await document('alerts')).toHaveLength(1)
  })

  it('writes chains and features once a scan has ended and commits have come to rest', async () => {
    await exporter.step()
    await insert('scans_v1', { scan_id: 's', status: 'running', version: 1 })
    expect(await exporter.step()).toEqual(['alerts', 'scans'])
    await insert('scans_v1', { scan_id: 's', status: 'completed', version: 2 })
    await insert('snapshots_v1', committed(1, spy))
    expect(await exporter.step()).toEqual(['alerts', 'scans'])
    expect(await exporter.step()).toEqual(['features', 'chains'])
  })

  it('writes everything after the interval though nothing happened', async () => {
    await exporter.step()
    elapsedMs = 300_000
    expect(await exporter.step()).toHaveLength(4)
    expect(await readdir(join(directory, 'archive'))).toHaveLength(8)
  })

  it('keeps the old documents while the store is away and goes on when it is back', async () => {
    await exporter.step()
    const before = await readFile(join(directory, 'alerts.json'), 'utf8')
    const stop = new AbortController()
    const running = exporter.run(stop.signal)
    const { dataDir, url } = clickhouse
    await clickhouse.kill9()
    await expect.poll(async () => registry.metrics()).toMatch(/strikeflow_exporter_store_errors_total\S* [1-9]/)
    expect(await readFile(join(directory, 'alerts.json'), 'utf8')).toBe(before)
    clickhouse = await startClickHouse({ dataDir, port: Number(new URL(url).port) })
    await insert('alerts_v1', alertRow(1, 1))
    await insert('snapshots_v1', committed(1, { ...spy, n_alerts: 1 }))
    await expect.poll(async () => document('alerts'), { timeout: 20_000 }).toHaveLength(1)
    stop.abort()
    await running
  })

  it('sweeps what a killed exporter left behind when it starts', async () => {
    await writeFile(join(directory, '.chains.json.6b8b4567-327b-43c6-b43c-986966334873.tmp'), 'torn')
    const stop = new AbortController()
    const running = exporter.run(stop.signal)
    await expect.poll(() => readdir(directory)).toContain('chains.json')
    stop.abort()
    await running
    expect((await readdir(directory)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})
