import { rights } from '../model/snapshot.ts'
import type { ExpiryTerms } from './kernel/columns.ts'
import { normalCdf, normalPdf } from './normal.ts'

/** Black, "The pricing of commodity contracts", 1976: a European option on the forward. */
export function black76Price(
  forward: number,
  strike: number,
  yearsToExpiry: number,
  discount: number,
  sigma: number,
  right: number,
): number {
  const sign = right === rights.call ? 1 : -1
  const s = sigma * Math.sqrt(yearsToExpiry)
  if (!(s > 0)) return discount * Math.max(0, sign * (forward - strike))
  const d1 = Math.log(forward / strike) / s + 0.5 * s
  return discount * sign * (forward * normalCdf(sign * d1) - strike * normalCdf(sign * (d1 - s)))
}

/**
 * Sensitivities to spot, time, volatility and rate of an option on the forward implied by `ExpiryTerms`. Time derivatives
 * come in two parts that add up to the usual figure: what passes with the forward held fixed, and what the carry of the
 * forward towards spot adds.
 */
export interface Greeks {
  readonly price: number
  /** Per 1.00 of spot. */
  readonly delta: number
  /** Delta per 1.00 of spot. */
  readonly gamma: number
  /** Per vol point. */
  readonly vega: number
  /** Per calendar day, forward held fixed. */
  readonly theta: number
  /** Per calendar day, the carry part. */
  readonly thetaCarry: number
  /** Per 1 % of rate, spot and dividend yield held fixed. */
  readonly rho: number
  /** Delta per vol point. */
  readonly vanna: number
  /** Delta per calendar day, forward held fixed. */
  readonly charm: number
  /** Delta per calendar day, the carry part. */
  readonly charmCarry: number
  /** Vega (per vol point) per vol point. */
  readonly volga: number
  /** See `thetaToExpiry`. */
  readonly thetaToExpiry: number
}

const perDay = 1 / 365
const perPoint = 0.01

/** Formulas: Haug, "The Complete Guide to Option Pricing Formulas", 2nd edition, chapter 2, on F = S e^((r-q)T). */
export function black76Greeks(terms: ExpiryTerms, strike: number, sigma: number, right: number): Greeks {
  const { spot, forward, discount, yearsToExpiry: t } = terms
  const sign = right === rights.call ? 1 : -1
  const sqrtT = Math.sqrt(t)
  const s = sigma * sqrtT
  const d1 = Math.log(forward / strike) / s + 0.5 * s
  const d2 = d1 - s
  const density = normalPdf(d1)
  const rate = -Math.log(discount) / t
  const carry = Math.log(forward / spot) / t
  const perSpot = (discount * forward) / spot
  const n2 = normalCdf(sign * d2)
  const delta = sign * perSpot * normalCdf(sign * d1)
  const price = delta * spot - sign * discount * strike * n2
  const vega = discount * forward * density * sqrtT
  return {
    price,
    delta,
    gamma: (perSpot * density) / (spot * s),
    vega: vega * perPoint,
    theta: (rate * price - (vega * sigma) / (2 * t)) * perDay,
    thetaCarry: -carry * spot * delta * perDay,
    rho: sign * strike * t * discount * n2 * perPoint,
    vanna: ((-perSpot * density * d2) / sigma) * perPoint,
    charm: (rate * delta + (perSpot * density * d2) / (2 * t)) * perDay,
    charmCarry: -carry * (delta + (perSpot * density) / s) * perDay,
    volga: ((vega * d1 * d2) / sigma) * perPoint * perPoint,
    thetaToExpiry: thetaToExpiry(terms, strike, sigma, right),
  }
}

/**
 * What the price changes by until expiry with forward and volatility held fixed: payoff at the forward less price today. With
 * less than a day left a theta per day would promise more than there is; this loss is at most the time value. NaN with a day
 * or more left, and without volatility.
 */
export function thetaToExpiry(terms: ExpiryTerms, strike: number, sigma: number, right: number): number {
  const { forward, discount, yearsToExpiry } = terms
  if (!(yearsToExpiry > 0 && yearsToExpiry < perDay && sigma > 0)) return NaN
  const payoff = Math.max(0, right === rights.call ? forward - strike : strike - forward)
  const timeValue = black76Price(
    forward,
    strike,
    yearsToExpiry,
    discount,
    sigma,
    strike < forward ? rights.put : rights.call,
  )
  return (1 - discount) * payoff - timeValue
}
