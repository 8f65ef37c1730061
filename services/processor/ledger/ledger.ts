import { setTimeout as delay } from 'node:timers/promises'
import { type Bucket, openBucket } from '../../../shared/bus/bucket.ts'
import { readBoots } from '../../../shared/store/queries/ledger.ts'
import { readCommits } from './commit-log.ts'
import { closePlans } from './close-plans.ts'
import { LossWatch } from './loss-watch.ts'
import { horizonMs, type LedgerDeps, type Progress, progressSchema } from './ports.ts'
import { allReportsRead, consumeReports } from './reports.ts'

export interface Ledger {
  run(signal: AbortSignal): Promise<void>
}

const progressKey = 'gap-ledger'
const nothing: Progress = { commits: {}, closed: {} }

/**
 * Keeps the gap ledger: says of every slot what became of it.
 *
 * Consumes pass reports on `quality.pass.>` and the commit log; produces rows of `gaps_v1` and `collectors_v1`, and gaps on
 * `quality.gap.<underlying>`. Every processor runs one. A fact is a row whose rank decides, so several writers, redelivery and a
 * kill at any moment change nothing; how far the looking has come stands in the bucket `cursors`, written after the rows.
 */
export async function createLedger(deps: LedgerDeps): Promise<Ledger> {
  const bucket = await openBucket(deps.bus, 'cursors')
  return {
    async run(signal) {
      const over = new AbortController()
      const either = AbortSignal.any([signal, over.signal])
      try {
        await Promise.all([consumeReports(deps, either), look(deps, bucket, either)])
      } finally {
        over.abort()
      }
    },
  }
}

async function look(deps: LedgerDeps, bucket: Bucket, signal: AbortSignal): Promise<void> {
  const { settings, metrics, log } = deps
  const losses = new LossWatch(deps)
  while (!signal.aborted) {
    await delay(settings.ledgerIntervalMs, undefined, { signal }).catch(() => {})
    try {
      await lookOnce(deps, bucket, losses, signal)
    } catch (err) {
      if (signal.aborted) return
      metrics.errors.inc()
      log.warn({ err }, 'gap ledger could not look, trying again')
    }
  }
}

async function lookOnce(deps: LedgerDeps, bucket: Bucket, losses: LossWatch, signal: AbortSignal): Promise<void> {
  const entry = await bucket.get(progressKey)
  const before = progressSchema.safeParse(entry?.value).data ?? nothing
  const commits = await readCommits(deps, before.commits, signal)
  const boots = await readBoots(deps.store.query, deps.clock() - horizonMs)
  // A report that still waits says of slots what nobody else can.
  const mayClose = await allReportsRead(deps.bus)
  const closed = mayClose ? await closePlans(deps, boots, before.closed, signal) : before.closed
  await losses.look(boots)
  const after = { commits, closed }
  if (JSON.stringify(after) === JSON.stringify(before)) return
  // Lost to another processor's ledger: it has looked at the same, and its rows are the same.
  if (entry === null) await bucket.create(progressKey, after)
  else await bucket.update(progressKey, after, entry.revision)
}
