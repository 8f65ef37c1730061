/**
 * Which member should own each partition: the highest score of (member, partition) wins (rendezvous hashing), but nobody gets
 * more than his share. A function of the members alone, so that all of them come to the same answer without asking each other.
 */
export function assign(partitions: number, members: readonly string[]): readonly (string | null)[] {
  const share = Math.ceil(partitions / Math.max(1, members.length))
  const loads = new Map<string, number>()
  return Array.from({ length: partitions }, (_, partition) => {
    let best: string | null = null
    let bestScore = -1
    for (const member of members) {
      const score = scoreOf(member, partition)
      if ((loads.get(member) ?? 0) >= share || score < bestScore || (score === bestScore && member > (best ?? '')))
        continue
      best = member
      bestScore = score
    }
    if (best !== null) loads.set(best, (loads.get(best) ?? 0) + 1)
    return best
  })
}

/** FNV-1a-32 with the finalizer of MurmurHash3: FNV alone leaves names that differ at their end close to each other. */
function scoreOf(member: string, partition: number): number {
  let hash = 0x811c9dc5
  for (const character of `${member}/${partition}`) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
