import { refusalReasons } from './snapshot.ts'

/** What became of a slot, the Enum8 of `gaps_v1`. `pending`: published by the collector, not committed yet. */
export const slotStates = { pending: 1, missing: 2, unchanged: 3, late: 4, delivered: 5 } as const
export type SlotState = keyof typeof slotStates

/** Why a slot is missing. Closed set: it is a metric label. */
export const gapReasons = [
  ...refusalReasons,
  /** No collector told of a pass for it. */
  'collector_down',
  /** The collector ran on and came to no pass within it. */
  'pass_skipped',
  /** Published and acknowledged, and gone from the stream before it was stored. */
  'publisher_hole',
  /** The stream discarded it as too old or too much before it was stored. */
  'retention',
  'dead_lettered',
  /** Of no slot: the stream discarded messages before the archiver had them. They may be stored all the same. */
  'not_archived',
] as const
export type GapReason = (typeof gapReasons)[number]

/**
 * Of two facts about one slot the higher rank stands: the version of its row. What is known rises with each fact, so facts may
 * come in any order, twice, and from several writers.
 */
export function rankOf(state: SlotState, reason: GapReason | ''): number {
  if (state !== 'missing') return { pending: 4, unchanged: 6, late: 7, delivered: 8 }[state]
  if (reason === 'collector_down') return 1
  if (reason === 'pass_skipped') return 2
  return reason === 'publisher_hole' || reason === 'retention' || reason === 'dead_lettered' ? 5 : 3
}

/** An expected chain that did not come; JSON on `quality.gap.<underlying>`. */
export interface Gap {
  readonly provider: string
  readonly underlying: string
  /** Empty where no pass came to it. */
  readonly scanId: string
  readonly reason: GapReason
  readonly detail: string
  /** Epoch milliseconds on the provider's clock; of a run of slots its first; of `not_archived` when it was noticed, by the wall. */
  readonly expectedAtMs: number
}
