import { readSettings } from '../../shared/runtime/config.ts'
import { systemClock } from '../../shared/runtime/clock.ts'
import { serveHealth } from '../../shared/runtime/health.ts'
import { createLogger } from '../../shared/runtime/logger.ts'
import { createRegistry } from '../../shared/runtime/metrics.ts'
import { printReady } from '../../shared/runtime/ready-line.ts'
import { runService } from '../../shared/runtime/run-service.ts'
import { settingsOrExit } from '../../shared/runtime/settings-or-exit.ts'
import { healthSettings, logSettings } from '../../shared/runtime/settings.ts'
import { openStore } from '../../shared/store/connect.ts'
import { storeSettings } from '../../shared/store/settings.ts'
import { exporterSettings } from './config.ts'
import { createExporter } from './exporter.ts'
import { createMetrics } from './metrics.ts'

/*
 * The exporter: reads committed rows from ClickHouse and keeps alerts, chains, scans and features as JSON documents in one
 * directory, whole at any moment. Needs nothing but ClickHouse and outlives its absence; one exporter a directory.
 */
const log = createLogger({
  service: 'exporter',
  ...settingsOrExit(() => readSettings('LOG', logSettings, process.env)),
})

process.exitCode = await runService(log, async ({ opened }) => {
  const settings = readSettings('EXPORTER', exporterSettings, process.env)
  const registry = createRegistry('exporter')
  const store = opened(openStore(readSettings('CLICKHOUSE', storeSettings, process.env)))
  const exporter = createExporter({
    query: store.query,
    settings,
    clock: systemClock,
    elapsed: () => performance.now(),
    log,
    metrics: createMetrics(registry),
  })
  const health = opened(
    await serveHealth(readSettings('HEALTH', healthSettings, process.env), registry, {
      ready: () => exporter.reasonsNotReady(),
      status: () => exporter.status(),
    }),
  )
  printReady({ service: 'exporter', healthUrl: health.url, directory: settings.directory })
  return exporter
})
