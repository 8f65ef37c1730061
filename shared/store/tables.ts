import { chainFeatureSpecs, expiryFeatureSpecs, type FeatureSpec } from '../model/feature-registry.ts'
import type { TableShape } from './table-buffer.ts'

/** The first columns of every table keyed by snapshot. */
const key = { underlying: 'name', market_time: 'millisecond', provider: 'name', snapshot_id: 'id' } as const
/** Who wrote a row. */
const writer = { epoch: 'count', code_version: 'name' } as const

/** A column for every feature of a registry, by the names it gives. */
const featureColumns = (specs: Readonly<Record<string, FeatureSpec>>): Readonly<Record<string, 'count' | 'float'>> =>
  Object.fromEntries(Object.values(specs).map(({ column, kind }) => [column, kind]))

export const optionQuotes = {
  table: 'option_quotes_v1',
  columns: {
    ...key,
    root: 'text',
    expiry: 'day',
    expiry_at: 'second',
    strike: 'price',
    right: 'enum',
    bid: 'price',
    ask: 'price',
    bid_size: 'count',
    ask_size: 'count',
    last: 'price',
    last_trade_at: 'second',
    volume: 'count',
    open_interest: 'count',
    iv: 'ratio',
    iv_code: 'enum',
    delta: 'ratio',
    gamma: 'tiny',
    theta: 'ratio',
    vega: 'ratio',
    iv_bias_vp: 'points',
    theta_to_expiry: 'ratio',
    provider_iv: 'figure',
    provider_delta: 'figure',
    provider_gamma: 'figure',
    provider_theta: 'figure',
    provider_vega: 'figure',
    provider_rho: 'figure',
    flags: 'bits',
    ...writer,
  },
} as const satisfies TableShape

export const expiryFeatures = {
  table: 'expiry_features_v1',
  columns: {
    ...key,
    root: 'text',
    expiry: 'day',
    expiry_at: 'second',
    exercise_style: 'text',
    forward_source: 'text',
    ...writer,
  },
  figures: featureColumns(expiryFeatureSpecs),
} as const satisfies TableShape

export const chainFeatures = {
  table: 'chain_features_v1',
  columns: {
    ...key,
    scan_id: 'text',
    session_date: 'day',
    spot: 'float',
    content_unchanged: 'bool',
    late: 'bool',
    exposure_strikes: 'floats',
    gex_by_strike: 'floats',
    dex_by_strike: 'floats',
    vex_by_strike: 'floats',
    cex_by_strike: 'floats',
    risk_free_rate: 'float',
    curve_source: 'text',
    curve_date: 'text',
    time_convention: 'text',
    iv_method: 'text',
    exposure_convention: 'text',
    ...writer,
  },
  figures: featureColumns(chainFeatureSpecs),
} as const satisfies TableShape

export const quoteRejects = {
  table: 'quote_rejects_v1',
  columns: { ...key, ordinal: 'count', symbol: 'text', reason: 'text', detail: 'text', ...writer },
} as const satisfies TableShape

export const alertRows = {
  table: 'alerts_v1',
  columns: {
    underlying: 'text',
    market_time: 'millisecond',
    alert_id: 'uuid',
    snapshot_id: 'uuid',
    scan_id: 'text',
    provider: 'text',
    detector: 'text',
    detector_version: 'count',
    parameters_hash: 'text',
    severity: 'enum',
    score: 'float',
    message: 'text',
    evidence: 'text',
    inputs: 'uuids',
    quality: 'float',
    contract_completeness: 'float',
    slot_completeness: 'float',
    staleness_s: 'float',
    replayed: 'bool',
    ...writer,
  },
} as const satisfies TableShape

export const detectorStates = {
  table: 'detector_states_v1',
  columns: { ...key, state: 'text', ...writer },
} as const satisfies TableShape

/** The commit log: written last. */
export const commitRows = {
  table: 'snapshots_v1',
  columns: {
    incarnation: 'text',
    partition: 'count',
    stream_seq: 'sequence',
    previous_seq: 'sequence',
    message_id: 'text',
    outcome: 'enum',
    reason: 'text',
    snapshot_id: 'uuid',
    content_hash: 'text',
    provider: 'text',
    underlying: 'text',
    scan_id: 'text',
    market_time: 'millisecond',
    received_at: 'millisecond',
    published_at: 'millisecond',
    content_unchanged: 'bool',
    late: 'bool',
    n_quotes: 'count',
    n_expiries: 'count',
    n_chains: 'count',
    n_alerts: 'count',
    n_rejects: 'count',
    publisher: 'text',
    publisher_seq: 'sequence',
    exchange_zone: 'text',
    slot_at: 'millisecond',
    slot_interval_ms: 'count',
    slot_lag_ms: 'sequence',
    ...writer,
  },
} as const satisfies TableShape

/** The gap ledger. */
export const gapRows = {
  table: 'gaps_v1',
  columns: {
    provider: 'text',
    underlying: 'text',
    slot: 'millisecond',
    session_date: 'day',
    interval_ms: 'count',
    state: 'enum',
    reason: 'text',
    detail: 'text',
    coverage: 'enum',
    stream_seq: 'sequence',
    rank: 'count',
  },
} as const satisfies TableShape
