import { slotAt, type Slot } from '../../../shared/calendar/slots.ts'
import { isZone, type Zone } from '../../../shared/calendar/zones.ts'
import { type GapReason, rankOf, slotStates, type SlotState } from '../../../shared/model/gap.ts'
import { insertStatement, TableBuffer } from '../../../shared/store/table-buffer.ts'
import { gapRows } from '../../../shared/store/tables.ts'
import type { Store } from '../../../shared/store/connect.ts'

/** One fact about one slot: a row of `gaps_v1`. */
export interface SlotFact {
  readonly provider: string
  readonly underlying: string
  readonly slotMs: number
  /** Days since 1970-01-01. */
  readonly day: number
  readonly intervalMs: number
  readonly coverage: Slot['coverage']
  readonly state: SlotState
  /** Empty unless missing. */
  readonly reason: GapReason | ''
  readonly detail: string
  /** Of CHAINS; 0 where there is none, or nobody asks any more. */
  readonly streamSeq: number
}

type What = Pick<SlotFact, 'state'> & Partial<Pick<SlotFact, 'reason' | 'detail' | 'streamSeq'>>

export const slotFact = (
  { provider, underlying, intervalMs }: Pick<SlotFact, 'provider' | 'underlying' | 'intervalMs'>,
  { atMs, day, coverage }: Pick<Slot, 'atMs' | 'day' | 'coverage'>,
  { state, reason = '', detail = '', streamSeq = 0 }: What,
): SlotFact => ({ provider, underlying, slotMs: atMs, day, intervalMs, coverage, state, reason, detail, streamSeq })

/** The slot of an instant in a zone as somebody else named it; null outside sessions and for a zone that is not ours. */
export const slotIn = (zone: string, intervalMs: number, atMs: number): Slot | null =>
  isZone(zone) && intervalMs > 0 ? slotAt(zone satisfies Zone, intervalMs, atMs) : null

const coverages = { published: 1, by_rule: 2, unpublished: 3 } as const
const statement = insertStatement(gapRows)

/** Writes facts in one insert. Written twice, or by several, they are the same rows. */
export async function storeFacts(store: Store, facts: readonly SlotFact[]): Promise<void> {
  if (facts.length === 0) return
  const buffer = new TableBuffer(gapRows)
  const { columns } = buffer
  for (const fact of facts) {
    columns.provider.appendText(fact.provider)
    columns.underlying.appendText(fact.underlying)
    columns.slot.append(fact.slotMs)
    columns.session_date.append(fact.day)
    columns.interval_ms.append(fact.intervalMs)
    columns.state.append(slotStates[fact.state])
    columns.reason.appendText(fact.reason)
    columns.detail.appendText(fact.detail)
    columns.coverage.append(coverages[fact.coverage])
    columns.stream_seq.append(fact.streamSeq)
    columns.rank.append(rankOf(fact.state, fact.reason))
  }
  await store.insert(statement, buffer.encode())
}
