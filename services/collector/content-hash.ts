import { createHash } from 'node:crypto'
import type { RawChain } from './providers/raw-chain.ts'

/** Bytes of SHA-256 that are kept; 16 are as many as a UUID has. */
const hashBytes = 16

/**
 * Returns 32 hex digits over the spot and the provider's own columns, contracts sorted by symbol: what tells whether a
 * chain says anything new. Taken before normalisation, so that a better normaliser does not make old chains new.
 * Doubles enter as their little-endian bytes, missing as the one NaN.
 */
export function contentHash(spot: number | null, { symbols, numbers, texts }: RawChain): string {
  const order = symbolOrder(symbols)
  const hash = createHash('sha256').update(`${symbols.length}\n${spot ?? 'none'}\n`)
  hash.update(order.map((i) => symbols[i]).join('\n'))
  const sorted = new Float64Array(order.length)
  for (const [name, values] of Object.entries(numbers)) {
    // Adding 0 makes -0 and 0 one.
    for (let k = 0; k < order.length; k++) sorted[k] = (values[order[k] as number] as number) + 0
    hash.update(`\n${name}\n`).update(new Uint8Array(sorted.buffer))
  }
  for (const [name, values] of Object.entries(texts)) {
    hash.update(`\n${name}\n`).update(order.map((i) => values[i] ?? '\0').join('\n'))
  }
  return hash.digest('hex').slice(0, hashBytes * 2)
}

function symbolOrder(symbols: readonly string[]): number[] {
  const order = symbols.map((_, i) => i)
  return order.sort((a, b) => {
    const [left, right] = [symbols[a] as string, symbols[b] as string]
    return left < right ? -1 : left > right ? 1 : a - b
  })
}
