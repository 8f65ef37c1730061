import { ivCodes } from '../../../shared/model/features.ts'
import { type ChainColumns, rights } from '../../../shared/model/snapshot.ts'
import type { StrikePairs } from '../../../shared/quant/implied-forward.ts'
import type { GreekColumns, IvColumns } from '../../../shared/quant/implied-volatility.ts'
import type { ExposedStrikes } from './exposures.ts'

/**
 * Strikes in canonical order, one row for each strike of each expiry, with the row of either leg (-1 where it is not
 * listed). Mids are NaN without a two-sided, uncrossed quote. From `right` on the columns are of the leg out of the money.
 */
export interface StrikeColumns extends StrikePairs, IvColumns, GreekColumns, ExposedStrikes {
  count: number
  readonly callRow: Int32Array
  readonly putRow: Int32Array
  /** 1 call, 2 put: the leg out of the money against the forward. */
  readonly right: Int8Array
  readonly price: Float64Array
  /** Early exercise in vol points. */
  readonly biasVp: Float64Array
  /** See `LiveLegs`. */
  readonly calls: LegColumns
  readonly puts: LegColumns
  /** See `SyntheticForwards`. */
  readonly pairs: PairColumns
}

type LegColumns = Readonly<Record<'place' | 'ask' | 'bid', Float64Array>>
type PairColumns = Readonly<Record<'strike' | 'bid' | 'ask' | 'nearSpread', Float64Array>>

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
    callGex: column(),
    putGex: column(),
    dex: column(),
    vex: column(),
    cex: column(),
    netInterest: column(),
    openInterest: column(),
    nUsed: new Uint8Array(capacity),
    calls: { place: column(), ask: column(), bid: column() },
    puts: { place: column(), ask: column(), bid: column() },
    pairs: { strike: column(), bid: column(), ask: column(), nearSpread: column() },
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
