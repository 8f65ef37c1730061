import { keptColumns } from './kept-columns.ts'
import { weightedMedian } from './weighted-quantile.ts'

/** Calls and puts of one expiry by strike, ascending; NaN where there is no two-sided quote. The first `count` entries are read. */
export interface StrikePairs {
  readonly count: number
  readonly strike: Float64Array
  readonly callMid: Float64Array
  readonly callSpread: Float64Array
  readonly putMid: Float64Array
  readonly putSpread: Float64Array
}

export interface ForwardInputs {
  readonly spot: number
  /** Present value of 1 paid at expiry, from a curve: never estimated together with the forward. */
  readonly discount: number
}

export interface ImpliedForward {
  /** NaN where the pairs do not say. */
  readonly forward: number
  /** 0..1, falls with the disagreement of the strikes, and where fewer than five pairs' worth of them decide. */
  readonly confidence: number
  /** Strikes whose pair took part. */
  readonly strikesUsed: number
}

const minimumStrikes = 3
const roomForMedian = keptColumns('values', 'weights')
/** With fewer than so many, counted by their weights, the agreement of the pairs is worth less. */
const enoughStrikes = 5
const windowFloor = 0.05
const windowSigmas = 1.5
/**
 * Weighted median deviation over forward from which the strikes are taken to say nothing: the larger of a share of the
 * forward and a share of sigma sqrt(T), within which an error of the forward hardly changes a delta. Early exercise of dear
 * borrow alone spreads the pairs of a year by more than 1 %.
 */
const worstDispersion = 0.01
const worstDispersionSigmas = 0.05
/** Locked pairs would weigh without bound: no spread counts for less than this share of spot ... */
const spreadFloor = 1e-5
/** ... nor for less than this share of the median spread. */
const spreadFloorShare = 0.5
/** No pair has more of the weight: one that is stale must leave both medians to the others. */
const largestShare = 1 / 3

/**
 * Returns the forward of one expiry from put-call parity: the median of K + (C - P)/D over strikes near the money, weighted
 * by 1 / (spread of both legs)^2, where no spread counts for less than half the median one and no pair for more than a third
 * of all. Needs three strikes and a dispersion (weighted median deviation / F) under 1 % or 0.05 sigma sqrt(T). American
 * pairs bias it low by a few basis points.
 */
export function impliedForward(pairs: StrikePairs, inputs: ForwardInputs): ImpliedForward {
  const { spot, discount } = inputs
  if (!(spot > 0 && spot < Infinity && discount > 0)) return { forward: NaN, confidence: 0, strikesUsed: 0 }
  const totalVolatility = roughTotalVolatility(pairs, inputs)
  const window = Math.max(windowFloor, windowSigmas * totalVolatility)
  const { values, weights } = roomForMedian(pairs.count)
  let used = 0
  for (let i = 0; i < pairs.count; i++) {
    const strike = pairs.strike[i] ?? NaN
    const gap = (pairs.callMid[i] ?? NaN) - (pairs.putMid[i] ?? NaN)
    if (Number.isNaN(gap) || Math.abs(strike / spot - 1) > window) continue
    values[used] = strike + gap / discount
    weights[used] = (pairs.callSpread[i] ?? NaN) + (pairs.putSpread[i] ?? NaN)
    used++
  }
  const none: ImpliedForward = { forward: NaN, confidence: 0, strikesUsed: used }
  if (used < minimumStrikes) return none
  const effective = spreadsToWeights(weights, used, spot)
  const forward = weightedMedian(values, weights, used)
  for (let i = 0; i < used; i++) values[i] = Math.abs((values[i] ?? NaN) - forward)
  const dispersion = weightedMedian(values, weights, used) / forward
  const worst = Math.max(worstDispersion, worstDispersionSigmas * totalVolatility)
  if (!(forward > 0) || !(dispersion < worst)) return none
  return { forward, confidence: (1 - dispersion / worst) * Math.min(1, effective / enoughStrikes), strikesUsed: used }
}

/**
 * Turns the spreads of pairs (both legs) into weights, in place, such that no pair decides alone; returns the effective number
 * of pairs, (sum w)^2 / sum w^2.
 */
export function spreadsToWeights(spreads: Float64Array, count: number, spot: number): number {
  const ones = new Float64Array(count).fill(1)
  const median = weightedMedian(spreads.slice(0, count), ones, count)
  const floor = Math.max(spreadFloor * spot, spreadFloorShare * median)
  let total = 0
  let first = 0
  let second = 0
  for (let i = 0; i < count; i++) {
    const spread = Math.max(spreads[i] ?? NaN, floor)
    const weight = 1 / (spread * spread)
    spreads[i] = weight
    total += weight
    second = Math.max(second, Math.min(weight, first))
    first = Math.max(first, weight)
  }
  const cap = largestWeight(total, first, second)
  let sum = 0
  let squares = 0
  for (let i = 0; i < count; i++) {
    const weight = Math.min(spreads[i] ?? NaN, cap)
    spreads[i] = weight
    sum += weight
    squares += weight * weight
  }
  return (sum * sum) / squares
}

/** What to cut weights at so that none is more than a third of the total left; `first` and `second` are the largest. */
function largestWeight(total: number, first: number, second: number): number {
  const capOfOne = ((total - first) * largestShare) / (1 - largestShare)
  if (capOfOne >= first) return first
  if (capOfOne >= second) return capOfOne
  // Both are cut to what the others weigh together, which is a third each; no third weight can be above it.
  return total - first - second
}

/** sigma sqrt(T) from the straddle nearest spot, straddle = sqrt(2/pi) F sigma sqrt(T); 0 without one. */
function roughTotalVolatility(pairs: StrikePairs, { spot, discount }: ForwardInputs): number {
  let nearest = Infinity
  let straddle = 0
  for (let i = 0; i < pairs.count; i++) {
    const distance = Math.abs((pairs.strike[i] ?? NaN) - spot)
    const both = (pairs.callMid[i] ?? NaN) + (pairs.putMid[i] ?? NaN)
    if (distance < nearest && !Number.isNaN(both)) {
      nearest = distance
      // A straddle away from the money holds intrinsic value, which is no volatility.
      straddle = Math.max(0, both / discount - distance)
    }
  }
  return (straddle / spot) * Math.sqrt(Math.PI / 2)
}
