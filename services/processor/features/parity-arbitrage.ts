import type { SolvedExpiry } from './context.ts'
import type { TradedForwards } from './forward-market.ts'
import { noTests, noteTest, type Tests } from './tests-made.ts'

/**
 * Tests put-call parity strike by strike against the forward at which the other strikes trade, Fb to sell and Fa to buy. The
 * median behind it holds the tested strike as well, which only hides edges: a strike that would sell above the median ask
 * asks more still, and without it the median could but fall.
 *
 * European: Cb - Pa > D (Fa - K) or D (Fb - K) > Ca - Pb. American legs may be exercised early: the bounds are
 * max(S, D Fa) - K min(1, D) and min(S, D Fb) - K max(1, D), with D F = S e^(-qT).
 */
export function parityTests(expiry: SolvedExpiry, { pairs, market: { ask, bid } }: TradedForwards): Tests {
  const { discount, spot } = expiry.terms
  const isAmerican = expiry.exerciseStyle === 'american'
  const out = noTests()
  out.allowed = listedPairs(expiry)
  if (Number.isNaN(ask)) return out
  const highest = isAmerican ? Math.max(spot, discount * ask) : discount * ask
  const lowest = isAmerican ? Math.min(spot, discount * bid) : discount * bid
  const leastPaid = isAmerican ? Math.min(1, discount) : discount
  const mostPaid = isAmerican ? Math.max(1, discount) : discount
  for (let i = 0; i < pairs.count; i++) {
    const strike = pairs.strike[i] ?? NaN
    const sold = discount * ((pairs.bid[i] ?? NaN) - strike) - (highest - strike * leastPaid)
    const bought = lowest - strike * mostPaid - discount * ((pairs.ask[i] ?? NaN) - strike)
    noteTest(out, Math.max(sold, bought), spot)
  }
  return out
}

function listedPairs({ strikes: { count, callRow, putRow } }: SolvedExpiry): number {
  let listed = 0
  for (let i = 0; i < count; i++) if ((callRow[i] ?? -1) >= 0 && (putRow[i] ?? -1) >= 0) listed++
  return listed
}
