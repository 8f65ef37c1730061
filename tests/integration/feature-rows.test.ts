import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { computeChain } from '../../services/processor/features/compute-chain.ts'
import { byName } from '../../services/processor/features/stored-scale.ts'
import { appendChain, appendExpiries, appendQuotes, type Writer } from '../../services/processor/rows.ts'
import { chainFeatureSpecs, expiryFeatureSpecs, type FeatureSpec } from '../../shared/model/feature-registry.ts'
import { openStore, type Store } from '../../shared/store/connect.ts'
import { migrate } from '../../shared/store/migrate.ts'
import { insertStatement, TableBuffer } from '../../shared/store/table-buffer.ts'
import { chainFeatures, expiryFeatures, optionQuotes } from '../../shared/store/tables.ts'
import type { ExpiryFeatures } from '../../shared/model/features.ts'
import { chainOf, type ContractInput } from '../fixtures/quant/chain-builder.ts'
import { flatParams } from '../fixtures/quant/parameters.ts'
import { marketTimeMs, near, smile } from '../fixtures/quant/smile-chain.ts'
import { startClickHouse, type TestClickHouse } from '../support/clickhouse.ts'

const params = flatParams(0.037)
const writer: Writer = { epoch: 1, codeVersion: 'test', parameters: params }
const standing = { late: false, contentUnchanged: false, mayBeStored: false }

type Row = Readonly<Record<string, unknown>>

const expiryFiguresOf = (expiry: ExpiryFeatures | undefined) =>
  byName(expiryFeatureSpecs, expiry?.figures ?? new Float64Array())

describe('rows of features', () => {
  let clickhouse: TestClickHouse
  let store: Store
  beforeAll(async () => {
    clickhouse = await startClickHouse()
    {
      await using server = openStore({ ...clickhouse.account, database: 'default' })
      await server.command('CREATE DATABASE strikeflow')
    }
    store = openStore({ ...clickhouse.account, database: 'strikeflow' })
    await migrate(store)
  })
  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    await clickhouse[Symbol.asyncDispose]()
  })

  /** Stores a chain and reads its rows back, oldest columns and newest. */
  async function stored(contracts: readonly ContractInput[], id: string) {
    const snapshot = chainOf(contracts, { marketTimeMs, snapshotId: id })
    const computed = computeChain(snapshot, params)
    const quotes = new TableBuffer(optionQuotes)
    const expiries = new TableBuffer(expiryFeatures)
    const chains = new TableBuffer(chainFeatures)
    appendQuotes(quotes, snapshot, computed.contracts, writer)
    appendExpiries(expiries, snapshot.meta, computed.expiries, writer)
    if (computed.chain !== null) appendChain(chains, snapshot.meta, computed.chain, standing, writer)
    for (const buffer of [quotes, expiries, chains]) {
      if (buffer.length > 0) await store.insert(insertStatement(buffer.shape), buffer.encode())
    }
    const read = (table: string, order: string) =>
      store.query.rows<Row>(`SELECT * FROM ${table} WHERE snapshot_id = {id:UUID} ORDER BY ${order}`, { id })
    return {
      computed,
      quotes: await read('option_quotes_v1', 'root, expiry, strike, right'),
      expiries: await read('expiry_features_v1', 'root, expiry'),
      chains: await read('chain_features_v1', 'market_time'),
    }
  }

  /** What a row should say by the registry's columns, null where a figure is missing. */
  const expected = (figures: object, specs: Readonly<Record<string, FeatureSpec>>) =>
    Object.fromEntries(
      Object.entries(specs).map(([name, { column }]) => [column, (figures as Record<string, number | null>)[name]]),
    )
  const figuresOf = (row: Row | undefined, specs: Readonly<Record<string, FeatureSpec>>) =>
    Object.fromEntries(
      Object.values(specs).map(({ column }) => {
        const value = row?.[column]
        return [column, value === null || value === undefined ? value : Number(value)]
      }),
    )

  it('hold every figure of the registry as it was computed', async () => {
    const contracts = [
      ...smile({ expiry: '2026-06-22', strikes: near, sigma: 0.3 }),
      ...smile({ expiry: '2026-07-17', strikes: near, sigma: 0.21 }),
      ...smile({ expiry: '2026-08-21', strikes: near, sigma: 0.25, forward: 100.7 }),
    ]
    const { computed, expiries, chains } = await stored(contracts, '00000000-0000-8000-8000-000000000001')
    expect(chains).toHaveLength(1)
    expect(figuresOf(chains[0], chainFeatureSpecs)).toEqual(expected(computed.chain ?? {}, chainFeatureSpecs))
    expect(expiries).toHaveLength(3)
    for (const [i, row] of expiries.entries())
      expect(figuresOf(row, expiryFeatureSpecs)).toEqual(
        expected(expiryFiguresOf(computed.expiries[i]), expiryFeatureSpecs),
      )
    const { byStrike } = computed.chain ?? {}
    expect(chains[0]?.['exposure_strikes']).toEqual([...(byStrike?.strike ?? [])])
    expect(chains[0]?.['gex_by_strike']).toEqual([...(byStrike?.gexUsd1pct ?? [])])
    expect(chains[0]).toMatchObject({
      iv_method: 'european_otm',
      time_convention: 'calendar/365',
      curve_source: 'flat',
    })
  })

  it('say null, not 0, where a figure has no input, findings included', async () => {
    const unquoted: ContractInput = { root: 'XYZ', expiry: '2026-07-17', strike: 100, right: 'C' }
    const { computed, expiries, chains } = await stored([unquoted], '00000000-0000-8000-8000-000000000002')
    expect(figuresOf(chains[0], chainFeatureSpecs)).toEqual(expected(computed.chain ?? {}, chainFeatureSpecs))
    expect(figuresOf(expiries[0], expiryFeatureSpecs)).toEqual(
      expected(expiryFiguresOf(computed.expiries[0]), expiryFeatureSpecs),
    )
    for (const column of ['vertical_arbitrage', 'parity_arbitrage', 'calendar_arbitrage', 'negative_forward_variance'])
      expect(chains[0]?.[column]).toBeNull()
    expect(chains[0]).toMatchObject({ call_volume: null, gex_usd_1pct: null, exposure_n_used: 0 })
  })

  it('have what a contract loses until expiry beside its theta, on its last day only', async () => {
    const contracts = [
      ...smile({ expiry: '2026-06-22', strikes: [100], sigma: 0.3 }),
      ...smile({ expiry: '2026-07-17', strikes: near, sigma: 0.21 }),
    ]
    // The forward of the last day is that of its neighbour's carry: one strike has no parity.
    const { quotes } = await stored(contracts, '00000000-0000-8000-8000-000000000003')
    const [call, put, ...later] = quotes
    for (const row of [call, put]) {
      const loss = Number(row?.['theta_to_expiry'])
      expect(loss).toBeLessThan(0)
      // Five hours of a day: less is left to lose than a theta per day promises.
      expect(Number(row?.['theta'])).toBeLessThan(loss)
    }
    expect(later.every((row) => row['theta_to_expiry'] === null)).toBe(true)
  })
})
