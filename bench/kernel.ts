import { parseArgs } from 'node:util'
import { measureKernel } from './kernel/measure.ts'
import { formatKernelReport } from './kernel/report.ts'

/*
 * Implied volatilities and greeks a second on one thread, beside the npm libraries on the same quotes in the same run. What
 * each figure means is in docs/benchmarks.md.
 */
const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    contracts: { type: 'string', default: '1000000' },
    profile: { type: 'string' },
    input: { type: 'string' },
  },
})
const contracts = Number(options.contracts.replaceAll('_', ''))
if (!(Number.isInteger(contracts) && contracts >= 100 && contracts <= 10_000_000)) {
  process.stderr.write(`--contracts: expected a whole number from 100 to 10,000,000, was ${options.contracts}\n`)
  process.exit(2)
}
if (options.input !== undefined) {
  process.stderr.write('--input: only the pipeline has a choice of inputs\n')
  process.exit(2)
}
if (options.profile !== undefined) {
  process.stderr.write('--profile: only the pipeline has a processor; run `node --cpu-prof bench/kernel.ts` instead\n')
  process.exit(2)
}

const startedMs = performance.now()
const report = await measureKernel(contracts, (text) => {
  process.stderr.write(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${text}\n`)
})
process.stdout.write(`${options.json ? JSON.stringify(report) : formatKernelReport(report)}\n`)
