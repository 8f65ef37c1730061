import { ivCodes } from '../model/features.ts'
import { rights } from '../model/snapshot.ts'
import { normalCdf, normalPdf } from './normal.ts'
import { solveTotalVolatility } from './total-volatility.ts'

/** A number of `ivCodes`. */
type IvCode = (typeof ivCodes)[keyof typeof ivCodes]

export interface ImpliedVolatility {
  /** Fraction per sqrt(year); NaN unless the code is ok. */
  readonly sigma: number
  readonly code: IvCode
}

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
  readonly iv: Float64Array
  readonly ivCode: Uint8Array
}

/** Units as published: delta and gamma per 1.00 of spot, vega per vol point, theta per calendar day with the forward held fixed. */
export interface GreekColumns {
  readonly delta: Float64Array
  readonly gamma: Float64Array
  readonly vega: Float64Array
  readonly theta: Float64Array
}

const daysPerYear = 365
const perPoint = 0.01

/** Code of the terms alone: whether any contract of this expiry can have an IV. */
function codeOfTerms(forward: number, discount: number, yearsToExpiry: number): IvCode {
  if (!(yearsToExpiry > 0)) return ivCodes.expired
  return isPositive(forward) && isPositive(discount) && yearsToExpiry < Infinity ? ivCodes.ok : ivCodes.no_forward
}

function isPositive(value: number): boolean {
  return value > 0 && value < Infinity
}

/**
 * Code of one price against its bounds. `otmPrice` is undiscounted, the intrinsic value taken off. A strike that is no
 * positive number has no moneyness, hence `no_forward`.
 */
function codeOfPrice(price: number, otmPrice: number, forward: number, strike: number): IvCode {
  if (!isPositive(strike)) return ivCodes.no_forward
  if (Number.isNaN(price)) return ivCodes.no_bid
  if (!(otmPrice > 0)) return ivCodes.below_intrinsic
  return otmPrice < (forward < strike ? forward : strike) ? ivCodes.ok : ivCodes.above_bound
}

/**
 * Returns the Black-76 volatility of one option price. Never throws: a code says why there is none. A price in the money is
 * taken as given, with the digits its time value has left; prefer the out-of-the-money leg.
 *
 * @param price paid today, in the currency of the strike
 * @param discount present value of 1 paid at expiry
 * @param right 1 call, 2 put
 */
export function solveImpliedVolatility(
  price: number,
  forward: number,
  strike: number,
  yearsToExpiry: number,
  discount: number,
  right: number,
): ImpliedVolatility {
  const termsCode = codeOfTerms(forward, discount, yearsToExpiry)
  if (termsCode !== ivCodes.ok) return { sigma: NaN, code: termsCode }
  const otmPrice = undiscountedOtmPrice(price, forward, strike, discount, right)
  const code = codeOfPrice(price, otmPrice, forward, strike)
  if (code !== ivCodes.ok) return { sigma: NaN, code }
  const sigma = solveTotalVolatility(otmPrice, forward, strike) / Math.sqrt(yearsToExpiry)
  return isPositive(sigma) ? { sigma, code } : { sigma: NaN, code: ivCodes.below_intrinsic }
}

function undiscountedOtmPrice(price: number, forward: number, strike: number, discount: number, right: number): number {
  const intrinsic = right === rights.call ? forward - strike : strike - forward
  return intrinsic > 0 ? price / discount - intrinsic : price / discount
}

/** Solves all quotes of one expiry into the caller's columns. */
export function solveExpiry(quotes: ExpiryQuotes, terms: ExpiryTerms, out: IvColumns): void {
  const { forward, discount, yearsToExpiry } = terms
  const { count, price, strike, right } = quotes
  const { iv, ivCode } = out
  const termsCode = codeOfTerms(forward, discount, yearsToExpiry)
  const inverseSqrtT = 1 / Math.sqrt(yearsToExpiry)
  for (let i = 0; i < count; i++) {
    const quoted = price[i] ?? NaN
    const k = strike[i] ?? NaN
    const otmPrice = undiscountedOtmPrice(quoted, forward, k, discount, right[i] ?? 0)
    let code = termsCode === ivCodes.ok ? codeOfPrice(quoted, otmPrice, forward, k) : termsCode
    let sigma = NaN
    if (code === ivCodes.ok) {
      sigma = solveTotalVolatility(otmPrice, forward, k) * inverseSqrtT
      if (!isPositive(sigma)) {
        sigma = NaN
        code = ivCodes.below_intrinsic
      }
    }
    iv[i] = sigma
    ivCode[i] = code
  }
}

/** `solveExpiry` with delta, gamma, vega and theta in the same pass. */
export function solveExpiryWithGreeks(quotes: ExpiryQuotes, terms: ExpiryTerms, out: IvColumns & GreekColumns): void {
  solveExpiry(quotes, terms, out)
  const { spot, forward, discount, yearsToExpiry } = terms
  const { delta, gamma, vega, theta, iv } = out
  const sqrtT = Math.sqrt(yearsToExpiry)
  const rate = -Math.log(discount) / yearsToExpiry
  const forwardPerSpot = (discount * forward) / spot
  for (let i = 0; i < quotes.count; i++) {
    const k = quotes.strike[i] ?? NaN
    const sign = quotes.right[i] === rights.call ? 1 : -1
    // A missing volatility is NaN and makes all four NaN.
    const sigma = iv[i] ?? NaN
    const s = sigma * sqrtT
    const d1 = Math.log(forward / k) / s + 0.5 * s
    const density = normalPdf(d1)
    const n1 = normalCdf(sign * d1)
    const value = sign * discount * (forward * n1 - k * normalCdf(sign * (d1 - s)))
    const vegaRaw = discount * forward * density * sqrtT
    delta[i] = sign * forwardPerSpot * n1
    gamma[i] = (forwardPerSpot * density) / (spot * s)
    vega[i] = perPoint * vegaRaw
    theta[i] = (rate * value - (vegaRaw * sigma) / (2 * yearsToExpiry)) / daysPerYear
  }
}
