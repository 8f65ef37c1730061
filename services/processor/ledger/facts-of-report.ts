import { slotsBetween } from '../../../shared/calendar/slots.ts'
import { isZone } from '../../../shared/calendar/zones.ts'
import type { PassReport } from '../../../shared/model/pass-report.ts'
import { type SlotFact, slotFact, slotIn } from './slot-rows.ts'

type What = Parameters<typeof slotFact>[2]

/** Returns what a pass says of its slots: each chain pending, unchanged or missing, and the slots that no pass of this boot came to. */
export function factsOfReport(report: PassReport): readonly SlotFact[] {
  if (report.scanId === null) return []
  const facts: SlotFact[] = []
  const add = (underlying: string, what: What): void => {
    const fact = factOf(report, underlying, what)
    if (fact !== null) facts.push(fact)
  }
  for (const [underlying, , streamSeq] of report.published) add(underlying, { state: 'pending', streamSeq })
  for (const underlying of report.repeated) add(underlying, { state: 'unchanged' })
  for (const [underlying, reason, detail] of report.refused) add(underlying, { state: 'missing', reason, detail })
  return [...facts, ...skippedSlots(report)]
}

const intervalOf = ({ ownIntervalsMs, intervalMs }: PassReport, underlying: string): number =>
  ownIntervalsMs[underlying] ?? intervalMs

function factOf(report: PassReport, underlying: string, what: What): SlotFact | null {
  const { provider, exchangeZone, startedAtMs, delayMs } = report
  const intervalMs = intervalOf(report, underlying)
  const slot = slotIn(exchangeZone, intervalMs, startedAtMs - delayMs)
  if (slot === null) return null
  // Of an unpublished year nothing counts as missing; what was refused was tried for all the same.
  return slotFact({ provider, underlying, intervalMs }, slot, what)
}

/** A pass that lasts longer than the interval leaves out the ones that would have begun meanwhile. */
const maxSkipped = 100_000

function skippedSlots(report: PassReport): readonly SlotFact[] {
  const { provider, exchangeZone, previousStartedAtMs, startedAtMs, delayMs, underlyings } = report
  if (previousStartedAtMs === null || !isZone(exchangeZone)) return []
  const byInterval = Map.groupBy(underlyings, (underlying) => intervalOf(report, underlying))
  const facts: SlotFact[] = []
  for (const [intervalMs, names] of byInterval) {
    const reached = slotIn(exchangeZone, intervalMs, startedAtMs - delayMs)
    // Outside the sessions every slot that has begun is over.
    const toMs = reached?.atMs ?? startedAtMs - delayMs
    const limit = Math.floor(maxSkipped / names.length)
    const between = slotsBetween(exchangeZone, intervalMs, previousStartedAtMs - delayMs + 1, toMs, limit)
    for (const slot of between) {
      if (slot.coverage === 'unpublished') continue
      for (const underlying of names) {
        facts.push(slotFact({ provider, underlying, intervalMs }, slot, { state: 'missing', reason: 'pass_skipped' }))
      }
    }
  }
  return facts
}
