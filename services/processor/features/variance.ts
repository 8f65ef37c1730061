import type { ChainColumns } from '../../../shared/model/snapshot.ts'
import { keptColumns } from '../../../shared/quant/kept-columns.ts'
import { varianceIndex } from '../../../shared/quant/variance-index.ts'
import type { ChainContext, SolvedExpiry } from './context.ts'

export type VarianceFeatureName =
  'varianceIndex' | 'varianceComplete' | 'varianceNUsed' | 'varianceNTotal' | 'varianceQuality'

const roomForQuotes = keptColumns('callBid', 'callAsk', 'putBid', 'putAsk')

/**
 * Computes the variance of one expiry from the quotes of all its strikes. The forward is the expiry's own, not Cboe's of the
 * strike with the smallest |C - P|: one strike is one quote's noise. Below the time floor there is none.
 */
export function varianceFeatures(context: ChainContext, expiry: SolvedExpiry): Record<VarianceFeatureName, number> {
  const { columns } = context
  const { strikes, terms, isSolved } = expiry
  const { count, strike, callRow, putRow } = strikes
  if (!isSolved) {
    return { varianceIndex: NaN, varianceComplete: NaN, varianceNUsed: 0, varianceNTotal: count, varianceQuality: 0 }
  }
  const { callBid, callAsk, putBid, putAsk } = roomForQuotes(count)
  gather(columns, callRow, count, callBid, callAsk)
  gather(columns, putRow, count, putBid, putAsk)
  const quotes = { count, strike, callBid, callAsk, putBid, putAsk }
  const { variance, isComplete, nUsed, nTotal, quality } = varianceIndex(quotes, terms)
  return {
    varianceIndex: variance,
    varianceComplete: Number.isNaN(variance) ? NaN : Number(isComplete),
    varianceNUsed: nUsed,
    varianceNTotal: nTotal,
    varianceQuality: quality,
  }
}

/** NaN for a leg that is not listed. */
function gather(
  { bid, ask }: ChainColumns,
  rows: Int32Array,
  count: number,
  bids: Float64Array,
  asks: Float64Array,
): void {
  for (let i = 0; i < count; i++) {
    const row = rows[i] ?? -1
    const isListed = row >= 0
    bids[i] = isListed ? (bid[row] ?? NaN) : NaN
    asks[i] = isListed ? (ask[row] ?? NaN) : NaN
  }
}
