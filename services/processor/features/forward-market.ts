import type { ChainColumns } from '../../../shared/model/snapshot.ts'
import { keptColumns } from '../../../shared/quant/kept-columns.ts'
import { weightedMedian } from '../../../shared/quant/weighted-quantile.ts'
import type { SolvedExpiry } from './context.ts'

/** Forwards made of a call and a put of one strike, of the strikes whose legs are both two-sided and not crossed. */
export interface SyntheticForwards {
  readonly count: number
  readonly strike: Float64Array
  /** What the call sold and the put bought give: K + (Cb - Pa)/D. */
  readonly bid: Float64Array
  /** What the call bought and the put sold cost: K + (Ca - Pb)/D. */
  readonly ask: Float64Array
  /** Spreads of both legs where the strike is near the money; NaN elsewhere. */
  readonly nearSpread: Float64Array
}

const nearFloor = 0.02
const nearSigmas = 1

/** Kept with the strikes. */
export function syntheticForwards({ bid, ask }: ChainColumns, { strikes, terms }: SolvedExpiry): SyntheticForwards {
  const out = strikes.pairs
  const sqrtT = Math.sqrt(terms.yearsToExpiry)
  let count = 0
  for (let i = 0; i < strikes.count; i++) {
    // NaN unless its leg is two-sided and not crossed.
    const spread = (strikes.callSpread[i] ?? NaN) + (strikes.putSpread[i] ?? NaN)
    if (Number.isNaN(spread)) continue
    const call = strikes.callRow[i] ?? -1
    const put = strikes.putRow[i] ?? -1
    const strike = strikes.strike[i] ?? NaN
    out.strike[count] = strike
    out.bid[count] = strike + ((bid[call] ?? NaN) - (ask[put] ?? NaN)) / terms.discount
    out.ask[count] = strike + ((ask[call] ?? NaN) - (bid[put] ?? NaN)) / terms.discount
    const near = Math.max(nearFloor, nearSigmas * (strikes.iv[i] || 0) * sqrtT)
    out.nearSpread[count] = Math.abs(Math.log(strike / terms.forward)) <= near ? spread : NaN
    count++
  }
  const { strike, bid: sold, ask: bought, nearSpread } = out
  return { count, strike, bid: sold, ask: bought, nearSpread }
}

export interface ForwardMarket {
  /** NaN where there are too few pairs to say. */
  readonly bid: number
  readonly ask: number
}

const minimumPairs = 3
const minimumTight = 2
const roomForMedians = keptColumns('spreads', 'bids', 'asks', 'ones')

/**
 * Where the forward of an expiry can be sold and bought: the median bid and ask of the tighter half of its pairs near the
 * money, within max(2 %, one sigma sqrt(T)) of the forward. Half of those trade at it or better. Further out the early
 * exercise of American legs moves it.
 */
export function forwardMarket({ count, bid, ask, nearSpread }: SyntheticForwards): ForwardMarket {
  const missing = { bid: NaN, ask: NaN }
  const { spreads, bids, asks, ones } = roomForMedians(count)
  let near = 0
  for (let i = 0; i < count; i++) {
    const spread = nearSpread[i] ?? NaN
    if (!Number.isNaN(spread)) spreads[near++] = spread
  }
  if (near < minimumPairs) return missing
  ones.fill(1, 0, near)
  const widest = weightedMedian(spreads, ones, near)
  let tight = 0
  for (let i = 0; i < count; i++) {
    if (!((nearSpread[i] ?? NaN) <= widest)) continue
    bids[tight] = bid[i] ?? NaN
    asks[tight] = ask[i] ?? NaN
    tight++
  }
  if (tight < minimumTight) return missing
  return { bid: weightedMedian(bids, ones, tight), ask: weightedMedian(asks, ones, tight) }
}
