import { rights } from '../model/snapshot.ts'
import { keptColumns } from './kept-columns.ts'
import { weightedQuantile } from './weighted-quantile.ts'

/** Rows of a chain in any order, several expiries pooled if wanted. */
export interface OpenInterestRows {
  readonly count: number
  readonly strike: Float64Array
  /** 1 call, 2 put. */
  readonly right: Int8Array
  /** Contracts; NaN counts as none. */
  readonly openInterest: Float64Array
  /** The rows meant; without it the first `count`. */
  readonly rows?: Int32Array
}

const roomForQuantile = keptColumns('strikes', 'weights')

/**
 * Returns the listed strike at which option holders receive least in total: argmin over x of sum OI_c max(x-K, 0) + OI_p
 * max(K-x, 0), the lowest such strike on a tie. NaN where no open interest is known.
 *
 * The total is convex and piecewise linear in x with slope (call OI at or below x) - (put OI above x), so its minimum is the
 * lowest strike at which the open interest of both kinds at or below it reaches the put open interest in all. That needs
 * no sort and, open interest being whole numbers, no rounding: ties are exact.
 */
export function maxPain({ count, strike: strikeOf, right, openInterest: interest, rows }: OpenInterestRows): number {
  const { strikes, weights } = roomForQuantile(count)
  let puts = 0
  let total = 0
  let lowest = Infinity
  for (let i = 0; i < count; i++) {
    const row = rows === undefined ? i : (rows[i] ?? -1)
    const strike = strikeOf[row] ?? NaN
    const known = interest[row] ?? NaN
    const openInterest = known > 0 && known < Infinity ? known : 0
    if (right[row] === rights.put) puts += openInterest
    total += openInterest
    strikes[i] = strike
    weights[i] = openInterest
    if (strike < lowest) lowest = strike
  }
  if (total === 0) return NaN
  return puts === 0 ? lowest : weightedQuantile(strikes, weights, count, puts)
}
