import type { ExpiryMarket } from './expiry-market.ts'
import type { LiveLegs } from './live-legs.ts'
import { noTests, noteTest, type Tests } from './tests-made.ts'

/**
 * Tests neighbouring expiries of a root at equal forward moneyness K/F: an option that expires first must not be worth more,
 * in units of D F, than one that expires later. At one moneyness that is bid total variance(T1) > ask total variance(T2),
 * since price rises with total variance; no volatility is needed for it.
 *
 * Everything is taken at its worst: forwards at the side of their market that makes the later option dear, its price between
 * two strikes as linear, which is what a mixture of both costs and is above the price there. That hides edges and adds none.
 *
 * American options are tested at equal strikes: the later one can be exercised whenever the earlier one is, whatever the
 * dividends, and their forwards are off by early exercise.
 */
export function calendarTests(markets: readonly ExpiryMarket[]): Tests {
  const out = noTests()
  for (const [at, later] of markets.entries()) {
    const first = markets[at - 1]
    if (first?.expiry.root !== later.expiry.root || !(first.expiry.expiryAtS < later.expiry.expiryAtS)) continue
    out.allowed += first.expiry.strikes.count
    const { spot } = first.expiry.terms
    const forward = 0.5 * (first.forward.bid + first.forward.ask)
    if (later.expiry.exerciseStyle === 'american') {
      testSide(first.calls, later.calls, { stretch: 1, value: 1, from: forward, spot }, out)
      testSide(first.puts, later.puts, { stretch: 1, value: 1, from: -forward, spot }, out)
      continue
    }
    // A call is dear at a low strike, a put at a high one.
    const low = later.forward.bid / first.forward.ask
    const high = later.forward.ask / first.forward.bid
    const value = first.expiry.terms.discount / later.expiry.terms.discount / low
    testSide(first.calls, later.calls, { stretch: low, value, from: forward, spot }, out)
    testSide(first.puts, later.puts, { stretch: high, value, from: -forward, spot }, out)
  }
  return out
}

interface Terms {
  /** From a strike of the first expiry to the same moneyness in the later one. */
  readonly stretch: number
  /** What a unit of the later expiry's price is worth in the first's, both in units of D F. */
  readonly value: number
  /** Legs from here on are out of the money; NaN where a forward is not known. */
  readonly from: number
  readonly spot: number
}

function testSide(near: LiveLegs, far: LiveLegs, { stretch, value, from, spot }: Terms, out: Tests): void {
  let right = 1
  for (let i = 0; i < near.count; i++) {
    const place = near.place[i] ?? NaN
    if (!(place > from)) continue
    const same = place * stretch
    while (right < far.count && (far.place[right] ?? NaN) < same) right++
    const low = far.place[right - 1] ?? NaN
    const high = far.place[right] ?? NaN
    if (right >= far.count || !(low <= same)) continue
    const share = (high - same) / (high - low)
    const paid = share * (far.ask[right - 1] ?? NaN) + (1 - share) * (far.ask[right] ?? NaN)
    noteTest(out, (near.bid[i] ?? NaN) - value * paid, spot)
  }
}
