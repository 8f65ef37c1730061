import type { ChainColumns } from '../../../shared/model/snapshot.ts'
import { varianceIndex } from '../../../shared/quant/variance-index.ts'
import type { ChainContext, SolvedExpiry } from './context.ts'

export type VarianceFeatureName =
  'varianceIndex' | 'varianceComplete' | 'varianceNUsed' | 'varianceNTotal' | 'varianceQuality'

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
  const { bid, ask } = columns
  const quotes = {
    count,
    strike,
    callBid: gather(bid, callRow, count),
    callAsk: gather(ask, callRow, count),
    putBid: gather(bid, putRow, count),
    putAsk: gather(ask, putRow, count),
  }
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
function gather(column: ChainColumns['bid'], rows: Int32Array, count: number): Float64Array {
  const gathered = new Float64Array(count)
  for (let i = 0; i < count; i++) gathered[i] = column[rows[i] ?? -1] ?? NaN
  return gathered
}
