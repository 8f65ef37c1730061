import { ivCodes } from '../../../shared/model/features.ts'
import { rights } from '../../../shared/model/snapshot.ts'
import type { ExpiryTerms } from '../../../shared/quant/implied-volatility.ts'
import { volatilityAtTheMoney } from '../../../shared/quant/interpolate.ts'
import type { StrikeColumns } from './strikes.ts'

/** Its square and its sums with others are numbers; nothing that trades comes near it. */
const highestSigma = 1e6

/** The strike has a volatility of its own that is a number to calculate with. */
export function isUsable({ strike, iv, ivCode }: StrikeColumns, at: number): boolean {
  const sigma = iv[at] ?? NaN
  const k = strike[at] ?? NaN
  return ivCode[at] === ivCodes.ok && sigma > 0 && sigma < highestSigma && k > 0 && k < Infinity
}

/** Half the spread of the leg out of the money in vol points; NaN where it has none. */
export function halfSpreadVpOf({ right, callSpread, putSpread, vega }: StrikeColumns, at: number): number {
  const half = 0.5 * ((right[at] === rights.call ? callSpread : putSpread)[at] ?? NaN)
  const perPoint = vega[at] ?? NaN
  const vp = half / perPoint
  return half >= 0 && perPoint > 0 && vp < Infinity ? vp : NaN
}

export interface AtTheMoney {
  readonly iv: number
  readonly biasVp: number
  readonly halfSpreadVp: number
}

export const nothingAtTheMoney: AtTheMoney = { iv: NaN, biasVp: NaN, halfSpreadVp: NaN }
/** Two strikes farther apart than both of these leave the volatility between them to guessing. */
const widestGap = 0.05
const widestGapSigmas = 2

/**
 * Finds the volatility where K = F, with the bias and the half spread of the strike nearest to it; of two equally near the
 * lower one.
 */
export function atTheMoney(strikes: StrikeColumns, { forward, yearsToExpiry }: ExpiryTerms): AtTheMoney {
  const { count, strike, iv, biasVp } = strikes
  let below = -1
  let above = -1
  for (let i = 0; i < count && above < 0; i++) {
    if (!isUsable(strikes, i)) continue
    if ((strike[i] ?? NaN) < forward) below = i
    else if ((strike[i] ?? NaN) >= forward) above = i
  }
  if (above < 0) return nothingAtTheMoney
  const kAbove = Math.log((strike[above] ?? NaN) / forward)
  if (below < 0 && kAbove !== 0) return nothingAtTheMoney
  const kBelow = kAbove === 0 ? 0 : Math.log((strike[below] ?? NaN) / forward)
  const atmIv =
    kAbove === 0 ? (iv[above] ?? NaN) : volatilityAtTheMoney(kBelow, iv[below] ?? NaN, kAbove, iv[above] ?? NaN)
  const gap = kAbove - kBelow
  if (!(gap <= Math.max(widestGap, widestGapSigmas * atmIv * Math.sqrt(yearsToExpiry)))) return nothingAtTheMoney
  const isBelowNearer = kAbove !== 0 && forward - (strike[below] ?? NaN) <= (strike[above] ?? NaN) - forward
  const nearest = isBelowNearer ? below : above
  const bias = biasVp[nearest] ?? NaN
  return { iv: atmIv, biasVp: Math.abs(bias) < Infinity ? bias : NaN, halfSpreadVp: halfSpreadVpOf(strikes, nearest) }
}
