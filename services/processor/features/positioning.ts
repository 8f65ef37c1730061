import { parseDay } from '../../../shared/calendar/days.ts'
import { instantOnDay, isZone } from '../../../shared/calendar/zones.ts'
import type { ExpiryFeatureName } from '../../../shared/model/feature-registry.ts'
import { rights, type SnapshotMeta } from '../../../shared/model/snapshot.ts'
import type { ChainContext } from './context.ts'

/** What is known of the contracts of one right. */
interface SideSums {
  volume: number
  premium: number
  openInterest: number
  /** Contracts whose volume is known; the stale volume of another session is known to be none of this one. */
  nVolume: number
  /** Contracts whose premium is known: not traded, or with a price. */
  nPremium: number
  nOpenInterest: number
}

/** Sums of one expiry or of several, added up in canonical order. */
export interface PositionSums {
  readonly calls: SideSums
  readonly puts: SideSums
  nContracts: number
  /** Contracts whose volume is known and none of another session. */
  nFresh: number
}

function noSide(): SideSums {
  return { volume: 0, premium: 0, openInterest: 0, nVolume: 0, nPremium: 0, nOpenInterest: 0 }
}

export function noPositions(): PositionSums {
  return { calls: noSide(), puts: noSide(), nContracts: 0, nFresh: 0 }
}

/** Start of the session's civil day, epoch seconds; -Infinity where the date or zone is not known. */
export function sessionStartS(meta: Pick<SnapshotMeta, 'sessionDate' | 'exchangeZone'>): number {
  const day = parseDay(meta.sessionDate)
  return day === null || !isZone(meta.exchangeZone) ? -Infinity : instantOnDay(meta.exchangeZone, day, 0) / 1000
}

type PositionContext = Pick<ChainContext, 'columns' | 'multiplier' | 'sessionStartS'>

/**
 * Sums volume, premium and open interest of `rows`. Volume whose last trade lies before the session is the one of a day
 * before, which providers carry along until the first trade; it counts 0. Without a last-trade time it counts.
 */
export function sumPositions(context: PositionContext, rows: Int32Array): PositionSums {
  const { columns, multiplier } = context
  const sums = noPositions()
  for (const row of rows) {
    const side = columns.right[row] === rights.call ? sums.calls : sums.puts
    const traded = contractsOf(columns.volume[row])
    const isStale = traded > 0 && (columns.lastTradeAtS[row] ?? NaN) < context.sessionStartS
    const openInterest = contractsOf(columns.openInterest[row])
    sums.nContracts++
    if (!Number.isNaN(traded)) {
      const volume = isStale ? 0 : traded
      const premium = volume === 0 ? 0 : volume * priceOf(columns, row) * multiplier
      side.volume += volume
      side.nVolume++
      if (!isStale) sums.nFresh++
      if (Number.isFinite(premium)) {
        side.premium += premium
        side.nPremium++
      }
    }
    if (!Number.isNaN(openInterest)) {
      side.openInterest += openInterest
      side.nOpenInterest++
    }
  }
  return sums
}

/** NaN where a count is not known. */
function contractsOf(value = NaN): number {
  return value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : NaN
}

/** Mid of a live quote, else the last trade; NaN without either. */
function priceOf({ bid, ask, last }: ChainContext['columns'], row: number): number {
  const low = bid[row] ?? NaN
  const high = ask[row] ?? NaN
  if (low > 0 && high >= low) return 0.5 * (low + high)
  const traded = last[row] ?? NaN
  return traded > 0 ? traded : NaN
}

export function addPositions(total: PositionSums, part: PositionSums): void {
  addSide(total.calls, part.calls)
  addSide(total.puts, part.puts)
  total.nContracts += part.nContracts
  total.nFresh += part.nFresh
}

function addSide(total: SideSums, part: SideSums): void {
  total.volume += part.volume
  total.premium += part.premium
  total.openInterest += part.openInterest
  total.nVolume += part.nVolume
  total.nPremium += part.nPremium
  total.nOpenInterest += part.nOpenInterest
}

interface Totals {
  readonly callVolume: number
  readonly putVolume: number
  readonly callPremium: number
  readonly putPremium: number
  readonly callOpenInterest: number
  readonly putOpenInterest: number
}

type Ratios = Record<Extract<ExpiryFeatureName, 'pcrVolume' | 'pcrPremium' | 'pcrOi'>, number>

export type PositionFigures = Totals &
  Ratios &
  Record<
    Extract<ExpiryFeatureName, 'volumeNUsed' | 'volumeQuality' | 'openInterestNUsed' | 'openInterestQuality'>,
    number
  >

/** The registry's figures of the sums; NaN, not 0, where not one contract of a right has a known figure. */
export function positioningOf({ calls, puts, nContracts, nFresh }: PositionSums): PositionFigures {
  const totals: Totals = {
    callVolume: known(calls.volume, calls.nVolume),
    putVolume: known(puts.volume, puts.nVolume),
    callPremium: known(calls.premium, calls.nPremium),
    putPremium: known(puts.premium, puts.nPremium),
    callOpenInterest: known(calls.openInterest, calls.nOpenInterest),
    putOpenInterest: known(puts.openInterest, puts.nOpenInterest),
  }
  const openInterestNUsed = calls.nOpenInterest + puts.nOpenInterest
  return {
    ...totals,
    ...putCallRatios(totals),
    volumeNUsed: calls.nVolume + puts.nVolume,
    volumeQuality: share(nFresh, nContracts),
    openInterestNUsed,
    openInterestQuality: share(openInterestNUsed, nContracts),
  }
}

function known(sum: number, count: number): number {
  return count > 0 && sum < Infinity ? sum : NaN
}

function share(part: number, whole: number): number {
  return whole > 0 ? (100 * part) / whole : 0
}

const minimumCallVolume = 200
const minimumCallOpenInterest = 1000

/** Put/call ratios; NaN where so few calls stand below that the ratio says nothing. */
export function putCallRatios(totals: Totals): Ratios {
  const { callVolume, putVolume, callPremium, putPremium, callOpenInterest, putOpenInterest } = totals
  const isTraded = callVolume >= minimumCallVolume
  return {
    pcrVolume: isTraded ? putVolume / callVolume : NaN,
    pcrPremium: isTraded && callPremium > 0 ? finite(putPremium / callPremium) : NaN,
    pcrOi: callOpenInterest >= minimumCallOpenInterest ? putOpenInterest / callOpenInterest : NaN,
  }
}

/** A call premium next to nothing overflows the ratio. */
function finite(ratio: number): number {
  return ratio < Infinity ? ratio : NaN
}
