import { createClient } from '@clickhouse/client'
import { AckPolicy, type JsMsg } from '@nats-io/jetstream'
import { processorSettings } from '../../services/processor/config.ts'
import { formatDay } from '../../shared/calendar/days.ts'
import { decodeJson, encodeJson } from '../../shared/bus/messages.ts'
import { ivCodes } from '../../shared/model/features.ts'
import type { ChainColumns, Snapshot, SnapshotMeta } from '../../shared/model/snapshot.ts'
import { black76Greeks } from '../../shared/quant/black76.ts'
import { solveImpliedVolatility } from '../../shared/quant/implied-volatility.ts'
import { optionQuotes } from '../../shared/store/tables.ts'
import { assertStored, type ContractSum } from './checksum.ts'
import { database, type Stand } from './stand.ts'

/*
 * The pipeline as it is usually written: JSON messages, JSON.parse, an object per contract, one scalar solve each, JSONEachRow.
 * It stores the same columns but does less: no forward from parity (spot carried at the rate), no features, detectors or alerts,
 * no commit rows, no order between underlyings, no protection against doubles.
 */

const stream = 'NAIVE'
const table = 'option_quotes_naive'
const batchRows = 100_000
const secondsPerYear = 31_536_000
const prices = ['bid', 'ask', 'last'] as const
const { riskFreeRate } = processorSettings.parse({})

interface NaiveContract {
  readonly root: string
  readonly expiryDay: number
  readonly expiryAtS: number
  readonly right: number
  readonly flags: number
  readonly [field: string]: number | string | null
}

interface NaiveMessage {
  readonly meta: SnapshotMeta
  readonly contracts: readonly NaiveContract[]
}

/** Publishes the snapshots as JSON on a stream of their own, then consumes them. Returns the seconds of the consuming. */
export async function runNaive(
  stand: Stand,
  snapshots: readonly Snapshot[],
  expected: ContractSum,
  signal: AbortSignal,
): Promise<number> {
  const { bus, store, clickhouse } = stand
  await bus.jsm.streams.add({ name: stream, subjects: ['naive.>'] })
  for (const { meta, columns } of snapshots) {
    signal.throwIfAborted()
    await bus.js.publish('naive.chain', encodeJson({ meta, contracts: contractsOf(columns) }))
  }
  await store.command(`CREATE TABLE ${table} AS ${optionQuotes.table}`)
  const client = createClient({
    url: clickhouse.url,
    username: clickhouse.account.user,
    password: clickhouse.account.password,
    database,
    clickhouse_settings: { date_time_input_format: 'best_effort', async_insert: 0 },
  })
  try {
    const startMs = performance.now()
    await consume(stand, snapshots.length, signal, (values) =>
      client.insert({ table, values, format: 'JSONEachRow' }).then(() => undefined),
    )
    const seconds = (performance.now() - startMs) / 1000
    await assertStored(store.query, table, expected)
    return seconds
  } finally {
    await client.close()
    await store.command(`DROP TABLE IF EXISTS ${table} SYNC`)
    await bus.jsm.streams.delete(stream)
  }
}

type Row = Readonly<Record<string, string | number | null>>

async function consume(
  { bus }: Stand,
  messages: number,
  signal: AbortSignal,
  insert: (rows: readonly Row[]) => Promise<void>,
): Promise<void> {
  await bus.jsm.consumers.add(stream, { durable_name: 'naive', ack_policy: AckPolicy.Explicit })
  const consumer = await bus.js.consumers.get(stream, 'naive')
  let rows: Row[] = []
  let unacknowledged: JsMsg[] = []
  for (let seen = 0; seen < messages;) {
    signal.throwIfAborted()
    for await (const message of await consumer.fetch({ max_messages: Math.min(16, messages - seen), expires: 5000 })) {
      seen += 1
      unacknowledged.push(message)
      rows.push(...rowsOf(decodeJson(message.data) as NaiveMessage))
      if (rows.length < batchRows && seen < messages) continue
      await insert(rows)
      for (const written of unacknowledged) written.ack()
      rows = []
      unacknowledged = []
    }
  }
}

/** Objects as a provider's JSON has them; missing is null. */
function contractsOf(columns: ChainColumns): readonly NaiveContract[] {
  const { length, roots, rootIndex, expiryDay, expiryAtS, right, flags } = columns
  const fields = Object.entries(columns).filter(
    (entry): entry is [string, Float64Array] => entry[1] instanceof Float64Array && entry[0] !== 'expiryAtS',
  )
  return Array.from({ length }, (_, i) => ({
    root: roots[rootIndex[i] ?? 0] ?? '',
    expiryDay: expiryDay[i] ?? 0,
    expiryAtS: expiryAtS[i] ?? 0,
    right: right[i] ?? 0,
    flags: flags[i] ?? 0,
    ...Object.fromEntries(fields.map(([name, values]) => [name, orNull(values[i])])),
  }))
}

const orNull = (value = NaN): number | null => (Number.isNaN(value) ? null : value)

const rowsOf = ({ meta, contracts }: NaiveMessage): readonly Row[] => contracts.map((contract) => rowOf(meta, contract))

function rowOf(meta: SnapshotMeta, contract: NaiveContract): Row {
  const { root, expiryDay, expiryAtS, right, flags } = contract
  const field = (name: string): number | null => contract[name] as number | null
  return {
    underlying: meta.underlying,
    market_time: new Date(meta.marketTimeMs).toISOString(),
    provider: meta.provider,
    snapshot_id: meta.snapshotId,
    root,
    expiry: formatDay(expiryDay),
    expiry_at: expiryAtS,
    strike: field('strike'),
    right: right === 1 ? 'C' : 'P',
    ...Object.fromEntries(prices.map((name) => [name, field(name)])),
    bid_size: field('bidSize'),
    ask_size: field('askSize'),
    last_trade_at: field('lastTradeAtS'),
    volume: field('volume'),
    open_interest: field('openInterest'),
    ...figuresOf(meta, contract),
    provider_iv: toDecimal(field('providerIv'), 5),
    provider_delta: toDecimal(field('providerDelta'), 5),
    provider_gamma: toDecimal(field('providerGamma'), 5),
    provider_theta: toDecimal(field('providerTheta'), 5),
    provider_vega: toDecimal(field('providerVega'), 5),
    provider_rho: toDecimal(field('providerRho'), 5),
    flags,
    epoch: 1,
    code_version: 'bench',
  }
}

/** IV and greeks of one contract at its mid, through the scalar functions. */
function figuresOf({ spot, marketTimeMs }: SnapshotMeta, contract: NaiveContract): Row {
  const { expiryAtS, right } = contract
  const [bid, ask, strike] = [contract['bid'], contract['ask'], contract['strike']] as (number | null)[]
  const yearsToExpiry = (expiryAtS - marketTimeMs / 1000) / secondsPerYear
  if (spot === null || !bid || !ask || strike === undefined || strike === null || !(yearsToExpiry > 0)) {
    return { iv: null, iv_code: ivCodes.no_bid, delta: null, gamma: null, theta: null, vega: null }
  }
  const discount = Math.exp(-riskFreeRate * yearsToExpiry)
  const forward = spot / discount
  const { sigma, code } = solveImpliedVolatility((bid + ask) / 2, forward, strike, yearsToExpiry, discount, right)
  const greeks = black76Greeks({ spot, forward, discount, yearsToExpiry }, strike, sigma, right)
  return {
    iv: toDecimal(sigma, 5),
    iv_code: code,
    delta: toDecimal(greeks.delta, 5),
    gamma: toDecimal(greeks.gamma, 7),
    theta: toDecimal(greeks.theta, 5),
    vega: toDecimal(greeks.vega, 5),
  }
}

/** Nine digits in all is what the columns hold. */
function toDecimal(value: number | null, digits: number): number | null {
  if (value === null || !(Math.abs(value) < 10 ** (9 - digits) - 1)) return null
  return Math.round(value * 10 ** digits) / 10 ** digits
}
