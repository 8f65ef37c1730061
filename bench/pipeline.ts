import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { benchInput, type InputKind, inputKinds } from './pipeline/input.ts'
import { machineOf, measure } from './pipeline/measure.ts'
import { count, definition, formatReport, type PipelineReport } from './pipeline/report.ts'
import { runBench, wholeNumber } from './pipeline/run-bench.ts'

/*
 * JetStream to queryable in ClickHouse, beside its floor (the bare insert of the same rows) and a peer (the same job by way of
 * JSON) in one run. Starts its own nats-server, ClickHouse and processor on temporary directories and removes them, also after
 * a failure or Ctrl-C. What each figure means is in docs/benchmarks.md.
 */
const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    contracts: { type: 'string' },
    /** `recording` or `simulator`. */
    input: { type: 'string', default: 'recording' },
    /** Folder for a CPU profile of the processor; it costs some percent of the rate. */
    profile: { type: 'string' },
  },
})
const contracts = wholeNumber('contracts', options.contracts, [1, 20_000_000])

const isInputKind = (text: string): text is InputKind => inputKinds.some((kind) => kind === text)
const inputKind = options.input
if (!isInputKind(inputKind)) {
  process.stderr.write(`--input: expected ${inputKinds.join(' or ')}, was ${inputKind}\n`)
  process.exit(2)
}

const at = new Date().toISOString()
await runBench({
  isJson: options.json,
  async prepare({ signal, onProgress }) {
    const dataDirectory = resolve(process.env['STRIKEFLOW_DATA'] ?? '../shared/data')
    const input = await benchInput({ dataDirectory, kind: inputKind, contracts, signal })
    onProgress(
      `${count(input.contracts)} contracts in ${count(input.snapshots.length)} snapshots: ${input.description}`,
    )
    return input
  },
  async measure(input, { loadAverage, ...context }): Promise<PipelineReport> {
    const profileDirectory = options.profile === undefined ? null : resolve(options.profile)
    const figures = await measure({ ...context, input, environment: process.env, profileDirectory })
    return { bench: 'pipeline', at, definition, ...figures, machine: machineOf(context.stand, loadAverage) }
  },
  format: formatReport,
})
