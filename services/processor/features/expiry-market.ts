import type { ChainColumns } from '../../../shared/model/snapshot.ts'
import type { SolvedExpiry } from './context.ts'
import { type ForwardMarket, forwardMarket, type SyntheticForwards, syntheticForwards } from './forward-market.ts'
import { type LiveLegs, liveLegs } from './live-legs.ts'

/** What can be traded of one expiry. */
export interface ExpiryMarket {
  readonly expiry: SolvedExpiry
  readonly calls: LiveLegs
  readonly puts: LiveLegs
  readonly pairs: SyntheticForwards
  readonly forward: ForwardMarket
}

export function expiryMarket(columns: ChainColumns, expiry: SolvedExpiry): ExpiryMarket {
  const pairs = syntheticForwards(columns, expiry)
  return {
    expiry,
    calls: liveLegs(columns, expiry.strikes, 1),
    puts: liveLegs(columns, expiry.strikes, -1),
    pairs,
    forward: forwardMarket(pairs),
  }
}
