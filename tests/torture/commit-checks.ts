import type { CommitRow, History, Report } from './checker.ts'

/** Of the dead letter of a message whose owners died three times over it. */
export const givenUpReason = 'crashed_processor'

/** Each sequence once, in an unbroken chain from the beginning of the stream, by ever later owners. */
export function checkCommits({ commits, attempted, extra }: History, report: Report): void {
  const known = new Set([...[...attempted.values()].flat(), ...extra.keys()])
  const before = new Map<string, CommitRow>()
  const sorted = commits.toSorted((a, b) => a.seq - b.seq || a.epoch - b.epoch)
  for (const commit of sorted) {
    const { messageId, incarnation, partition, seq } = commit
    const at = placeOf(commit)
    if (!known.has(messageId)) report('unexpected', `${at} was never published`)
    const previous = before.get(`${incarnation} ${partition}`)
    before.set(`${incarnation} ${partition}`, commit)
    if (previous?.seq === seq) report('doubled', `${at} has two commit rows`)
    else if (commit.previousSeq !== (previous?.seq ?? 0))
      report('chain', `${at} names ${commit.previousSeq} before it, not ${previous?.seq ?? 0}`)
    if (previous === undefined) continue
    if (commit.epoch < previous.epoch) report('out of order', `${at} is of epoch ${commit.epoch}, after a later one`)
    if (commit.storedAtMs < previous.storedAtMs) report('out of order', `${at} became visible before ${previous.seq}`)
  }
}

const placeOf = ({ messageId, seq, partition }: CommitRow): string => `${messageId} at ${seq} of partition ${partition}`

/**
 * Each message is stored under one sequence of one incarnation; sent again later it is a duplicate there. No incarnation begins in
 * a run, so a message that is in a second one was read a second time, whatever became of it. It is given up, or it is stored.
 */
export function checkOutcomes({ commits, extra }: History, report: Report): void {
  const firstOf = new Map<string, CommitRow>()
  for (const commit of commits.toSorted((a, b) => a.seq - b.seq || a.epoch - b.epoch)) {
    const { messageId, incarnation, seq, outcome, reason } = commit
    const at = placeOf(commit)
    const first = firstOf.get(messageId)
    if (first === undefined) firstOf.set(messageId, commit)
    if (first !== undefined && first.incarnation !== incarnation)
      report('doubled', `${at} is ${outcome} in ${incarnation}, and was ${first.outcome} in ${first.incarnation}`)
    else if (first !== undefined && outcome === 'stored' && first.seq !== seq)
      report('doubled', `${at} is stored twice`)
    if (extra.has(messageId) || outcome === 'stored' || reason === givenUpReason) continue
    const isSentAgain = outcome === 'duplicate' && first !== undefined && first.seq !== seq
    if (!isSentAgain) report('unexpected', `${at} is ${outcome}`)
  }
}

/** Of the server's clock: between the moment a row of the fence is given its time and the one it can be seen. */
const fenceSlackMs = 1_000

/** From the taking of a partition on no owner before writes a commit row of it. */
export function checkFence({ commits, takings }: History, report: Report): void {
  for (const commit of commits) {
    const later = takings.find(
      ({ partition, epoch, takenAtMs }) =>
        partition === commit.partition && epoch > commit.epoch && commit.storedAtMs > takenAtMs + fenceSlackMs,
    )
    if (later === undefined) continue
    const lateMs = commit.storedAtMs - later.takenAtMs
    report('fence', `${placeOf(commit)} is of epoch ${commit.epoch}, ${lateMs} ms after ${later.epoch} was taken`)
  }
}
