import { ivCodes } from '../../model/features.ts'
import { block, blockRows } from './block.ts'
import type { ExpiryQuotes, ExpiryTerms, IvCode, IvColumns } from './columns.ts'

/** Code of the terms alone: whether any contract of this expiry can have an IV. */
export function codeOfTerms({ forward, discount, yearsToExpiry }: ExpiryTerms): IvCode {
  if (!(yearsToExpiry > 0)) return ivCodes.expired
  return isPositive(forward) && isPositive(discount) && yearsToExpiry < Infinity ? ivCodes.ok : ivCodes.no_forward
}

/** The same for greeks, which need a spot and a rate as well. */
export function codeOfGreekTerms(terms: ExpiryTerms): IvCode {
  const code = codeOfTerms(terms)
  if (code !== ivCodes.ok) return code
  const { spot, forward, discount, yearsToExpiry } = terms
  if (!isPositive(spot) || !isPositive((discount * forward) / spot)) return ivCodes.no_forward
  return Math.abs(Math.log(discount) / yearsToExpiry) < Infinity ? ivCodes.ok : ivCodes.below_time_floor
}

function isPositive(value: number): boolean {
  return value > 0 && value < Infinity
}

/**
 * Code of one price against its bounds. `otmPrice` is undiscounted, the intrinsic value taken off. What is no strike or no
 * right has no moneyness, hence `no_forward`.
 */
function codeOfPrice(price: number, otmPrice: number, lower: number, strike: number, right: number): IvCode {
  if (!isPositive(strike) || (right !== 1 && right !== 2)) return ivCodes.no_forward
  if (Number.isNaN(price)) return ivCodes.no_bid
  if (!(otmPrice > 0)) return ivCodes.below_intrinsic
  return otmPrice < lower ? ivCodes.ok : ivCodes.above_bound
}

/**
 * First pass, of the quotes from index `from` that fit a block: those that can have a volatility become its rows, the others
 * get their code and no figure. Returns the number of rows.
 */
export function reduceBlock(quotes: ExpiryQuotes, terms: ExpiryTerms, out: IvColumns, from: number): number {
  const { price: paid, strike, right } = quotes
  const { row, side, price, lower, distance, x, root, w, inverseB } = block
  const { forward, discount } = terms
  const sqrtForward = Math.sqrt(forward)
  const to = Math.min(quotes.count, from + blockRows)
  let rows = 0
  for (let i = from; i < to; i++) {
    const k = strike[i]!
    // 1 for a call, -1 for a put.
    const sign = 3 - 2 * right[i]!
    const difference = forward - k
    const intrinsic = sign * difference
    const undiscounted = paid[i]! / discount
    const p = intrinsic > 0 ? undiscounted - intrinsic : undiscounted
    const bound = k < forward ? k : forward
    if (p > 0 && p < bound && k > 0 && k < Infinity && sign * sign === 1) {
      const inverse = 1 / p
      const d = Math.abs(difference)
      const sqrt = sqrtForward * Math.sqrt(k)
      row[rows] = i
      side[rows] = intrinsic > 0 ? -sign : sign
      price[rows] = p
      lower[rows] = bound
      distance[rows] = d
      // Near the money the quotient F/K would have lost the digits of its logarithm.
      x[rows] = Math.log1p(d / bound)
      root[rows] = sqrt
      w[rows] = 1 + d * inverse
      inverseB[rows] = sqrt * inverse
      rows++
    } else {
      out.iv[i] = NaN
      out.ivCode[i] = codeOfPrice(paid[i]!, p, bound, k, right[i]!)
    }
  }
  return rows
}
