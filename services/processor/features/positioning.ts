import { instantOnDay, isZone } from '../../../shared/calendar/zones.ts'
import { parseDay } from '../../../shared/calendar/days.ts'
import { type ChainColumns, rights, type SnapshotMeta } from '../../../shared/model/snapshot.ts'

/** Sums of one expiry or of a whole chain. Whole contracts, so the order of summing does not matter. */
export interface PositionSums {
  callVolume: number
  putVolume: number
  callOpenInterest: number
  putOpenInterest: number
}

export function noPositions(): PositionSums {
  return { callVolume: 0, putVolume: 0, callOpenInterest: 0, putOpenInterest: 0 }
}

/** Start of the session's civil day, epoch seconds; -Infinity where the date or zone is not known. */
export function sessionStartS(meta: Pick<SnapshotMeta, 'sessionDate' | 'exchangeZone'>): number {
  const day = parseDay(meta.sessionDate)
  return day === null || !isZone(meta.exchangeZone) ? -Infinity : instantOnDay(meta.exchangeZone, day, 0) / 1000
}

/**
 * Sums volume and open interest, unknown ones as 0. Volume whose last trade lies before the session is the one of a day
 * before, which providers carry along until the first trade; it counts 0. Without a last-trade time it counts.
 */
export function sumPositions(columns: ChainColumns, rows: Int32Array, startS: number): PositionSums {
  const sums = noPositions()
  for (const row of rows) {
    const volume = (columns.lastTradeAtS[row] ?? NaN) < startS ? 0 : contractsOf(columns.volume[row])
    const openInterest = contractsOf(columns.openInterest[row])
    if (columns.right[row] === rights.call) {
      sums.callVolume += volume
      sums.callOpenInterest += openInterest
    } else {
      sums.putVolume += volume
      sums.putOpenInterest += openInterest
    }
  }
  return sums
}

function contractsOf(value = NaN): number {
  return value > 0 && value < Infinity ? value : 0
}

export function addPositions(total: PositionSums, part: PositionSums): void {
  total.callVolume += part.callVolume
  total.putVolume += part.putVolume
  total.callOpenInterest += part.callOpenInterest
  total.putOpenInterest += part.putOpenInterest
}

const minimumCallVolume = 200
const minimumCallOpenInterest = 1000

/** Put/call ratios; null where so few calls stand below that the ratio says nothing. */
export function putCallRatios(sums: PositionSums): { pcrVolume: number | null; pcrOi: number | null } {
  return {
    pcrVolume: sums.callVolume < minimumCallVolume ? null : sums.putVolume / sums.callVolume,
    pcrOi: sums.callOpenInterest < minimumCallOpenInterest ? null : sums.putOpenInterest / sums.callOpenInterest,
  }
}
