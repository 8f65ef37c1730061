import { type Slot, slotsBetween } from '../../../shared/calendar/slots.ts'
import { isZone, type Zone } from '../../../shared/calendar/zones.ts'
import type { CollectorBoot, KnownSlot } from '../../../shared/store/queries/ledger.ts'
import { type SlotFact, slotFact } from './slot-rows.ts'

/** The stretch of market time over which one start of a collector says what is expected. */
export interface Plan {
  readonly boot: CollectorBoot
  readonly zone: Zone
  /** The slot this lies in is the first expected. */
  readonly fromMs: number
  /** Slots that begin before this are expected. */
  readonly toMs: number
  /** Slots that end by this are over: what is not known of them by now did not come. */
  readonly overMs: number
}

export interface PlanOptions {
  readonly nowMs: number
  /** A slot is over so long after its end: what came in it may still be on its way here. */
  readonly graceMs: number
  /** A plan stands so long after its collector's last sign of life, unless another start takes its place. */
  readonly horizonMs: number
}

/**
 * Returns what each start of one collector expects. Its plan stands until the next start of the instance: a collector that is
 * dead had one too. A live provider's time goes on by the wall, any other's only with passes.
 *
 * @param boots all of one provider and instance, in the order of their first report
 */
export function plansOf(boots: readonly CollectorBoot[], { nowMs, graceMs, horizonMs }: PlanOptions): readonly Plan[] {
  return boots.flatMap((boot, i) => {
    if (!isZone(boot.zone)) return []
    const { delayMs, lastStartedMs, ended } = boot
    const later = boots.slice(i + 1)
    const next = later[0]
    // A market that was set back (a simulation begun anew) ends the plan where it had come to.
    const standsTo = next === undefined ? lastStartedMs + horizonMs : Math.max(next.plannedFromMs, lastStartedMs + 1)
    const toMs = ended ? lastStartedMs + 1 : Math.min(standsTo, lastStartedMs + horizonMs)
    const clockMs = boot.live ? nowMs : Math.max(lastStartedMs, ...later.map((other) => other.lastStartedMs))
    const overMs = ended ? Infinity : clockMs - graceMs
    return [
      {
        boot,
        zone: boot.zone,
        fromMs: boot.plannedFromMs - delayMs,
        toMs: toMs - delayMs,
        overMs: overMs - delayMs,
      },
    ]
  })
}

/** Underlyings of a plan that share an interval. */
export interface PlanGroup {
  readonly intervalMs: number
  readonly underlyings: readonly string[]
}

export function groupsOf({ underlyings, ownIntervalsMs, intervalMs }: CollectorBoot): readonly PlanGroup[] {
  const byInterval = Map.groupBy(underlyings, (underlying) => ownIntervalsMs[underlying] ?? intervalMs)
  return [...byInterval].map(([interval, names]) => ({ intervalMs: interval, underlyings: names }))
}

/** Returns the expected slots of a group that are over and begin after those already closed, in order, at most `limit`. */
export function slotsToClose(
  plan: Plan,
  { intervalMs }: PlanGroup,
  closedToMs: number | null,
  limit: number,
): readonly Slot[] {
  const fromMs = closedToMs === null ? plan.fromMs - intervalMs + 1 : closedToMs + 1
  const slots = slotsBetween(plan.zone, intervalMs, fromMs, Math.min(plan.toMs, plan.overMs), limit)
  return slots.filter(({ untilMs }) => untilMs <= plan.overMs && untilMs > plan.fromMs)
}

export interface Closing {
  readonly facts: readonly SlotFact[]
  /** Those of them that begin a run: the slot before them was something else. */
  readonly beginnings: readonly SlotFact[]
}

/**
 * Returns the slots of which nothing is known, as missing. Those of an unpublished year are no such thing: the session is a guess.
 *
 * @param known what is known from the slot before the first on
 */
export function closeSlots(
  { boot }: Plan,
  { intervalMs, underlyings }: PlanGroup,
  slots: readonly Slot[],
  known: readonly KnownSlot[],
): Closing {
  const states = new Map(known.map(({ underlying, slotMs, reason }) => [`${slotMs} ${underlying}`, reason]))
  const facts: SlotFact[] = []
  const beginnings: SlotFact[] = []
  const missing = { state: 'missing', reason: 'collector_down' } as const
  for (const slot of slots) {
    if (slot.coverage === 'unpublished') continue
    for (const underlying of underlyings) {
      const key = `${slot.atMs} ${underlying}`
      if (states.has(key)) continue
      const fact = slotFact({ provider: boot.provider, underlying, intervalMs }, slot, missing)
      facts.push(fact)
      if (states.get(`${slot.atMs - intervalMs} ${underlying}`) !== 'collector_down') beginnings.push(fact)
      states.set(key, 'collector_down')
    }
  }
  return { facts, beginnings }
}
