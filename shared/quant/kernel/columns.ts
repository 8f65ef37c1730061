import type { ivCodes } from '../../model/features.ts'

/** A number of `ivCodes`. */
export type IvCode = (typeof ivCodes)[keyof typeof ivCodes]

/** What all contracts of one expiry share. */
export interface ExpiryTerms {
  readonly spot: number
  readonly forward: number
  /** Present value of 1 paid at expiry. */
  readonly discount: number
  /** Seconds to the instant of expiry / 31,536,000. */
  readonly yearsToExpiry: number
}

/** Quotes of one expiry as columns; the first `count` entries are read. */
export interface ExpiryQuotes {
  readonly count: number
  /** Price paid today, the mid as a rule. NaN: no price. */
  readonly price: Float64Array
  readonly strike: Float64Array
  /** 1 call, 2 put. */
  readonly right: Int8Array
}

/** Columns to be filled, as long as the quotes. NaN wherever the code is not ok. */
export interface IvColumns {
  /** Fraction per sqrt(year). */
  readonly iv: Float64Array
  /** `ivCodes`. */
  readonly ivCode: Uint8Array
}

/** Sensitivities as published. Time passes with the forward held fixed; what its carry adds is in `black76Greeks`. */
export interface GreekColumns {
  /** Per 1.00 of spot. */
  readonly delta: Float64Array
  /** Delta per 1.00 of spot. */
  readonly gamma: Float64Array
  /** Per vol point. */
  readonly vega: Float64Array
  /** Per calendar day. */
  readonly theta: Float64Array
  /** Per 1 % of rate, spot and dividend yield held fixed. */
  readonly rho: Float64Array
  /** Delta per vol point. */
  readonly vanna: Float64Array
  /** Delta per calendar day. */
  readonly charm: Float64Array
  /** Vega (per vol point) per vol point. */
  readonly volga: Float64Array
}
