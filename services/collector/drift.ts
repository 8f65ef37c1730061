import type { Logger } from '../../shared/runtime/logger.ts'
import type { DriftObserver } from './providers/raw-chain.ts'

/** A provider that makes up names without end must not fill memory or log. */
const maxFields = 100

/** Returns an observer that tells each unknown field once. */
export function createDriftObserver(log: Logger, onFirst: () => void): DriftObserver {
  const seen = new Set<string>()
  return (field) => {
    if (seen.has(field) || seen.size >= maxFields) return
    seen.add(field)
    onFirst()
    log.warn({ field: field.slice(0, 100) }, 'provider sends an unknown field')
  }
}
