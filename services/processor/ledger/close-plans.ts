import { type CollectorBoot, knownSlots } from '../../../shared/store/queries/ledger.ts'
import { closeSlots, groupsOf, type Plan, type PlanGroup, plansOf, slotsToClose } from './closing.ts'
import { horizonMs, type LedgerDeps, type Progress } from './ports.ts'
import { storeFacts } from './slot-rows.ts'
import { tellGaps } from './tell-gaps.ts'

/** Slots times underlyings that are looked at in one go. */
const maxRows = 50_000

/**
 * Closes the slots that are over: what is not known of them by then is missing. Returns how far each plan is closed. Nobody else
 * can say this of a collector that is dead.
 */
export async function closePlans(
  deps: LedgerDeps,
  boots: readonly CollectorBoot[],
  before: Progress['closed'],
  signal: AbortSignal,
): Promise<Progress['closed']> {
  const options = { nowMs: deps.clock(), graceMs: deps.settings.slotGraceMs, horizonMs }
  const closed: Record<string, number> = {}
  for (const ofInstance of Map.groupBy(boots, ({ provider, instance }) => `${provider}/${instance}`).values()) {
    for (const plan of plansOf(ofInstance, options)) {
      for (const group of groupsOf(plan.boot)) {
        const key = `${plan.boot.provider}/${plan.boot.instance}/${plan.boot.boot}/${group.intervalMs}`
        const to = await closeGroup(deps, plan, group, before[key] ?? null, signal)
        if (to !== null) closed[key] = to
      }
    }
  }
  return closed
}

async function closeGroup(
  deps: LedgerDeps,
  plan: Plan,
  group: PlanGroup,
  before: number | null,
  signal: AbortSignal,
): Promise<number | null> {
  const { store, metrics } = deps
  const limit = Math.max(1, Math.floor(maxRows / group.underlyings.length))
  let closedTo = before
  while (!signal.aborted) {
    const slots = slotsToClose(plan, group, closedTo, limit)
    const [first, last] = [slots[0], slots.at(-1)]
    if (first === undefined || last === undefined) break
    const { provider } = plan.boot
    const known = await knownSlots(store.query, provider, first.atMs - group.intervalMs, last.atMs)
    const { facts, beginnings } = closeSlots(plan, group, slots, known)
    // Told first: once they are in the table they are known, and nobody would tell them after a kill in between.
    await tellGaps(deps, beginnings)
    await storeFacts(store, facts)
    for (const { state, reason } of facts) metrics.facts.inc({ state, reason })
    closedTo = last.atMs
  }
  return closedTo
}
