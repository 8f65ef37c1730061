import type { ChainFeatureName, ExpiryFeatureName } from '../../../shared/model/feature-registry.ts'
import { calendarTests } from './calendar-arbitrage.ts'
import type { ExpiryMarket } from './expiry-market.ts'
import { atMid, type LiveLegs } from './live-legs.ts'
import { parityTests } from './parity-arbitrage.ts'
import { addTests, noTests, noteTest, type Tests } from './tests-made.ts'

export type ArbitrageFigures = Record<
  Extract<
    ExpiryFeatureName,
    | 'verticalArbitrage'
    | 'butterflyArbitrage'
    | 'parityArbitrage'
    | 'worstArbitrage'
    | 'midViolations'
    | 'arbitrageNUsed'
    | 'arbitrageNTotal'
    | 'arbitrageQuality'
  >,
  number
>

/**
 * Tests one expiry at executable prices: what is sold gets the bid, what is bought pays the ask. Violations at mids are
 * counted apart, as a measure of quality: even good chains have them by the dozen.
 */
export function expiryArbitrage(market: ExpiryMarket): ArbitrageFigures {
  const { terms, exerciseStyle } = market.expiry
  const { spot } = terms
  // An American spread can be exercised for its whole width at once, a European one is worth the discounted width.
  const perWidth = exerciseStyle === 'american' ? Math.max(1, terms.discount) : terms.discount
  const [vertical, butterfly, midVertical, midButterfly] = [noTests(), noTests(), noTests(), noTests()]
  for (const legs of [market.calls, market.puts]) {
    testVerticals(legs, perWidth, spot, vertical)
    testButterflies(legs, spot, butterfly)
    const mids = atMid(legs)
    testVerticals(mids, perWidth, spot, midVertical)
    testButterflies(mids, spot, midButterfly)
  }
  const parity = parityTests(market)
  const all = noTests()
  for (const tests of [vertical, butterfly, parity]) addTests(all, tests)
  return {
    verticalArbitrage: findings(vertical),
    butterflyArbitrage: findings(butterfly),
    parityArbitrage: findings(parity),
    midViolations: midButterfly.made > 0 ? midVertical.found + midButterfly.found : NaN,
    ...summary(all),
  }
}

/** Of two neighbours the one further out must not be worth more, nor less by more than their distance. */
function testVerticals({ count, place, ask, bid, listed }: LiveLegs, perWidth: number, spot: number, out: Tests): void {
  out.allowed += Math.max(0, 2 * (listed - 1))
  for (let i = 1; i < count; i++) {
    const width = (place[i] ?? NaN) - (place[i - 1] ?? NaN)
    noteTest(out, (bid[i] ?? NaN) - (ask[i - 1] ?? NaN), spot)
    noteTest(out, (bid[i - 1] ?? NaN) - (ask[i] ?? NaN) - perWidth * width, spot)
  }
}

/** Of three neighbours the middle one must not be worth more than the mixture of the outer two that pays as much. */
function testButterflies({ count, place, ask, bid, listed }: LiveLegs, spot: number, out: Tests): void {
  out.allowed += Math.max(0, listed - 2)
  for (let i = 1; i + 1 < count; i++) {
    // One by one: taken apart as an array they would be one, and garbage, for each test.
    const low = place[i - 1] ?? NaN
    const middle = place[i] ?? NaN
    const high = place[i + 1] ?? NaN
    const share = (high - middle) / (high - low)
    noteTest(out, (bid[i] ?? NaN) - share * (ask[i - 1] ?? NaN) - (1 - share) * (ask[i + 1] ?? NaN), spot)
  }
}

function findings({ made, found }: Tests): number {
  return made > 0 ? found : NaN
}

type Summary = Pick<ArbitrageFigures, 'worstArbitrage' | 'arbitrageNUsed' | 'arbitrageNTotal' | 'arbitrageQuality'>

function summary({ made, allowed, worst }: Tests): Summary {
  return {
    worstArbitrage: made > 0 && worst < Infinity ? worst : NaN,
    arbitrageNUsed: made,
    arbitrageNTotal: allowed,
    arbitrageQuality: allowed > 0 ? (100 * made) / allowed : 0,
  }
}

/** Adds up expiries, `figures` of which are given in the same order, and tests neighbouring ones against each other. */
export function chainArbitrage(
  markets: readonly ExpiryMarket[],
  figures: readonly ArbitrageFigures[],
): ArbitrageFigures & Record<Extract<ChainFeatureName, 'calendarArbitrage'>, number> {
  const calendar = calendarTests(markets)
  const all = noTests()
  addTests(all, calendar)
  for (const { arbitrageNUsed, arbitrageNTotal, worstArbitrage } of figures) {
    addTests(all, { made: arbitrageNUsed, allowed: arbitrageNTotal, found: 0, worst: worstArbitrage || 0 })
  }
  return {
    verticalArbitrage: sumKnown(figures, 'verticalArbitrage'),
    butterflyArbitrage: sumKnown(figures, 'butterflyArbitrage'),
    parityArbitrage: sumKnown(figures, 'parityArbitrage'),
    calendarArbitrage: findings(calendar),
    midViolations: sumKnown(figures, 'midViolations'),
    ...summary(all),
  }
}

/** NaN where none is known. */
function sumKnown(figures: readonly ArbitrageFigures[], name: keyof ArbitrageFigures): number {
  let sum = NaN
  for (const { [name]: value } of figures) {
    if (!Number.isNaN(value)) sum = (Number.isNaN(sum) ? 0 : sum) + value
  }
  return sum
}
