import { usMultiplier } from '../../../../shared/calendar/multiplier.ts'
import { parseZonedTime } from '../../../../shared/calendar/zones.ts'
import { isTicker } from '../../../../shared/model/ticker.ts'
import { assembleSnapshot } from '../../assemble.ts'
import { nonZero, positiveOrNull } from '../numbers.ts'
import { refusalOfTime } from '../plausible-time.ts'
import { type FetchOutcome, refused } from '../provider.ts'
import type { DriftObserver } from '../raw-chain.ts'
import { underlyingOfCboeSymbol } from './symbols.ts'
import { readCboe } from './wire.ts'

/** Cboe states 15 minutes; its file time is that much ahead of the newest trade in it. */
export const cboeDelayMs = 15 * 60_000
export const cboeZone = 'America/New_York'

export interface CboeContext {
  /** What was asked for. A document of another name is refused. Null where only the document can tell. */
  readonly underlying: string | null
  readonly scanId: string
  /** When the document came. A recorder may state less than the file time; then the file time stands. */
  readonly receivedAtMs: number
  /** The wall's: a chain from the future is refused. */
  readonly nowMs: number
  readonly onDrift: DriftObserver
}

/** Turns a parsed document of Cboe's into a snapshot. The rules per field are in docs/numeric-fields.md. */
export function normalizeCboe(document: unknown, context: CboeContext): FetchOutcome {
  const chain = readCboe(document, context.onDrift)
  if ('kind' in chain) return chain
  const said = chain.symbol === null ? null : underlyingOfCboeSymbol(chain.symbol)
  const underlying = context.underlying ?? said
  if (underlying === null || !isTicker(underlying)) return refused('schema', 'symbol is no ticker')
  if (said !== null && said !== underlying)
    return refused('schema', `chain of ${said} where ${underlying} was asked for`)
  const providerTimeMs = chain.timestamp === null ? null : parseZonedTime('UTC', chain.timestamp)
  if (providerTimeMs === null) return refused('no_time', 'timestamp missing or unreadable')
  const untimely = refusalOfTime(providerTimeMs, context.nowMs)
  if (untimely !== null) return untimely
  const { numbers, texts } = chain.rows
  return assembleSnapshot({
    scanId: context.scanId,
    provider: 'cboe',
    underlying,
    zone: cboeZone,
    multiplier: usMultiplier,
    spot: positiveOrNull(chain.currentPrice),
    rawSpot: chain.currentPrice,
    timeKind: 'file',
    providerTimeMs,
    delayMs: cboeDelayMs,
    receivedAtMs: Math.max(context.receivedAtMs, providerTimeMs),
    raw: chain.rows,
    values: {
      bid: numbers.bid,
      ask: numbers.ask,
      bidSize: numbers.bid_size,
      askSize: numbers.ask_size,
      last: nonZero(numbers.last_trade_price),
      lastTradeAtS: newYorkSeconds(texts.last_trade_time),
      volume: numbers.volume,
      openInterest: numbers.open_interest,
      providerIv: nonZero(numbers.iv),
      providerDelta: numbers.delta,
      providerGamma: numbers.gamma,
      providerTheta: numbers.theta,
      providerVega: numbers.vega,
      providerRho: numbers.rho,
    },
  })
}

function newYorkSeconds(texts: readonly (string | null)[]): Float64Array {
  return Float64Array.from(texts, (text) => {
    const instantMs = text === null ? null : parseZonedTime(cboeZone, text)
    return instantMs === null ? NaN : instantMs / 1000
  })
}
