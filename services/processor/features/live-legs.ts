import type { ChainColumns } from '../../../shared/model/snapshot.ts'
import { keptColumns } from '../../../shared/quant/kept-columns.ts'
import type { StrikeColumns } from './strikes.ts'

/**
 * Legs of one right that can be traded, in an order in which prices fall and are convex: calls by ascending strike, puts by
 * descending strike with the strike's sign turned, so that what holds for calls holds for puts word for word.
 */
export interface LiveLegs {
  readonly count: number
  /** Strike of a call, minus the strike of a put; ascending. */
  readonly place: Float64Array
  /** What a buyer pays. */
  readonly ask: Float64Array
  /** What a seller gets; NaN where nobody bids. */
  readonly bid: Float64Array
  /** Legs listed, quoted or not. */
  readonly listed: number
}

/** A crossed quote is no quote. The legs are kept with their strikes. @param sign 1 calls, -1 puts */
export function liveLegs(columns: ChainColumns, strikes: StrikeColumns, sign: 1 | -1): LiveLegs {
  const rows = sign === 1 ? strikes.callRow : strikes.putRow
  const { place, ask, bid } = sign === 1 ? strikes.calls : strikes.puts
  let count = 0
  let listed = 0
  for (let step = 0; step < strikes.count; step++) {
    const i = sign === 1 ? step : strikes.count - 1 - step
    const row = rows[i] ?? -1
    if (row < 0) continue
    listed++
    const high = columns.ask[row] ?? NaN
    const low = columns.bid[row] ?? NaN
    if (!(high > 0 && high < Infinity) || low > high) continue
    place[count] = sign * (strikes.strike[i] ?? NaN)
    ask[count] = high
    bid[count] = low > 0 ? low : NaN
    count++
  }
  return { count, place, ask, bid, listed }
}

const roomForMids = keptColumns('midPlace', 'mid')

/** The same legs at mid, those without a bid left out. Good until the next call. */
export function atMid({ place, ask, bid, listed, count: quoted }: LiveLegs): LiveLegs {
  const { midPlace, mid } = roomForMids(quoted)
  let count = 0
  for (let i = 0; i < quoted; i++) {
    const value = 0.5 * ((bid[i] ?? NaN) + (ask[i] ?? NaN))
    if (Number.isNaN(value)) continue
    midPlace[count] = place[i] ?? NaN
    mid[count] = value
    count++
  }
  return { count, place: midPlace, ask: mid, bid: mid, listed }
}
