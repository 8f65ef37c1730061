import { createHash } from 'node:crypto'
import type { ChainColumns } from '../../../../shared/model/snapshot.ts'

/**
 * Returns 32 hex digits over spot and columns. The simulator's own columns are the provider's: in canonical order already, and
 * without symbols, which would cost more to spell and sort than the whole chain to make.
 */
export function columnsHash(spot: number, { length, roots, ...columns }: ChainColumns): string {
  const hash = createHash('sha256').update(`${length}\n${spot}\n${roots.join(' ')}`)
  for (const [name, values] of Object.entries(columns)) {
    hash.update(`\n${name}\n`).update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  }
  return hash.digest('hex').slice(0, 32)
}
