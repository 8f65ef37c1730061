import type { OddSlot } from '../../../shared/store/queries/gaps.ts'

/** Slots of one underlying, one after the other, with the same fate for the same reason. */
export interface GapRun {
  readonly provider: string
  readonly underlying: string
  readonly state: OddSlot['state']
  readonly reason: OddSlot['reason']
  readonly fromMs: number
  /** Start of its last slot. */
  readonly toMs: number
  readonly slots: number
  /** Of its first slot. */
  readonly detail: string
}

/** @param slots by provider, underlying and time */
export function runsOf(slots: readonly OddSlot[]): readonly GapRun[] {
  const runs: GapRun[] = []
  for (const slot of slots) {
    const last = runs.at(-1)
    if (last !== undefined && goesOn(last, slot)) {
      runs[runs.length - 1] = { ...last, toMs: slot.slotMs, slots: last.slots + 1 }
    } else {
      const { provider, underlying, state, reason, slotMs, detail } = slot
      runs.push({ provider, underlying, state, reason, fromMs: slotMs, toMs: slotMs, slots: 1, detail })
    }
  }
  return runs
}

const goesOn = (run: GapRun, slot: OddSlot): boolean =>
  run.provider === slot.provider &&
  run.underlying === slot.underlying &&
  run.state === slot.state &&
  run.reason === slot.reason &&
  slot.slotMs - run.toMs === slot.intervalMs
