import { ivCodes } from '../../../shared/model/features.ts'
import { type ChainColumns, rights } from '../../../shared/model/snapshot.ts'
import type { StrikePairs } from '../../../shared/quant/implied-forward.ts'
import type { GreekColumns, IvColumns } from '../../../shared/quant/implied-volatility.ts'

/**
 * Strikes in canonical order, one row for each strike of each expiry, with the row of either leg (-1 where it is not
 * listed). Mids are NaN without a two-sided, uncrossed quote. From `right` on the columns are of the leg out of the money.
 */
export interface StrikeColumns extends StrikePairs, IvColumns, GreekColumns {
  count: number
  readonly callRow: Int32Array
  readonly putRow: Int32Array
  /** 1 call, 2 put: the leg out of the money against the forward. */
  readonly right: Int8Array
  readonly price: Float64Array
  /** Early exercise in vol points. */
  readonly biasVp: Float64Array
}

export function createStrikes(capacity: number): StrikeColumns {
  const column = () => new Float64Array(capacity)
  return {
    count: 0,
    strike: column(),
    callRow: new Int32Array(capacity),
    putRow: new Int32Array(capacity),
    callMid: column(),
    callSpread: column(),
    putMid: column(),
    putSpread: column(),
    right: new Int8Array(capacity),
    price: column(),
    iv: column(),
    ivCode: new Uint8Array(capacity),
    delta: column(),
    gamma: column(),
    vega: column(),
    theta: column(),
    rho: column(),
    vanna: column(),
    charm: column(),
    volga: column(),
    biasVp: column(),
  }
}

/** A view of so many strikes from `start` on; it shares their memory. */
export function strikesFrom(strikes: StrikeColumns, start: number, capacity: number): StrikeColumns {
  const to = start + capacity
  return {
    count: 0,
    strike: strikes.strike.subarray(start, to),
    callRow: strikes.callRow.subarray(start, to),
    putRow: strikes.putRow.subarray(start, to),
    callMid: strikes.callMid.subarray(start, to),
    callSpread: strikes.callSpread.subarray(start, to),
    putMid: strikes.putMid.subarray(start, to),
    putSpread: strikes.putSpread.subarray(start, to),
    right: strikes.right.subarray(start, to),
    price: strikes.price.subarray(start, to),
    iv: strikes.iv.subarray(start, to),
    ivCode: strikes.ivCode.subarray(start, to),
    delta: strikes.delta.subarray(start, to),
    gamma: strikes.gamma.subarray(start, to),
    vega: strikes.vega.subarray(start, to),
    theta: strikes.theta.subarray(start, to),
    rho: strikes.rho.subarray(start, to),
    vanna: strikes.vanna.subarray(start, to),
    charm: strikes.charm.subarray(start, to),
    volga: strikes.volga.subarray(start, to),
    biasVp: strikes.biasVp.subarray(start, to),
  }
}

/** Fills `strikes` from rows sorted by strike and right. Of several rows of one contract the first counts. */
export function pairLegs(columns: ChainColumns, rows: Int32Array, strikes: StrikeColumns): void {
  let at = -1
  let strike = NaN
  for (const row of rows) {
    const k = columns.strike[row] ?? NaN
    if (k !== strike) {
      strike = k
      at++
      strikes.strike[at] = k
      strikes.callRow[at] = -1
      strikes.putRow[at] = -1
      strikes.callMid[at] = NaN
      strikes.callSpread[at] = NaN
      strikes.putMid[at] = NaN
      strikes.putSpread[at] = NaN
    }
    const isCall = columns.right[row] === rights.call
    const legRow = isCall ? strikes.callRow : strikes.putRow
    if ((legRow[at] ?? -1) >= 0) continue
    legRow[at] = row
    const bid = columns.bid[row] ?? NaN
    const ask = columns.ask[row] ?? NaN
    if (!(bid > 0 && ask >= bid)) continue
    ;(isCall ? strikes.callMid : strikes.putMid)[at] = 0.5 * (bid + ask)
    ;(isCall ? strikes.callSpread : strikes.putSpread)[at] = ask - bid
  }
  strikes.count = at + 1
}

/** Why a leg without a mid has none; `row` -1 is a leg that is not listed. */
export function codeWithoutMid(columns: ChainColumns, row: number): number {
  const ask = columns.ask[row] ?? NaN
  return row >= 0 && ask > 0 && (columns.bid[row] ?? NaN) > ask ? ivCodes.crossed : ivCodes.no_bid
}
