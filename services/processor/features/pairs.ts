import { ivCodes } from '../../../shared/model/features.ts'
import { type ChainColumns, rights } from '../../../shared/model/snapshot.ts'
import type { StrikePairs } from '../../../shared/quant/implied-forward.ts'

/** The strikes of one expiry with the row of either leg, -1 where it is not listed. Made once per chain and refilled. */
export interface PairColumns extends StrikePairs {
  count: number
  readonly callRow: Int32Array
  readonly putRow: Int32Array
}

export function createPairs(capacity: number): PairColumns {
  return {
    count: 0,
    strike: new Float64Array(capacity),
    callRow: new Int32Array(capacity),
    putRow: new Int32Array(capacity),
    callMid: new Float64Array(capacity),
    callSpread: new Float64Array(capacity),
    putMid: new Float64Array(capacity),
    putSpread: new Float64Array(capacity),
  }
}

/** Fills `pairs` from rows sorted by strike and right. Of several rows of one contract the first counts. */
export function pairLegs(columns: ChainColumns, rows: Int32Array, pairs: PairColumns): void {
  let at = -1
  let strike = NaN
  for (const row of rows) {
    const k = columns.strike[row] ?? NaN
    if (k !== strike) {
      strike = k
      at++
      pairs.strike[at] = k
      pairs.callRow[at] = -1
      pairs.putRow[at] = -1
      pairs.callMid[at] = NaN
      pairs.callSpread[at] = NaN
      pairs.putMid[at] = NaN
      pairs.putSpread[at] = NaN
    }
    const isCall = columns.right[row] === rights.call
    const legRow = isCall ? pairs.callRow : pairs.putRow
    if ((legRow[at] ?? -1) >= 0) continue
    legRow[at] = row
    const bid = columns.bid[row] ?? NaN
    const ask = columns.ask[row] ?? NaN
    if (!(bid > 0 && ask >= bid)) continue
    ;(isCall ? pairs.callMid : pairs.putMid)[at] = 0.5 * (bid + ask)
    ;(isCall ? pairs.callSpread : pairs.putSpread)[at] = ask - bid
  }
  pairs.count = at + 1
}

/** Why a leg without a mid has none; `row` -1 is a leg that is not listed. */
export function codeWithoutMid(columns: ChainColumns, row: number): number {
  const ask = columns.ask[row] ?? NaN
  return row >= 0 && ask > 0 && (columns.bid[row] ?? NaN) > ask ? ivCodes.crossed : ivCodes.no_bid
}
