import type { SolvedExpiry } from './context.ts'
import type { ExpiryMarket } from './expiry-market.ts'
import { noTests, noteTest, type Tests } from './tests-made.ts'

/** Tests what a call and a put of one strike give or cost together: European pairs against the forward, American as boxes. */
export function parityTests(market: ExpiryMarket): Tests {
  return market.expiry.exerciseStyle === 'american' ? boxTests(market) : forwardTests(market)
}

/**
 * European pairs against the forward at which the other strikes trade, Fb to sell and Fa to buy: Cb - Pa > D (Fa - K) or
 * D (Fb - K) > Ca - Pb. The median behind it holds the tested strike as well, which only hides edges: a strike that would
 * sell above the median ask asks more still, and without it the median could but fall.
 */
function forwardTests({ expiry, pairs, forward: { bid, ask } }: ExpiryMarket): Tests {
  const { discount, spot } = expiry.terms
  const out = noTests()
  out.allowed = listedPairs(expiry)
  if (Number.isNaN(ask)) return out
  for (let i = 0; i < pairs.count; i++) {
    const sold = (pairs.bid[i] ?? NaN) - ask
    const bought = bid - (pairs.ask[i] ?? NaN)
    noteTest(out, discount * Math.max(sold, bought), spot)
  }
  return out
}

/**
 * American pairs against the pair of the next strike, as a box: C - P + K min(1, D) never rises with the strike, whatever the
 * dividends and the cost of borrowing. Of the box that buys it at K1 and sells it at K2 > K1 either short leg, when it is
 * exercised, is met by exercising the long leg of its right, which pays K2 - K1 then; expiry pays as much. By how much it
 * falls is early exercise, which may be as much as 2 (K2 - K1), and that is what verticals test: without the dividends no
 * forward bounds it from below.
 */
function boxTests({ expiry, pairs }: ExpiryMarket): Tests {
  const { discount, spot } = expiry.terms
  const out = noTests()
  out.allowed = Math.max(0, listedPairs(expiry) - 1)
  // Under a negative rate the width is worth least when it is paid at once.
  const early = Math.max(0, discount - 1)
  for (let i = 1; i < pairs.count; i++) {
    const width = (pairs.strike[i] ?? NaN) - (pairs.strike[i - 1] ?? NaN)
    noteTest(out, discount * ((pairs.bid[i] ?? NaN) - (pairs.ask[i - 1] ?? NaN)) - early * width, spot)
  }
  return out
}

function listedPairs({ strikes: { count, callRow, putRow } }: SolvedExpiry): number {
  let listed = 0
  for (let i = 0; i < count; i++) if ((callRow[i] ?? -1) >= 0 && (putRow[i] ?? -1) >= 0) listed++
  return listed
}
