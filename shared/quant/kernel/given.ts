import { block, blockRows } from './block.ts'
import type { ExpiryTerms } from './columns.ts'
import type { GreekInputs } from './greeks.ts'

/** Contracts of one expiry with their volatilities; the first `count` entries are read. */
export interface ExpiryVolatilities extends GreekInputs {
  readonly count: number
  /** Fraction per sqrt(year). */
  readonly iv: Float64Array
}

/** What `reduceBlock` is to quotes: the contracts from index `from` that have a volatility become the rows of the block. */
export function takeBlock(given: ExpiryVolatilities, terms: ExpiryTerms, from: number): number {
  const { iv, strike, right } = given
  const { row, side, x, s } = block
  const { forward, yearsToExpiry } = terms
  const sqrtT = Math.sqrt(yearsToExpiry)
  const to = Math.min(given.count, from + blockRows)
  let rows = 0
  for (let i = from; i < to; i++) {
    const k = strike[i]!
    const sign = 3 - 2 * right[i]!
    const total = iv[i]! * sqrtT
    if (!(total > 0 && total < Infinity && k > 0 && k < Infinity && sign * sign === 1)) continue
    const difference = forward - k
    row[rows] = i
    side[rows] = sign * difference > 0 ? -sign : sign
    x[rows] = Math.log1p(Math.abs(difference) / (k < forward ? k : forward))
    s[rows] = total
    rows++
  }
  return rows
}
