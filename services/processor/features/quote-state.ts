import { type ChainColumns, contractFlags } from '../../../shared/model/snapshot.ts'
import { keptColumns } from '../../../shared/quant/kept-columns.ts'
import { weightedMedian } from '../../../shared/quant/weighted-quantile.ts'

/** How the quotes of a chain stand, over the contracts that take part in features. */
export interface QuoteStates {
  readonly nTwoSided: number
  readonly nOneSided: number
  readonly nLocked: number
  readonly nCrossed: number
  readonly nUnquoted: number
  readonly nStaleVolume: number
  readonly medianSpreadPct: number
}

const { crossed, locked, one_sided: oneSided, unquoted, stale_volume: staleVolume } = contractFlags

/** Flags of one quote: at most one of crossed, locked, one-sided, unquoted. */
function stateOf(bid: number, ask: number): number {
  if (!(ask > 0)) return bid > 0 ? oneSided : unquoted
  if (!(bid > 0)) return oneSided
  return bid > ask ? crossed : bid === ask ? locked : 0
}

/** Adds to `flags` the state of every contract's quote and volume. */
export function markQuoteStates(columns: ChainColumns, sessionStartS: number, flags: Uint16Array): void {
  for (let i = 0; i < columns.length; i++) {
    const isStale = (columns.lastTradeAtS[i] ?? NaN) < sessionStartS && (columns.volume[i] ?? NaN) > 0
    const state = stateOf(columns.bid[i] ?? NaN, columns.ask[i] ?? NaN) | (isStale ? staleVolume : 0)
    flags[i] = (columns.flags[i] ?? 0) | state
  }
}

const roomForSpreads = keptColumns('spreads', 'ones')

/** Counts the states of `rows`, whose flags have been marked. */
export function countQuoteStates(columns: ChainColumns, rows: Int32Array, flags: Uint16Array): QuoteStates {
  const { spreads, ones } = roomForSpreads(rows.length)
  const counts = { nTwoSided: 0, nOneSided: 0, nLocked: 0, nCrossed: 0, nUnquoted: 0, nStaleVolume: 0 }
  for (const row of rows) {
    const state = flags[row] ?? 0
    if ((state & staleVolume) !== 0) counts.nStaleVolume++
    if ((state & oneSided) !== 0) counts.nOneSided++
    else if ((state & unquoted) !== 0) counts.nUnquoted++
    else if ((state & crossed) !== 0) counts.nCrossed++
    else if ((state & locked) !== 0) counts.nLocked++
    else {
      const bid = columns.bid[row] ?? NaN
      const ask = columns.ask[row] ?? NaN
      spreads[counts.nTwoSided++] = (200 * (ask - bid)) / (bid + ask)
    }
  }
  ones.fill(1, 0, counts.nTwoSided)
  return { ...counts, medianSpreadPct: weightedMedian(spreads, ones, counts.nTwoSided) }
}
