import { ivCodes } from '../../../shared/model/features.ts'
import type { SolvedExpiry } from './context.ts'
import type { StrikeColumns } from './strikes.ts'

const nearFloor = 0.01
const nearSigmas = 1.5
/** As much doubt as so many strikes without a volatility make: three of three score 60, twenty of twenty 91. */
const strikesInDoubt = 2

/**
 * 0..100: of the n strikes within max(1 %, 1.5 sigma sqrt(T)) of the forward, m of which have a volatility, m/n m/(m+2), and
 * how far the forward is to be trusted; no more than that where it is not the expiry's own. 0 without an ATM volatility, or
 * a strike near it.
 */
export function expiryQuality({ strikes, terms, forward }: SolvedExpiry, atmIv: number): number {
  if (Number.isNaN(atmIv)) return 0
  const within = Math.max(nearFloor, nearSigmas * atmIv * Math.sqrt(terms.yearsToExpiry))
  let near = 0
  let solvedNear = 0
  for (let i = 0; i < strikes.count; i++) {
    if (Math.abs((strikes.strike[i] ?? NaN) / terms.forward - 1) > within) continue
    near++
    if (strikes.ivCode[i] === ivCodes.ok) solvedNear++
  }
  if (solvedNear === 0) return 0
  const smile = (solvedNear / near) * (solvedNear / (solvedNear + strikesInDoubt))
  const quality = 100 * smile * (0.5 + 0.005 * forward.quality)
  return forward.source === 'parity' ? quality : Math.min(quality, forward.quality)
}

/**
 * Strikes from the lowest to the highest with a volatility. Beyond them nobody bids as a rule, which is no fault of the quotes;
 * between them each ought to have one.
 */
export function strikesInside({ count, ivCode }: StrikeColumns): number {
  let first = -1
  let last = -1
  for (let i = 0; i < count; i++) {
    if (ivCode[i] !== ivCodes.ok) continue
    if (first < 0) first = i
    last = i
  }
  return first < 0 ? 0 : last - first + 1
}
