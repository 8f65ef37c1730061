import type { Delivery } from '../../../shared/bus/ordered-source.ts'
import type { MissingInput, ReplayJob, ReplayProgress, ReplayReport } from '../../../shared/model/replay.ts'
import type { Store } from '../../../shared/store/connect.ts'
import type { RangeRow } from '../../../shared/store/queries/replay.ts'
import type { ProcessorSettings } from '../config.ts'
import { compareRange } from './compare.ts'
import { findInput, type InputSource } from './inputs.ts'
import { type Plan, checkSchema, makePlan } from './plan.ts'
import { Rerun } from './rerun.ts'
import { openScratch } from './scratch.ts'

export interface ReplayDeps {
  readonly main: Store
  readonly inputs: readonly InputSource[]
  readonly settings: ProcessorSettings
  readonly version: string
  readonly onProgress: (progress: ReplayProgress) => void
}

/** So many missing inputs are told one by one. */
const listedMissing = 100

/**
 * Runs the messages of a range again, in their order and through the processor's own code, into a database of its own, and
 * compares the rows with those that are stored. Publishes nothing and writes nothing else.
 */
export async function replay(job: ReplayJob, deps: ReplayDeps): Promise<ReplayReport> {
  const startedMs = performance.now()
  await checkSchema(deps.main)
  await using scratch = await openScratch(job)
  const plan = await makePlan(job, { main: deps.main, scratch }, deps.settings, deps.version)
  const rerun = new Rerun(plan, { scratch, main: deps.main, settings: deps.settings })
  const missing = [...plan.missing]
  // Rows of other code or parameters would differ for no fault of theirs.
  if (plan.unknown.length === 0) missing.push(...(await feed(plan, rerun, deps, missing.length > 0)))
  const isWhole = missing.length === 0 && plan.unknown.length === 0
  const comparison = job.compare && isWhole ? await compareRange(job, plan, deps.main.query) : null
  return {
    kind: 'replay',
    into: job.into,
    messages: plan.rows.length,
    ...rerun.tally,
    codeVersions: [...new Set(plan.rows.map(({ codeVersion }) => codeVersion))],
    parameters: plan.known.map(({ text }) => text),
    states: plan.states.size,
    missing: missing.slice(0, listedMissing),
    missingCount: missing.length,
    notReproducible: plan.unknown,
    seconds: (performance.now() - startedMs) / 1000,
    comparison,
  }
}

/** Hands over message after message. Once one is missing the others are only looked for: what is computed after it would be wrong. */
async function feed(
  { rows }: Plan,
  rerun: Rerun,
  { inputs, onProgress }: ReplayDeps,
  isLost: boolean,
): Promise<readonly MissingInput[]> {
  const missing: MissingInput[] = []
  const startedMs = performance.now()
  let shownMs = startedMs
  for (const [index, row] of rows.entries()) {
    const found = await findInput(inputs, row)
    if (typeof found === 'string') missing.push({ what: nameOf(row), why: found })
    else if (!isLost && missing.length === 0) await rerun.handle(row, found.delivery satisfies Delivery, found.from)
    const nowMs = performance.now()
    if (nowMs - shownMs > 500) {
      shownMs = nowMs
      onProgress({ kind: 'progress', done: index + 1, total: rows.length, seconds: (nowMs - startedMs) / 1000 })
    }
  }
  await rerun.close()
  return missing
}

const nameOf = ({ incarnation, partition, streamSeq, messageId }: RangeRow): string =>
  `message ${messageId} at ${streamSeq} of CHAINS (made ${incarnation}, partition ${partition})`
