import { ivCodes } from '../../model/features.ts'
import type { ExpiryQuotes, ExpiryTerms, IvColumns } from '../implied-volatility.ts'
import type { AmericanVolatility } from './american-volatility.ts'

/** European volatilities less wrong than this, by estimate, are kept. */
const defaultThresholdVp = 0.05

/**
 * Turns the European volatilities of one expiry's American options into American ones, in place: `out` comes from `solveExpiry`
 * on the same quotes and terms, whose forward is the corrected one, `biasVp` from `ExerciseBias`. Contracts biased by less than the threshold keep theirs; a price
 * above its European bound may get a volatility after all; one no more than its intrinsic value loses it.
 *
 * @returns how many contracts were solved
 */
export function solveAmericanExpiry(
  quotes: ExpiryQuotes,
  terms: ExpiryTerms,
  biasVp: Float64Array,
  solver: AmericanVolatility,
  out: IvColumns,
  thresholdVp = defaultThresholdVp,
): number {
  solver.setTerms(terms)
  let solved = 0
  for (let i = 0; i < quotes.count; i++) {
    const right = quotes.right[i] ?? 0
    const isAboveBound = out.ivCode[i] === ivCodes.above_bound
    if ((out.ivCode[i] !== ivCodes.ok && !isAboveBound) || !solver.isEarly(right)) continue
    // A bias that could not be estimated is no small one.
    if (!isAboveBound && Math.abs(biasVp[i] ?? NaN) < thresholdVp) continue
    const european = isAboveBound ? Infinity : (out.iv[i] ?? NaN)
    const sigma = solver.search(quotes.price[i] ?? NaN, quotes.strike[i] ?? NaN, right, european)
    solved++
    const isFound = sigma > 0 && sigma < Infinity
    out.iv[i] = isFound ? sigma : NaN
    out.ivCode[i] = isFound ? ivCodes.ok : sigma === 0 ? ivCodes.below_intrinsic : ivCodes.above_bound
  }
  return solved
}
