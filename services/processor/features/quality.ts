import { ivCodes } from '../../../shared/model/features.ts'
import type { SolvedExpiry } from './context.ts'
import type { StrikeColumns } from './strikes.ts'

const nearFloor = 0.01
const nearSigmas = 1.5

/**
 * 0..100: the share of strikes within max(1 %, 1.5 sigma sqrt(T)) of the forward that have a volatility, and how far the
 * forward is to be trusted. 0 without an ATM volatility.
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
  return 100 * (near === 0 ? 1 : solvedNear / near) * (0.5 + 0.005 * forward.quality)
}

/** Strikes between the lowest and the highest with a volatility, and how many of them have one. */
export interface SmileCoverage {
  inside: number
  solved: number
}

/** Adds an expiry's strikes. Beyond the last volatility nobody bids as a rule, which is no fault of the quotes. */
export function addCoverage(coverage: SmileCoverage, { count, ivCode }: StrikeColumns): void {
  let first = -1
  let last = -1
  for (let i = 0; i < count; i++) {
    if (ivCode[i] !== ivCodes.ok) continue
    if (first < 0) first = i
    last = i
    coverage.solved++
  }
  if (first >= 0) coverage.inside += last - first + 1
}
