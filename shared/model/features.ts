/**
 * What is computed from one snapshot. Arrays run parallel to the snapshot's columns; NaN means missing there and becomes
 * null in rows. Scalar figures use null for missing.
 */
export interface ComputedChain {
  readonly contracts: ContractFigures
  readonly expiries: readonly ExpiryFeatures[]
  /** Null when nothing can be said of the chain (no spot). */
  readonly chain: ChainFeatures | null
}

export interface ContractFigures {
  /** Fraction per sqrt(year); from the out-of-the-money leg of the strike. */
  readonly iv: Float64Array
  /** `ivCodes` below. */
  readonly ivCode: Uint8Array
  readonly delta: Float64Array
  readonly gamma: Float64Array
  /** Per calendar day, forward held fixed. */
  readonly theta: Float64Array
  /** Per vol point. */
  readonly vega: Float64Array
}

/** Result of one implied-volatility solve, the Enum8 `iv_code` of `option_quotes_v1`. */
export const ivCodes = {
  ok: 0,
  below_intrinsic: 1,
  above_bound: 2,
  no_bid: 3,
  crossed: 4,
  expired: 5,
  below_time_floor: 6,
  no_forward: 7,
  /** In the money: the figure is the out-of-the-money twin's. */
  itm_twin: 8,
  adjusted: 9,
} as const

/** Sums and positioning over the contracts of one expiry, or of all unexpired ones pooled. */
export interface Positioning {
  readonly callVolume: number
  readonly putVolume: number
  readonly callOpenInterest: number
  readonly putOpenInterest: number
  readonly pcrVolume: number | null
  readonly pcrOi: number | null
  readonly maxPain: number | null
  /** Dollars of dealer delta per 1 % move, calls plus, puts minus. */
  readonly gexUsd1pct: number | null
}

export interface ExpiryFeatures extends Positioning {
  readonly root: string
  /** Days since 1970-01-01. */
  readonly expiryDay: number
  readonly expiryAtS: number
  readonly yearsToExpiry: number
  readonly nContracts: number
  /** Strikes with an IV, which is the out-of-the-money leg's. */
  readonly nUsed: number
  readonly forward: number | null
  readonly forwardSource: 'parity' | 'carry' | 'none'
  readonly atmIv: number | null
  /** Mid of the straddle nearest the forward, within 5 % of it. */
  readonly straddle: number | null
  /** Forward x ATM IV x sqrt(T): one sigma to expiry, in price. */
  readonly expectedMove: number | null
  /** 0..100. */
  readonly quality: number
}

export interface ChainFeatures extends Positioning {
  readonly nContracts: number
  readonly nExpired: number
  readonly nUsed: number
  /** ATM IV at 30 days, linear in total variance between expiries; flat within 20 % of 30 days, never extrapolated. */
  readonly atmIv30d: number | null
  /** ATM IV of the nearest expiry at least one day away that has one. */
  readonly atmIvFront: number | null
  /** One sigma to that same expiry, in price. */
  readonly expectedMove: number | null
  readonly quality: number
}
