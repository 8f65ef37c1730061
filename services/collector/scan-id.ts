import { createHash } from 'node:crypto'

/**
 * Returns `20260716T151647Z-1a2b3c4d`: when a pass began on the provider's clock, and what it set out to fetch. The same
 * recording gives the same id every time.
 */
export function scanIdOf(provider: string, universe: readonly string[], startedAtMs: number): string {
  const stamp = new Date(startedAtMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const hash = createHash('sha256').update(JSON.stringify([provider, startedAtMs, universe]))
  return `${stamp}-${hash.digest('hex').slice(0, 8)}`
}
