import { z } from 'zod'
import type { Bus } from '../../../shared/bus/connect.ts'
import { backlogOf, type DurableMessage, openDurable } from '../../../shared/bus/durable.ts'
import { decodeJson } from '../../../shared/bus/messages.ts'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import { type PassReport, passReportSchema } from '../../../shared/model/pass-report.ts'
import { storeReport } from '../../../shared/store/queries/ledger.ts'
import { untilAnswered } from '../../../shared/store/retry.ts'
import { inBatches } from './batches.ts'
import { factsOfReport } from './facts-of-report.ts'
import type { LedgerDeps } from './ports.ts'
import { tellGaps } from './tell-gaps.ts'
import { type SlotFact, storeFacts } from './slot-rows.ts'

interface ReadReport {
  readonly report: PassReport
  readonly facts: readonly SlotFact[]
  readonly streamSeq: number
}

const consumer = {
  stream: 'QUALITY',
  durable: 'gap-ledger',
  filterSubject: 'quality.pass.>',
  // Of a processor that was killed with reports in hand another one should not have to wait long.
  ackWaitMs: 10_000,
} as const

/** True when every report published so far is in the tables, whichever ledger had it. */
export const allReportsRead = async (bus: Bus): Promise<boolean> => (await backlogOf(bus, consumer)) === 0

const maxBatch = 64
const maxWaitMs = 100

/** Turns pass reports into facts, until the signal aborts. A report is acknowledged after its rows are in the table. */
export async function consumeReports(deps: LedgerDeps, signal: AbortSignal): Promise<void> {
  const { bus } = deps
  await using source = await openDurable(bus, consumer, signal)
  for await (const batch of inBatches(source, maxBatch, maxWaitMs)) {
    const reports = batch.flatMap((message) => read(message, deps) ?? [])
    if (await areStored(reports, deps, signal)) await Promise.all(batch.map((message) => message.ack()))
  }
}

/** False where a server was away for too long or a table is not there: the reports come again. */
async function areStored(reports: readonly ReadReport[], deps: LedgerDeps, signal: AbortSignal): Promise<boolean> {
  try {
    await storeReports(reports, deps, signal)
    return true
  } catch (err) {
    const isServers = err instanceof StrikeflowError && (err.retryable || err.code === 'store')
    if (signal.aborted || !isServers) throw err
    deps.metrics.errors.inc()
    deps.log.warn({ err, reports: reports.length }, 'pass reports not stored, they come again')
    return false
  }
}

/** What cannot be read is noted and passed over: it must not stand in the way of the next one. */
function read({ payload, streamSeq }: DurableMessage, { log }: LedgerDeps): ReadReport | null {
  try {
    const parsed = passReportSchema.safeParse(decodeJson(payload))
    if (parsed.success) return { report: parsed.data, facts: factsOfReport(parsed.data), streamSeq }
    log.error({ streamSeq, problem: z.prettifyError(parsed.error) }, 'pass report refused')
  } catch (err) {
    log.error({ streamSeq, err }, 'pass report refused')
  }
  return null
}

async function storeReports(reports: readonly ReadReport[], deps: LedgerDeps, signal: AbortSignal): Promise<void> {
  const { store, clock, metrics, log } = deps
  const facts = reports.flatMap((read) => read.facts)
  const retry = {
    signal,
    onError: (err: unknown, attempt: number) => log.warn({ err, attempt }, 'facts not stored yet'),
  }
  await untilAnswered(() => storeFacts(store, facts), retry)
  for (const { state, reason } of facts) metrics.facts.inc({ state, reason })
  await tellGaps(deps, firstOfEach(facts.filter(({ reason }) => reason === 'pass_skipped')))
  // The newest of a boot says all that the ones before it said.
  const newest = new Map(reports.map((read) => [`${read.report.instance}/${read.report.boot}`, read]))
  for (const { report, streamSeq } of newest.values()) {
    await untilAnswered(() => storeReport(store, report, clock(), streamSeq), retry)
  }
}

/** Slots left out one after the other are one gap. */
function firstOfEach(facts: readonly SlotFact[]): readonly SlotFact[] {
  const first = new Map<string, SlotFact>()
  for (const fact of facts) if (!first.has(fact.underlying)) first.set(fact.underlying, fact)
  return [...first.values()]
}
