import type { CommittedSlot, Cursors } from '../../../shared/store/queries/ledger.ts'
import { type SlotFact, slotFact, slotIn } from './slot-rows.ts'

/**
 * Follows the unbroken `previous_seq` chains of the commit log from some cursors on. Returns the rows in them and the new cursors:
 * what stands behind a break is not settled yet and is read again. A break before what the stream still has stays one for good, since
 * no owner can fill it: it is passed over, as they do.
 *
 * @param rows by partition and sequence
 * @param firstSeq first sequence the stream still has
 * @param beginSeq where a partition of which nothing is read yet begins: what its first row names as the one before it
 */
export function unbroken(
  rows: readonly CommittedSlot[],
  cursors: Cursors,
  firstSeq: number,
  beginSeq = 0,
): { readonly rows: readonly CommittedSlot[]; readonly cursors: Cursors } {
  const ends: Record<string, number> = { ...cursors }
  const followed = rows.filter(({ partition, streamSeq, previousSeq }) => {
    const end = ends[partition] ?? beginSeq
    // The same message under a second epoch comes right behind the first and is passed over.
    const goesOn = previousSeq === end || (previousSeq > end && previousSeq < firstSeq)
    if (!goesOn || streamSeq <= end) return false
    ends[partition] = streamSeq
    return true
  })
  return { rows: followed, cursors: ends }
}

/** Returns what a commit row says of its slot; null when it was fetched for none. */
export function factOfCommit(row: CommittedSlot, graceMs: number): SlotFact | null {
  const { outcome, slotMs, intervalMs, lagMs } = row
  // A dead letter says nothing of itself; its slot is found by the sequence that was reported.
  if (outcome !== 'stored' && outcome !== 'duplicate') return null
  const slot = slotMs === 0 ? null : slotIn(row.zone, intervalMs, slotMs)
  if (slot === null) return null
  if (outcome === 'duplicate' || row.contentUnchanged) return slotFact(row, slot, { state: 'unchanged' })
  if (lagMs <= intervalMs + graceMs) return slotFact(row, slot, { state: 'delivered' })
  return slotFact(row, slot, { state: 'late', detail: `received ${Math.round(lagMs / 1000)} s after its slot began` })
}
