/**
 * A snapshot: one underlying's option chain from one provider at one time, as columns.
 *
 * Contracts are rows of equally long typed arrays, never objects. In every `Float64Array` here **NaN means missing**; it
 * becomes null at each boundary (wire, ClickHouse, JSON) and 0 is always a real zero.
 */
export interface ChainColumns {
  readonly length: number
  /** Roots in order of first use; `rootIndex[i]` points into it. A root is not the underlying: SPXW lies under SPX. */
  readonly roots: readonly string[]
  readonly rootIndex: Int16Array
  /** Civil date of expiry in the exchange's zone, days since 1970-01-01. */
  readonly expiryDay: Int32Array
  /** Instant of expiry, epoch seconds UTC. */
  readonly expiryAtS: Float64Array
  readonly strike: Float64Array
  /** 1 call, 2 put (the Enum8 of ClickHouse). */
  readonly right: Int8Array
  readonly bid: Float64Array
  readonly ask: Float64Array
  /** Contracts. */
  readonly bidSize: Float64Array
  readonly askSize: Float64Array
  readonly last: Float64Array
  /** Epoch seconds UTC. */
  readonly lastTradeAtS: Float64Array
  /** Contracts traded in the session so far. */
  readonly volume: Float64Array
  /** Contracts. */
  readonly openInterest: Float64Array
  /** The provider's own figures, never mixed with ours. IV as a fraction per sqrt(year). */
  readonly providerIv: Float64Array
  readonly providerDelta: Float64Array
  readonly providerGamma: Float64Array
  /** Per calendar day. */
  readonly providerTheta: Float64Array
  /** Per vol point. */
  readonly providerVega: Float64Array
  /** Per 1 % of rate. */
  readonly providerRho: Float64Array
  /** Bits of `contractFlags`. */
  readonly flags: Uint16Array
}

export const rights = { call: 1, put: 2 } as const

/** Bits in `ChainColumns.flags`. */
export const contractFlags = {
  /** Expired at market time: stored, part of no feature. */
  expired: 1,
  /** Bid above ask: stored, part of no mid. */
  crossed: 2,
  /** Deliverable changed by a corporate action (SDS1, AAPL1): stored, part of no feature. */
  adjusted: 4,
  /** Bid equal to ask. */
  locked: 8,
  /** An ask and no bid, or a bid and no ask. */
  one_sided: 16,
  /** Neither bid nor ask. */
  unquoted: 32,
  /** Volume of a session before this one, carried along by the provider: part of no sum. */
  stale_volume: 64,
} as const

/** What a provider's time means: of the market, of a file it serves, or merely of our fetch. */
export type TimeKind = 'market' | 'file' | 'fetch'

/** Everything about a snapshot that is said once and not per contract. Times are epoch milliseconds UTC. */
export interface SnapshotMeta {
  /** UUID from `snapshotId()`; also the message id on the bus. */
  readonly snapshotId: string
  readonly scanId: string
  readonly provider: string
  /** Canonical ticker: `SPX`, `BRK.B`. */
  readonly underlying: string
  /** Null when the provider gave none: quotes are stored, nothing is computed. */
  readonly spot: number | null
  readonly timeKind: TimeKind
  readonly providerTimeMs: number
  /** The provider's stated delay. */
  readonly delayMs: number
  /** `providerTimeMs - delayMs`. */
  readonly marketTimeMs: number
  readonly receivedAtMs: number
  /** Trading date of `marketTimeMs` in the exchange's zone, YYYY-MM-DD. */
  readonly sessionDate: string
  readonly exchangeZone: string
  /** 32 hex digits over the provider's own columns, before normalisation. */
  readonly contentHash: string
  /** Units of the underlying a contract stands for. */
  readonly multiplier: number
  /** Contracts the provider listed, rejected ones included. */
  readonly listed: number
  readonly rejects: readonly QuoteReject[]
  /** The slot it was fetched for. Absent outside sessions and where no plan says when a chain is due, as in a recording. */
  readonly slot?: SnapshotSlot | undefined
}

/** An expected (underlying, interval): where a snapshot stands in the plan that it came by. */
export interface SnapshotSlot {
  /** Epoch ms, on the provider's clock less its delay. */
  readonly atMs: number
  readonly intervalMs: number
  /** Slots since the last snapshot of this chain in which the provider still had that one: fetched, and not published again. */
  readonly unchangedBefore: number
}

/** Why a contract row was refused. */
export const rejectReasons = [
  'bad_symbol',
  'expiry_mismatch',
  'strike_mismatch',
  'right_mismatch',
  'duplicate_contract',
  'not_finite',
  'negative_price',
  'precision',
] as const
export type RejectReason = (typeof rejectReasons)[number]

/** Rejects that travel with a snapshot; more are only counted, or a broken chain would make a message of nothing else. */
export const maxKeptRejects = 200

export interface QuoteReject {
  readonly symbol: string
  readonly reason: RejectReason
  /** What was seen, for a person; at most 200 characters. */
  readonly detail: string
}

export interface Snapshot {
  readonly meta: SnapshotMeta
  readonly columns: ChainColumns
}

/** Why a whole fetch produced no snapshot. Closed set: it is a metric label. */
export const refusalReasons = [
  'malformed',
  'not_json',
  'truncated',
  'schema',
  'empty_chain',
  'all_rejected',
  'too_large',
  'no_time',
  'future_time',
  'throttled',
  'unauthorized',
  'not_found',
  'unreachable',
  'timeout',
] as const
export type RefusalReason = (typeof refusalReasons)[number]
