/** Remembers the last snapshot ids of each chain, to tell a repeated fetch. */
export interface RecentIds {
  /** True the first time, and again after it has been forgotten. */
  isNew(provider: string, underlying: string, snapshotId: string): boolean
}

/** A cache in front of a provider may serve old and new files in turn; more than two at a time was never seen. */
const idsPerChain = 16

export function createRecentIds(): RecentIds {
  const byChain = new Map<string, Set<string>>()
  return {
    isNew(provider, underlying, snapshotId) {
      const key = `${provider}\0${underlying}`
      const ids = byChain.get(key) ?? new Set()
      byChain.set(key, ids)
      if (ids.has(snapshotId)) return false
      ids.add(snapshotId)
      const [oldest] = ids
      if (ids.size > idsPerChain && oldest !== undefined) ids.delete(oldest)
      return true
    },
  }
}
