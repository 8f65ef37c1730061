import type { ChainFeatureName } from './feature-registry.ts'

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
  /** What is lost until expiry with forward and volatility held fixed; only with less than a day left. */
  readonly thetaToExpiry: Float64Array
  /** Vol points the IV lies too high by treating an American option as European; 0 for European roots. */
  readonly ivBiasVp: Float64Array
  /** The snapshot's own flags with those of the quote's state. */
  readonly flags: Uint16Array
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

/** What stands for an expiry's forward: its own put-call parity, or a carry over spot taken from somewhere else. */
export const forwardSources = ['parity', 'previous_carry', 'neighbour_carry', 'spot_carry', 'none'] as const
export type ForwardSource = (typeof forwardSources)[number]

/** How volatilities are solved: every option as European from its out-of-the-money leg, or with early exercise where the root has it. */
export const ivMethods = ['european_otm', 'american'] as const
export type IvMethod = (typeof ivMethods)[number]

/** How time to expiry is counted: seconds from market time to the instant of expiry / 31,536,000. */
export const timeConvention = 'calendar/365'

export type ExerciseStyle = 'european' | 'american'

/** One expiry of a chain. */
export interface ExpiryFeatures {
  readonly root: string
  /** Days since 1970-01-01. */
  readonly expiryDay: number
  readonly expiryAtS: number
  readonly exerciseStyle: ExerciseStyle
  readonly forwardSource: ForwardSource
  /**
   * In the order of `expiryFeatureSpecs`, at their stored scale; NaN where their minimum is not met. An object of so many names
   * for every expiry would cost as much as its volatilities.
   */
  readonly figures: Float64Array
}

/** Figures of a whole chain by the registry's names, at their stored scale; null where their minimum is not met. */
export interface ChainFeatures extends Readonly<Record<ChainFeatureName, number | null>> {
  readonly byStrike: StrikeExposures
}

/** Exposures by strike, all unexpired expiries pooled: parallel arrays, ascending by strike. Units as the totals'. */
export interface StrikeExposures {
  readonly strike: Float64Array
  readonly gexUsd1pct: Float64Array
  readonly dexUsd: Float64Array
  readonly vexUsd: Float64Array
  readonly cexUsd: Float64Array
}
