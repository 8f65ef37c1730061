import type { Service } from '../../shared/runtime/run-service.ts'
import { createCollectItem, type ItemDeps } from './collect-item.ts'
import { type Collecting, PassLog } from './pass-log.ts'
import { planPass } from './plan.ts'
import type { OptionChainProvider, Pass } from './providers/provider.ts'
import type { CollectorOutput, StoredAck } from './publish.ts'
import { endStatus, type ScanStart, scanRecord } from './scan.ts'
import { scanIdOf } from './scan-id.ts'
import { sideBySide } from './side-by-side.ts'
import { createSummary, type IngestSummary } from './summary.ts'
import { emptyTally, type ItemResult, type Tally, tallied } from './tally.ts'

export interface CollectorDeps extends Omit<ItemDeps, 'onSent' | 'schedule'> {
  readonly provider: OptionChainProvider
  /** Null takes every underlying the provider has. */
  readonly wanted: ReadonlySet<string> | null
  /** Who reports its passes to the gap ledger; null where nothing says what is due. */
  readonly collecting: Collecting | null
  /** Called after each item. */
  readonly onProgress?: (progress: Progress) => void
}

export interface Progress {
  readonly pass: Pass['position']
  readonly underlying: string
  readonly result: ItemResult
  /** Items of this pass that are done, of those planned. */
  readonly done: number
  readonly planned: number
}

export interface Collector extends Service {
  summary(): IngestSummary
}

/**
 * Consumes a provider; produces snapshots on CHAINS, scan records, gaps and a report of each pass.
 *
 * Every item of a pass ends as published, repeated or refused with a reason. A pass ends only when every snapshot of it is
 * acknowledged, so its record never promises what the stream does not have. A message that cannot be published ends the
 * service: what it held is fetched again, under the same ids.
 */
export function createCollector(deps: CollectorDeps): Collector {
  const { provider, wanted, collecting, output, metrics, log, clock, onProgress } = deps
  const schedule = collecting?.schedule ?? null
  const passLog = collecting === null ? null : new PassLog(collecting)
  const summary = createSummary()
  const acks = createAcks((streamSeq) => summary.acked(streamSeq))
  const collectItem = createCollectItem({
    ...deps,
    schedule,
    onSent(underlying, number, acked) {
      acks.add(acked)
      passLog?.sent(underlying, number, acked)
    },
  })

  async function runPass(pass: Pass, signal: AbortSignal): Promise<void> {
    const startedMs = clock()
    const all = planPass(pass.items, wanted)
    const items = schedule?.due(all, pass.startedAtMs) ?? all
    const start = scanStart(pass, items)
    let tally = emptyTally
    await beginLog(passLog, output, pass, all)
    summary.passStarted()
    await output.publishScan(scanRecord(start, tally, 'running', null))
    await sideBySide(items, provider.capabilities.maxConcurrency, signal, async (item) => {
      const result = await collectItem(item, start, signal)
      tally = tallied(tally, result)
      summary.add(item.underlying, result)
      passLog?.done(item.underlying, result)
      const { underlying } = item
      onProgress?.({ pass: pass.position, underlying, result, done: tally.files, planned: items.length })
    })
    await acks.all()
    const status = endStatus(start, tally, signal.aborted)
    await output.publishScan(scanRecord(start, tally, status, provider.now()))
    if (passLog !== null) await output.publishPass(passLog.report(pass.provider, start.scanId))
    metrics.passes.inc({ provider: pass.provider, status })
    log.info({ ...passFacts(start, tally), status, durationMs: clock() - startedMs }, 'pass done')
  }

  return {
    name: 'collector',
    summary: () => summary.summary(),
    async run(signal) {
      for await (const pass of provider.passes(signal)) {
        await runPass(pass, signal)
        if (signal.aborted) return
      }
      const ended = signal.aborted ? null : (passLog?.ended(provider.name) ?? null)
      if (ended !== null) await output.publishPass(ended)
      const { passes, totals, lastStreamSeq } = summary.summary()
      log.info({ passes, ...totals, lastStreamSeq }, 'provider ended')
    },
  }
}

/** Says what there is to fetch, before the first pass of a start. */
async function beginLog(
  passLog: PassLog | null,
  output: CollectorOutput,
  { provider, startedAtMs }: Pass,
  items: Pass['items'],
): Promise<void> {
  if (passLog === null) return
  const isFirst = passLog.begin(
    items.map(({ underlying }) => underlying),
    startedAtMs,
  )
  if (isFirst) await output.publishPass(passLog.announcement(provider))
}

function scanStart({ provider, startedAtMs }: Pass, items: Pass['items']): ScanStart {
  const universe = items.map(({ underlying }) => underlying)
  return { scanId: scanIdOf(provider, universe, startedAtMs), provider, startedAtMs, planned: items.length }
}

function passFacts({ scanId, provider, planned }: ScanStart, tally: Tally): Readonly<Record<string, unknown>> {
  const { snapshots, repeated, refused, contracts } = tally
  return { scanId, provider, planned, snapshots, repeated, refused, contracts }
}

/** Acknowledgements under way: a pass goes on publishing while the server stores. */
function createAcks(onAcked: (streamSeq: number) => void) {
  let pending: Promise<void>[] = []
  return {
    add(acked: Promise<StoredAck>): void {
      const noted = acked.then(({ streamSeq }) => onAcked(streamSeq))
      // Awaited at the end of the pass; until then a failure must not count as unhandled.
      noted.catch(() => {})
      pending.push(noted)
    },
    async all(): Promise<void> {
      const waited = pending
      pending = []
      await Promise.all(waited)
    },
  }
}
