import type { RowTable, Segment } from './ports.ts'
import { type RowCounts, rowTables } from './ports.ts'

/*
 * The decisions the guarantees hang on, each a pure function. They are passed in as one object, so that a simulation can put a
 * wrong one in the place of each and show that its checker notices.
 */

/**
 * The cursor: the end of the unbroken `previous_seq` chain. A chain begins at what the stream has discarded, or where the
 * incarnation begins; null when it does not, and everything the stream still has must be read again.
 */
function chainEnd(segments: readonly Segment[], firstSeq: number, beginSeq: number): Segment | null {
  const [first] = segments
  if (first === undefined) return null
  return first.previousSeq < firstSeq || first.previousSeq === beginSeq ? first : null
}

/** Tables a snapshot still has to be written to: those that do not have exactly all of its rows. */
const tablesToWrite = (counts: RowCounts, present: RowCounts | undefined): readonly RowTable[] =>
  rowTables.filter((table) => counts[table] > 0 && present?.[table] !== counts[table])

/** True when the message at the cursor is the one that was committed there. */
const isSameMessage = (committedId: string, streamId: string): boolean => committedId === streamId

/** A copy of what is stored, or of what the flushes under way will store. */
const isDuplicate = ({ isHeld, isStored }: { readonly isHeld: boolean; readonly isStored: boolean }): boolean =>
  isHeld || isStored

/** Deaths over one message, after the first that nobody can pin on any, before it is given up unread. */
const isGivenUp = (deaths: number): boolean => deaths >= 2

/** Of two readings of one server's start. Both are rounded to seconds. */
const hasStartedAgain = (knownS: number, startedS: number): boolean => startedS > knownS + 1

/** Of a renewal, when it came: those who waited for the leases have to be told, or nothing may ever wake them. */
const endsWaiting = (couldWrite: boolean): boolean => !couldWrite

/** Of the answer to one's own writing: somebody else has written since, and the watch was faster in telling so. */
const isOverwritten = (revision: number, toldRevision: number): boolean => revision < toldRevision

export const deliveryRules = {
  chainEnd,
  tablesToWrite,
  isSameMessage,
  isDuplicate,
  isGivenUp,
  hasStartedAgain,
  endsWaiting,
  isOverwritten,
}
export type DeliveryRules = typeof deliveryRules
