import type { CommittedSlot, PendingSlot } from '../../../shared/store/queries/ledger.ts'
import { factOfCommit } from './facts-of-commits.ts'
import { type SlotFact, slotFact } from './slot-rows.ts'

/** What the stream and the commit log say of a message that was acknowledged and is not known as stored. */
export interface Evidence {
  /** The commit log at the sequences in question. */
  readonly commits: ReadonlyMap<number, CommittedSlot>
  /** When the stream was made. */
  readonly createdMs: number
  readonly firstSeq: number
  readonly lastSeq: number
  /** Sequences within the stream that hold no message any more. */
  readonly gone: ReadonlySet<number>
}

/** Returns what became of a pending slot; null while its message waits in the stream. */
export function settle(
  pending: PendingSlot,
  { createdMs, commits, firstSeq, lastSeq, gone }: Evidence,
  graceMs: number,
): SlotFact | null {
  const { streamSeq, slotMs, sessionDay, coverage } = pending
  const slot = { atMs: slotMs, day: sessionDay, coverage }
  // Reported before this stream was made. What stands at its sequence now is likely one of its kind, since passes go on in the same order.
  if (pending.storedAtMs < createdMs) return goneFact(pending, slot)
  const committed = commits.get(streamSeq)
  if (committed?.outcome === 'dead-lettered') {
    const detail = `message ${streamSeq} of CHAINS is a dead letter`
    return slotFact(pending, slot, { state: 'missing', reason: 'dead_lettered', detail, streamSeq })
  }
  // Stored, but not for this slot: a fetch of what the stream had already. Another chain's is of a stream made anew.
  if (committed?.underlying === pending.underlying) {
    const own = committed.slotMs === slotMs ? factOfCommit(committed, graceMs) : null
    return own ?? slotFact(pending, slot, { state: 'unchanged' })
  }
  if (streamSeq < firstSeq) {
    const detail = `message ${streamSeq} of CHAINS was discarded before it was stored; the stream begins at ${firstSeq}`
    return slotFact(pending, slot, { state: 'missing', reason: 'retention', detail, streamSeq })
  }
  if (streamSeq <= lastSeq && !gone.has(streamSeq)) return null
  return goneFact(pending, slot)
}

function goneFact(pending: PendingSlot, slot: Parameters<typeof slotFact>[1]): SlotFact {
  const { streamSeq } = pending
  const detail = `message ${streamSeq} of CHAINS was acknowledged and is gone`
  return slotFact(pending, slot, { state: 'missing', reason: 'publisher_hole', detail, streamSeq })
}
