import type { SnapshotMeta } from './snapshot.ts'
import { uuidOf } from './uuid.ts'

/**
 * Returns the id of a snapshot: the same content at the same provider time is the same snapshot, however often it is
 * fetched. A mere fetch time says nothing about the market, so then the session date stands in for it.
 */
export function snapshotId(
  meta: Pick<SnapshotMeta, 'provider' | 'underlying' | 'timeKind' | 'providerTimeMs' | 'sessionDate' | 'contentHash'>,
): string {
  const time = meta.timeKind === 'fetch' ? meta.sessionDate : new Date(meta.providerTimeMs).toISOString()
  return uuidOf('snapshot', meta.provider, meta.underlying, time, meta.contentHash)
}
