import { rights } from '../model/snapshot.ts'
import { weightedQuantile } from './weighted-quantile.ts'

/** Rows of a chain in any order, several expiries pooled if wanted. */
export interface OpenInterestRows {
  readonly count: number
  readonly strike: Float64Array
  /** 1 call, 2 put. */
  readonly right: Int8Array
  /** Contracts; NaN counts as none. */
  readonly openInterest: Float64Array
}

/**
 * Returns the listed strike at which option holders receive least in total: argmin over x of sum OI_c max(x-K, 0) + OI_p
 * max(K-x, 0), the lowest such strike on a tie. NaN where no open interest is known.
 *
 * The total is convex and piecewise linear in x with slope (call OI at or below x) - (put OI above x), so its minimum is the
 * lowest strike at which the open interest of both kinds at or below it reaches the put open interest in all. That needs
 * no sort and, open interest being whole numbers, no rounding: ties are exact.
 */
export function maxPain(rows: OpenInterestRows): number {
  const strikes = new Float64Array(rows.count)
  const weights = new Float64Array(rows.count)
  let puts = 0
  let total = 0
  let lowest = Infinity
  for (let i = 0; i < rows.count; i++) {
    const strike = rows.strike[i] ?? NaN
    const known = rows.openInterest[i] ?? NaN
    const openInterest = known > 0 && known < Infinity ? known : 0
    if (rows.right[i] === rights.put) puts += openInterest
    total += openInterest
    strikes[i] = strike
    weights[i] = openInterest
    if (strike < lowest) lowest = strike
  }
  if (total === 0) return NaN
  return puts === 0 ? lowest : weightedQuantile(strikes, weights, rows.count, puts)
}
