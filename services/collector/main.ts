import { randomBytes } from 'node:crypto'
import { printable } from '../../shared/model/printable.ts'
import { readSettings } from '../../shared/runtime/config.ts'
import { systemClock } from '../../shared/runtime/clock.ts'
import { createLogger } from '../../shared/runtime/logger.ts'
import { runService, type Service } from '../../shared/runtime/run-service.ts'
import { settingsOrExit } from '../../shared/runtime/settings-or-exit.ts'
import { logSettings } from '../../shared/runtime/settings.ts'
import { composeCollector } from './compose.ts'
import { readConfig } from './config.ts'
import { createProgressReport } from './report.ts'
import { fruitlessProblem, renderSummary } from './summary.ts'

/*
 * The collector: consumes a provider (cboe, a recording, the simulator), publishes snapshots on CHAINS, scan records on
 * SCAN_RESULTS and gaps on QUALITY. Its guarantee stands in collector.ts.
 */
const log = createLogger({
  service: 'collector',
  ...settingsOrExit(() => readSettings('LOG', logSettings, process.env)),
})
const boot = randomBytes(4).toString('hex')

let isFruitless = false
const exitCode = await runService(log, async (composition): Promise<Service> => {
  const config = readConfig(process.env)
  const { report } = config.collector
  const onProgress = createProgressReport((line) => void process.stderr.write(`${printable(line)}\n`), systemClock)
  const collector = await composeCollector(config, log, composition, { boot, ...(report ? { onProgress } : {}) })
  return {
    name: collector.name,
    async run(signal) {
      await collector.run(signal)
      if (!report) return
      const summary = collector.summary()
      process.stdout.write(`${renderSummary(summary)}\n`)
      const problem = signal.aborted ? null : fruitlessProblem(summary, config.collector)
      if (problem === null) return
      isFruitless = true
      process.stderr.write(`strikeflow: ${printable(problem)}\n`)
    },
  }
})
process.exitCode = exitCode === 0 && isFruitless ? 1 : exitCode
