import { parseDay } from '../../../../shared/calendar/days.ts'
import { usMultiplier } from '../../../../shared/calendar/multiplier.ts'
import { rights } from '../../../../shared/model/snapshot.ts'
import { isTicker } from '../../../../shared/model/ticker.ts'
import { assembleSnapshot } from '../../assemble.ts'
import { absentIsZero, atLeast, nonZero, positiveOrNull } from '../numbers.ts'
import { refusalOfTime } from '../plausible-time.ts'
import { type FetchOutcome, refused } from '../provider.ts'
import type { DriftObserver } from '../raw-chain.ts'
import { readOptionsDesk } from './wire.ts'

/** Yahoo states up to 15 minutes (`exchangeDataDelayedBy`), which the recorder did not keep: the largest stands. */
const optionsDeskDelayMs = 15 * 60_000
const zone = 'America/New_York'
/** Yahoo's search for an IV starts at 1e-5 and halves its way; what it leaves below 0.1 % is "not found", never a volatility. */
const leastIv = 0.001

export interface OptionsDeskContext {
  readonly scanId: string
  /** The wall's: a chain from the future is refused. */
  readonly nowMs: number
  readonly onDrift: DriftObserver
}

/** Turns a parsed document of the recorder into a snapshot. The rules per field are in docs/numeric-fields.md. */
export function normalizeOptionsDesk(document: unknown, context: OptionsDeskContext): FetchOutcome {
  const { scanId, nowMs, onDrift } = context
  const chain = readOptionsDesk(document, onDrift)
  if ('kind' in chain) return chain
  const fetchedAtMs = instantOfIso(chain.updated)
  if (fetchedAtMs === null) return refused('no_time', 'updated missing or unreadable')
  const untimely = refusalOfTime(fetchedAtMs, nowMs)
  if (untimely !== null) return untimely
  const underlying = underlyingOfYahooSymbol(chain.symbol)
  if (!isTicker(underlying)) return refused('schema', 'symbol is no ticker')
  const { symbols, numbers, texts } = chain.rows
  return assembleSnapshot({
    scanId,
    provider: 'options_desk',
    underlying,
    zone,
    multiplier: usMultiplier,
    spot: positiveOrNull(chain.underlyingPrice),
    rawSpot: chain.underlyingPrice,
    timeKind: 'fetch',
    providerTimeMs: fetchedAtMs,
    delayMs: optionsDeskDelayMs,
    receivedAtMs: fetchedAtMs,
    raw: chain.rows,
    values: {
      bid: numbers.bid,
      ask: numbers.ask,
      last: nonZero(numbers.last),
      volume: absentIsZero(numbers.volume),
      openInterest: numbers.openInterest,
      providerIv: atLeast(leastIv, numbers.iv),
      providerDelta: numbers.delta,
      providerGamma: numbers.gamma,
      providerTheta: numbers.theta,
      providerVega: numbers.vega,
      providerRho: numbers.rho,
    },
    claims: {
      expiryDay: Float64Array.from(symbols, (_, i) => expiryDayOf(texts.expiration[i] ?? null)),
      right: Float64Array.from(symbols, (_, i) => rightOf(texts.side[i] ?? null)),
      strike: numbers.strike,
    },
  })
}

/** `^SPX` is `SPX`, `BRK-B` is `BRK.B`. */
export const underlyingOfYahooSymbol = (symbol: string): string =>
  symbol.replace(/^\^/, '').replaceAll('-', '.').toUpperCase()

/** Text that is no date contradicts every symbol, and is rejected as such. */
const expiryDayOf = (text: string | null): number => (text === null ? NaN : (parseDay(text) ?? Infinity))

function rightOf(side: string | null): number {
  if (side === null) return NaN
  // A word that is neither contradicts every symbol, and is rejected as such.
  return side === 'call' ? rights.call : side === 'put' ? rights.put : 0
}

/** ISO 8601 with `Z` or an offset; without one the text names no instant. */
export function instantOfIso(text: string | null): number | null {
  if (text === null || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text)) return null
  const instantMs = Date.parse(text)
  return Number.isNaN(instantMs) ? null : instantMs
}
