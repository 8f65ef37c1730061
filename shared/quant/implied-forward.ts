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
  /** 0..1, falls with the disagreement of the strikes. */
  readonly confidence: number
  /** Strikes whose pair took part. */
  readonly strikesUsed: number
}

const minimumStrikes = 3
const roomForMedian = keptColumns('values', 'weights')
const windowFloor = 0.05
const windowSigmas = 1.5
/** Weighted median deviation over forward from which the strikes are taken to say nothing. */
const worstDispersion = 0.01
/** Locked pairs would weigh without bound: no spread counts for less than this share of spot. */
const spreadFloor = 1e-5

/**
 * Returns the forward of one expiry from put-call parity: the median of K + (C - P)/D over strikes near the money, weighted
 * by 1 / (spread of both legs)^2. Needs three strikes and a dispersion (weighted median deviation / F) under 1 %. American
 * pairs bias it low by a few basis points.
 */
export function impliedForward(pairs: StrikePairs, inputs: ForwardInputs): ImpliedForward {
  const { spot, discount } = inputs
  if (!(spot > 0 && spot < Infinity && discount > 0)) return { forward: NaN, confidence: 0, strikesUsed: 0 }
  const window = Math.max(windowFloor, windowSigmas * roughTotalVolatility(pairs, inputs))
  const { values, weights } = roomForMedian(pairs.count)
  let used = 0
  for (let i = 0; i < pairs.count; i++) {
    const strike = pairs.strike[i] ?? NaN
    const gap = (pairs.callMid[i] ?? NaN) - (pairs.putMid[i] ?? NaN)
    if (Number.isNaN(gap) || Math.abs(strike / spot - 1) > window) continue
    const spread = Math.max((pairs.callSpread[i] ?? NaN) + (pairs.putSpread[i] ?? NaN), spreadFloor * spot)
    values[used] = strike + gap / discount
    weights[used] = 1 / (spread * spread)
    used++
  }
  const none: ImpliedForward = { forward: NaN, confidence: 0, strikesUsed: used }
  if (used < minimumStrikes) return none
  const forward = weightedMedian(values, weights, used)
  for (let i = 0; i < used; i++) values[i] = Math.abs((values[i] ?? NaN) - forward)
  const dispersion = weightedMedian(values, weights, used) / forward
  if (!(forward > 0) || !(dispersion < worstDispersion)) return none
  return { forward, confidence: 1 - dispersion / worstDispersion, strikesUsed: used }
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
