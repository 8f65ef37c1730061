import { isTicker } from '../../shared/model/ticker.ts'
import type { Clock } from '../../shared/runtime/clock.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import type { CollectorMetrics } from './metrics.ts'
import type { FetchedSnapshot, OptionChainProvider, PassItem } from './providers/provider.ts'
import type { CollectorOutput, StoredAck } from './publish.ts'
import { createRecentIds } from './recent-ids.ts'
import type { ScanStart } from './scan.ts'
import { type Schedule, UnchangedSlots } from './schedule.ts'
import type { ItemResult } from './tally.ts'

export interface ItemDeps {
  readonly provider: Pick<OptionChainProvider, 'now'>
  readonly output: CollectorOutput
  readonly metrics: CollectorMetrics
  readonly log: Logger
  /** The wall's, for how long things took. */
  readonly clock: Clock
  /** Null where the provider follows none. */
  readonly schedule: Schedule | null
  /** Told of each snapshot on its way, with its number among them, and of the acknowledgement still to come. */
  readonly onSent: (underlying: string, number: number, acked: Promise<StoredAck>) => void
}

export type CollectItem = (item: PassItem, scan: ScanStart, signal: AbortSignal) => Promise<ItemResult>

/** Returns the way of one item: fetch, then publish what is new; each ends as published, repeated or refused with a reason. */
export function createCollectItem({ provider, output, metrics, log, clock, schedule, onSent }: ItemDeps): CollectItem {
  const recent = createRecentIds()
  const unchanged = new UnchangedSlots()

  async function publish(fetched: FetchedSnapshot, startedAtMs: number): Promise<ItemResult> {
    const { meta, columns } = fetched.snapshot
    const { provider: name, underlying, snapshotId } = meta
    const rejectsByReason = fetched.rejectsByReason ?? rejectsOf(fetched)
    const contracts = columns.length
    const slot = schedule?.slotOf(underlying, startedAtMs) ?? null
    const chain = `${name}\0${underlying}`
    if (!recent.isNew(name, underlying, snapshotId)) {
      if (slot !== null) unchanged.repeated(chain, slot.atMs)
      return { kind: 'repeated', contracts, rejectsByReason }
    }
    const placed = slot === null ? {} : { slot: { ...slot, unchangedBefore: unchanged.taken(chain) } }
    const published = await output.publishSnapshot({ meta: { ...meta, ...placed }, columns })
    if (published.kind === 'too_large') {
      return { kind: 'refused', reason: 'too_large', detail: `${published.bytes} bytes for ${contracts} contracts` }
    }
    onSent(underlying, published.number, published.acked)
    metrics.contracts.inc({ provider: name }, contracts)
    metrics.publishedBytes.inc({ provider: name }, published.bytes)
    metrics.marketTimeSeconds.set({ provider: name }, meta.marketTimeMs / 1000)
    countRejects(metrics, name, rejectsByReason)
    if (meta.listed > contracts) log.warn({ provider: name, underlying, snapshotId, rejectsByReason }, 'rows rejected')
    return { kind: 'published', contracts, rejectsByReason }
  }

  return async function collectItem(item, { scanId, provider: name, startedAtMs }, signal) {
    const startedMs = clock()
    const outcome = await item.fetch({ scanId, signal })
    metrics.fetchSeconds.observe({ provider: name }, (clock() - startedMs) / 1000)
    const result = outcome.kind === 'refused' ? outcome : await publish(outcome, startedAtMs)
    metrics.items.inc({ provider: name, outcome: result.kind })
    if (result.kind === 'refused') {
      const { reason } = result
      const { underlying, source } = item
      const detail = source === undefined ? result.detail : `${source}: ${result.detail}`
      metrics.refusals.inc({ provider: name, reason })
      countRejects(metrics, name, result.rejectsByReason ?? {})
      log.warn({ provider: name, underlying, scanId, reason, detail }, 'chain refused')
      // A file too broken to name an underlying is no gap of one.
      if (isTicker(underlying))
        await output.publishGap({ provider: name, underlying, scanId, reason, detail, expectedAtMs: provider.now() })
    }
    return result
  }
}

function rejectsOf({ snapshot }: FetchedSnapshot): NonNullable<FetchedSnapshot['rejectsByReason']> {
  const counts: Record<string, number> = {}
  for (const { reason } of snapshot.meta.rejects) counts[reason] = (counts[reason] ?? 0) + 1
  return counts
}

function countRejects(
  metrics: CollectorMetrics,
  provider: string,
  rejectsByReason: NonNullable<FetchedSnapshot['rejectsByReason']>,
): void {
  for (const [reason, count] of Object.entries(rejectsByReason)) metrics.rejects.inc({ provider, reason }, count)
}
