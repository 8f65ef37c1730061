import { dayOf } from './days.ts'
import { type ExerciseStyle, type RootFacts, type SettlementStyle, usIndexRoots } from './data/us-roots.ts'
import type { ExpirySpec } from './expiry.ts'

const usFacts: ReadonlyMap<string, RootFacts> = new Map(usIndexRoots.map((facts) => [facts.root, facts]))

/** What is on record of a US index root; undefined for the roots of equities and ETFs. */
export function usRootFacts(root: string): RootFacts | undefined {
  return usFacts.get(root)
}

/** How a US root settles: on the open or the close of its expiry date. */
export function settlementStyle(root: string): SettlementStyle {
  return usFacts.get(root)?.settlement ?? 'pm'
}

/** First expiry of European stock options at NSE (NSE circular of 2010-10-29); its index options always were. */
const nseEuropeanFrom = dayOf(2011, 1, 27)

/**
 * Returns whether an option may be exercised before it expires. US: by root, American unless on record as European.
 * NSE: European from the expiries of January 2011 on. Deribit: European.
 */
export function exerciseStyle({ zone, root, expiryDay }: Omit<ExpirySpec, 'underlying'>): ExerciseStyle {
  if (zone === 'America/New_York') return usFacts.get(root)?.exercise ?? 'american'
  if (zone === 'Asia/Kolkata') return expiryDay >= nseEuropeanFrom || root.endsWith('NIFTY') ? 'european' : 'american'
  return 'european'
}
