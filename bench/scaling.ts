import { loadavg } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { expectedSum } from './pipeline/checksum.ts'
import { benchInput } from './pipeline/input.ts'
import { machineOf } from './pipeline/measure.ts'
import { count } from './pipeline/report.ts'
import { runBench, wholeNumber } from './pipeline/run-bench.ts'
import { measureCeiling } from './scaling/ceiling.ts'
import { twoCores } from './scaling/cores.ts'
import { compare } from './scaling/measure.ts'
import { definition, formatReport, type ScalingReport } from './scaling/report.ts'

/*
 * Two processors with half of the partitions each over one with all of them: on one ClickHouse, and with the insert replaced by a
 * server that counts rows, each processor on a core of its own. Starts servers of its own for each run and removes them, also
 * after a failure or Ctrl-C. What each figure means is in docs/benchmarks.md.
 */
const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    contracts: { type: 'string' },
    rounds: { type: 'string', default: '2' },
  },
})
const contracts = wholeNumber('contracts', options.contracts, [10_000, 20_000_000]) ?? 1_240_000
const rounds = wholeNumber('rounds', options.rounds, [1, 20]) ?? 2
const at = new Date().toISOString()
await runBench({
  isJson: options.json,
  async prepare({ signal, onProgress }) {
    const dataDirectory = resolve(process.env['STRIKEFLOW_DATA'] ?? '../shared/data')
    const input = await benchInput({ dataDirectory, kind: 'recording', contracts, signal })
    onProgress(
      `${count(input.contracts)} contracts in ${count(input.snapshots.length)} snapshots: ${input.description}`,
    )
    return input
  },
  async measure(input, { stand, loadAverage, ...context }): Promise<ScalingReport> {
    const cores = await twoCores()
    const machine = machineOf(stand, loadAverage)
    // Each run has servers of its own; this one has told its versions.
    await stand[Symbol.asyncDispose]()
    const common = { ...context, input, rounds, expected: expectedSum(input.snapshots), environment: process.env }
    const ceiling = cores === null ? null : await measureCeiling(cores)
    const sharedClickhouse = await compare({ ...common, sink: 'clickhouse', cores: null })
    const countingSink = cores === null ? null : await compare({ ...common, sink: 'counting', cores })
    return {
      bench: 'scaling',
      at,
      definition,
      input: input.description,
      contracts: input.contracts,
      messages: input.snapshots.length,
      sharedClickhouse,
      countingSink,
      ceiling,
      machine: { ...machine, loadAverageAtEnd: loadavg()[0] ?? 0 },
    }
  },
  format: formatReport,
})
