import { loadavg } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createLogger } from '../shared/runtime/logger.ts'
import { runService } from '../shared/runtime/run-service.ts'
import { benchInput, type InputKind, inputKinds } from './pipeline/input.ts'
import { machineOf, measure } from './pipeline/measure.ts'
import { count, definition, formatReport, type PipelineReport } from './pipeline/report.ts'
import { startStand } from './pipeline/stand.ts'

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
const contracts = options.contracts === undefined ? null : Number(options.contracts.replaceAll('_', ''))
if (contracts !== null && !(Number.isInteger(contracts) && contracts >= 1 && contracts <= 20_000_000)) {
  process.stderr.write(`--contracts: expected a whole number from 1 to 20,000,000, was ${options.contracts}\n`)
  process.exit(2)
}

const isInputKind = (text: string): text is InputKind => inputKinds.some((kind) => kind === text)
const inputKind = options.input
if (!isInputKind(inputKind)) {
  process.stderr.write(`--input: expected ${inputKinds.join(' or ')}, was ${inputKind}\n`)
  process.exit(2)
}

const startedMs = performance.now()
const onProgress = (text: string): void => {
  process.stderr.write(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${text}\n`)
}
let isMeasured = false

/** After Ctrl-C a request that fails because its server stops as well is no failure of its own. */
async function unlessAborted<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}

const exitCode = await runService(createLogger({ service: 'bench', level: 'warn' }), async ({ opened, signal }) => {
  const at = new Date().toISOString()
  const loadAverage = loadavg()[0] ?? 0
  const dataDirectory = resolve(process.env['STRIKEFLOW_DATA'] ?? '../shared/data')
  const input = await benchInput({ dataDirectory, kind: inputKind, contracts, signal })
  onProgress(`${count(input.contracts)} contracts in ${count(input.snapshots.length)} snapshots: ${input.description}`)
  const stand = opened(await unlessAborted(signal, startStand))
  onProgress('nats-server and ClickHouse are up')
  return {
    name: 'bench',
    async run() {
      const profileDirectory = options.profile === undefined ? null : resolve(options.profile)
      const figures = await unlessAborted(signal, () =>
        measure({ stand, input, environment: process.env, profileDirectory, signal, onProgress }),
      )
      const machine = machineOf(stand, loadAverage)
      const report: PipelineReport = { bench: 'pipeline', at, definition, ...figures, machine }
      process.stdout.write(`${options.json ? JSON.stringify(report) : formatReport(report)}\n`)
      isMeasured = true
    },
  }
})
// Broken off by a signal: in order, but without figures.
process.exitCode = exitCode === 0 && !isMeasured ? 130 : exitCode
