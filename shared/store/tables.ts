import type { TableShape } from './table-buffer.ts'

/** The first columns of every table keyed by snapshot. */
const key = { underlying: 'text', market_time: 'millisecond', provider: 'text', snapshot_id: 'uuid' } as const
/** Who wrote a row. */
const writer = { epoch: 'count', code_version: 'text' } as const
/** Sums over the contracts of an expiry or a chain. */
const sums = {
  call_volume: 'float',
  put_volume: 'float',
  call_open_interest: 'float',
  put_open_interest: 'float',
  pcr_volume: 'float',
  pcr_oi: 'float',
  max_pain: 'float',
  gex_usd_1pct: 'float',
} as const

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
    years_to_expiry: 'float',
    n_contracts: 'count',
    n_used: 'count',
    forward: 'float',
    forward_source: 'text',
    atm_iv: 'float',
    straddle: 'float',
    expected_move: 'float',
    ...sums,
    quality: 'float',
    ...writer,
  },
} as const satisfies TableShape

export const chainFeatures = {
  table: 'chain_features_v1',
  columns: {
    ...key,
    scan_id: 'text',
    session_date: 'day',
    spot: 'float',
    n_contracts: 'count',
    n_expired: 'count',
    n_used: 'count',
    atm_iv_30d: 'float',
    atm_iv_front: 'float',
    expected_move: 'float',
    ...sums,
    content_unchanged: 'bool',
    late: 'bool',
    quality: 'float',
    risk_free_rate: 'float',
    ...writer,
  },
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
    ...writer,
  },
} as const satisfies TableShape
