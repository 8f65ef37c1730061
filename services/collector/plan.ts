import type { PassItem } from './providers/provider.ts'

/**
 * Returns which of a pass's items are due, in their order: all of them, or those of the wanted underlyings. A recording may
 * hold an underlying twice; both are due.
 */
export function planPass(items: readonly PassItem[], wanted: ReadonlySet<string> | null): readonly PassItem[] {
  return wanted === null ? items : items.filter(({ underlying }) => wanted.has(underlying))
}

/** `spy, brk-b ,SPY` is `SPY, BRK.B`: canonical tickers, each once, in order. */
export function canonicalTickers(given: readonly string[]): readonly string[] {
  return [
    ...new Set(
      given.map((ticker) =>
        ticker
          .trim()
          .replace(/^[\^_]/, '')
          .replaceAll('-', '.')
          .toUpperCase(),
      ),
    ),
  ]
}
