import { loadavg } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { maxMinutes } from './latency/market.ts'
import { measureLatency } from './latency/measure.ts'
import { definition, faultOf, formatReport, type LatencyReport } from './latency/report.ts'
import { machineOf } from './pipeline/measure.ts'
import { runBench, wholeNumber } from './pipeline/run-bench.ts'

/*
 * Publish to alert and publish to queryable at the pace of a market, beside the way of the same chains without a processor. Starts
 * its own nats-server, ClickHouse and processor on temporary directories and removes them, also after a failure or Ctrl-C. Exits
 * with 1 when a chain or an alert is missing. What each figure means is in docs/benchmarks.md.
 */
const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '10' },
    underlyings: { type: 'string', default: '1205' },
    /** Of a minute; by itself what so many names list. */
    contracts: { type: 'string' },
    /** Folder for a CPU profile of the processor. */
    profile: { type: 'string' },
  },
})
const plan = {
  minutes: wholeNumber('minutes', options.minutes, [1, maxMinutes]) ?? 10,
  underlyings: wholeNumber('underlyings', options.underlyings, [10, 6_000]) ?? 1205,
  contracts: wholeNumber('contracts', options.contracts, [1_000, 10_000_000]),
}
const at = new Date().toISOString()
await runBench({
  isJson: options.json,
  prepare: () => Promise.resolve(plan),
  async measure(plan, context): Promise<LatencyReport> {
    const profileDirectory = options.profile === undefined ? null : resolve(options.profile)
    const figures = await measureLatency({ ...context, plan, environment: process.env, profileDirectory })
    const machine = {
      ...machineOf(context.stand, context.loadAverage),
      loadAverageAtEnd: loadavg()[0] ?? 0,
    }
    const { minutes, underlyings } = plan
    return { bench: 'latency', at, definition, minutes, underlyings, ...figures, machine }
  },
  format: formatReport,
  fault: faultOf,
})
