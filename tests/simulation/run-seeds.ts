import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Tally, Violation } from './checker.ts'
import type { FaultKind } from './faults.ts'

export interface SeedsRequest {
  readonly seeds: readonly number[]
  /** Name of a planted bug; null runs what is there. */
  readonly bug: string | null
  /** Ends with the first seed that breaks a rule. */
  readonly untilFound: boolean
}

export interface FailedSeed {
  readonly seed: number
  readonly violations: readonly Violation[]
}

export interface SeedsResult {
  readonly runs: number
  readonly faults: Partial<Record<FaultKind, number>>
  readonly tally: Tally
  /** Longest virtual time from the last fault until everything was worked off. */
  readonly longestDrainMs: number
  readonly failed: readonly FailedSeed[]
}

const worker = new URL('./worker.ts', import.meta.url)

/** Runs seeds on all cores. */
export async function runSeeds(request: SeedsRequest, threads = availableParallelism()): Promise<SeedsResult> {
  const shares = Array.from({ length: Math.min(threads, request.seeds.length) }, (_, thread) =>
    request.seeds.filter((__, i) => i % threads === thread),
  )
  const results = await Promise.all(shares.map((seeds) => inThread({ ...request, seeds })))
  return results.reduce(joined)
}

function inThread(request: SeedsRequest): Promise<SeedsResult> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(worker, { workerData: request })
    thread.once('message', resolve)
    thread.once('error', reject)
    thread.once('exit', (code) => reject(new Error(`The thread ended with ${code}`)))
  })
}

export function joined(a: SeedsResult, b: SeedsResult): SeedsResult {
  const faults: Partial<Record<FaultKind, number>> = { ...a.faults }
  for (const [kind, count] of Object.entries(b.faults) as [FaultKind, number][])
    faults[kind] = (faults[kind] ?? 0) + count
  const tally = { ...a.tally }
  for (const name of Object.keys(tally) as (keyof Tally)[]) tally[name] += b.tally[name]
  return {
    runs: a.runs + b.runs,
    faults,
    tally,
    longestDrainMs: Math.max(a.longestDrainMs, b.longestDrainMs),
    failed: [...a.failed, ...b.failed].toSorted((x, y) => x.seed - y.seed),
  }
}

export const totalFaults = ({ faults }: SeedsResult): number =>
  Object.values(faults).reduce((sum, count) => sum + count, 0)

/** The table of a run of seeds, and of each seed that failed what was wrong and how to see it again. */
export function report(result: SeedsResult, bug: string | null): string {
  const { runs, tally, faults, failed, longestDrainMs } = result
  const kinds = Object.entries(faults).toSorted(([, a], [, b]) => b - a)
  const byRule = new Map<string, number>()
  for (const { violations } of failed) for (const { rule } of violations) byRule.set(rule, (byRule.get(rule) ?? 0) + 1)
  return [
    `${runs} seeds, ${totalFaults(result)} faults of ${kinds.length} kinds; longest draining ${longestDrainMs / 1000} virtual s`,
    `messages: ${Object.entries(tally)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}`,
    `faults: ${kinds.map(([kind, count]) => `${kind} ${count}`).join(', ')}`,
    failed.length === 0
      ? 'violations: 0'
      : `violations: ${[...byRule].map(([rule, count]) => `${rule} ${count}`).join(', ')}`,
    ...failed.slice(0, 20).map((each) => describeFailure(each, bug)),
  ].join('\n')
}

export const describeFailure = ({ seed, violations }: FailedSeed, bug: string | null): string =>
  [
    `seed ${seed} (again: npm run simulate -- --seed ${seed}${bug === null ? '' : ` --bug "${bug}"`}):`,
    ...violations.slice(0, 5).map(({ rule, text }) => `  ${rule}: ${text.slice(0, 300)}`),
  ].join('\n')
