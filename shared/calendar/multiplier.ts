import { nseLots } from './data/nse-lots.ts'
import { usMiniRoots } from './data/us-roots.ts'
import { dayAtStart } from './days.ts'
import type { ExpirySpec } from './expiry.ts'
import { isAdjustedRoot } from './occ.ts'

/** Shares of a US equity or ETF contract, dollars per index point of an index contract. */
export const usMultiplier = 100

/** Deribit's inverse options: one coin. Its linear ones have sizes of their own, not on record here. */
const deribitCoins: ReadonlySet<string> = new Set(['BTC', 'ETH'])
const miniRoots: ReadonlySet<string> = new Set(usMiniRoots.roots)

interface Lot {
  readonly lot: number
  readonly expiries: Span
  readonly days: Span
}
type Span = readonly [from: number, to: number]

const nseLotsByRoot: ReadonlyMap<string, readonly Lot[]> = new Map(
  Object.entries(Object.groupBy(nseLots, ({ root }) => root)).map(([root, rows = []]) => [
    root,
    rows.map(({ lot, expiries, days }) => ({ lot, expiries: spanOf(expiries), days: spanOf(days) })),
  ]),
)

function spanOf([from, to]: readonly [string | null, string | null]): Span {
  return [from === null ? -Infinity : (dayAtStart(from) ?? NaN), to === null ? Infinity : (dayAtStart(to) ?? NaN)]
}

const isIn = ([from, to]: Span, day: number): boolean => day >= from && day <= to

/**
 * Returns how many units of the underlying a contract stands for, as seen on `day` (days since 1970-01-01 in the market's
 * zone), or null where that is not on record: an adjusted root, an NSE stock, an NSE index at a time without a source.
 */
export function multiplierOf(spec: ExpirySpec & { readonly day: number }): number | null {
  const { zone, root, underlying, expiryDay, day } = spec
  if (zone === 'America/New_York') {
    if (miniRoots.has(root)) return usMiniRoots.shares
    return isAdjustedRoot(root, underlying) ? null : usMultiplier
  }
  if (zone === 'UTC') return deribitCoins.has(root) ? 1 : null
  const rows = nseLotsByRoot.get(root) ?? []
  return rows.find(({ expiries, days }) => isIn(expiries, expiryDay) && isIn(days, day))?.lot ?? null
}
