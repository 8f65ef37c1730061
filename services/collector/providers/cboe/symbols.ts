/** Indices stand behind an underscore in Cboe's paths. */
const indices: ReadonlySet<string> = new Set('SPX NDX RUT VIX XSP DJX OEX XEO MRUT XND RUI RLG RLV CBTX'.split(' '))

/** `SPX` is `_SPX` in the path, `IWM` stays; what a path must not hold is percent-encoded. */
export function cboePathSymbol(underlying: string): string {
  return encodeURIComponent(indices.has(underlying) ? `_${underlying}` : underlying)
}

/** `^SPX` and `_SPX` are `SPX`. */
export const underlyingOfCboeSymbol = (symbol: string): string => symbol.replace(/^[\^_]/, '').toUpperCase()
