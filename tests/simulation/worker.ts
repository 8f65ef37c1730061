import { parentPort, workerData } from 'node:worker_threads'
import { bugs } from './bugs.ts'
import { joined, type SeedsRequest, type SeedsResult } from './run-seeds.ts'
import { simulate } from './simulate.ts'

/** Runs its share of the seeds, one after the other. */
// Thousands of errors are made that nobody reads.
Error.stackTraceLimit = 0
const { seeds, bug, untilFound } = workerData as SeedsRequest
const planted = bugs.find(({ name }) => name === bug) ?? null
const tally = { published: 0, commits: 0, stored: 0, duplicate: 0, deadLettered: 0, alerts: 0, rows: 0 }
let result: SeedsResult = { runs: 0, faults: {}, tally, longestDrainMs: 0, failed: [] }
for (const seed of seeds) {
  const run = await simulate({ seed, bug: planted })
  const failed = run.violations.length === 0 ? [] : [{ seed, violations: run.violations }]
  const faults = Object.fromEntries(run.faults)
  result = joined(result, { runs: 1, faults, tally: run.tally, longestDrainMs: run.drainedMs, failed })
  if (untilFound && failed.length > 0) break
}
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has none
parentPort?.postMessage(result)
