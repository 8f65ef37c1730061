import { publishGap } from '../../../shared/bus/gaps.ts'
import type { LedgerDeps } from './ports.ts'
import type { SlotFact } from './slot-rows.ts'

const details: Readonly<Partial<Record<SlotFact['reason'], string>>> = {
  collector_down: 'no collector told of a pass; this slot is the first',
  pass_skipped: 'the collector came to no pass; this slot is the first',
}

/** Publishes gaps on `quality.gap.<underlying>`, at least once each. What a provider refused its collector has told already. */
export async function tellGaps(
  { publisher }: Pick<LedgerDeps, 'publisher'>,
  facts: readonly SlotFact[],
): Promise<void> {
  await Promise.all(
    facts.map(async ({ provider, underlying, slotMs, reason, detail }) => {
      if (reason === '') return
      const told = detail === '' ? (details[reason] ?? '') : detail
      const gap = { provider, underlying, scanId: '', reason, detail: told, expectedAtMs: slotMs }
      await publishGap(publisher, gap, `gap/${provider}/${underlying}/${slotMs}/${reason}`)
    }),
  )
}
