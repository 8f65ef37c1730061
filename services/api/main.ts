import { systemClock } from '../../shared/runtime/clock.ts'
import { readSettings } from '../../shared/runtime/config.ts'
import { createLogger } from '../../shared/runtime/logger.ts'
import { createRegistry } from '../../shared/runtime/metrics.ts'
import { printReady } from '../../shared/runtime/ready-line.ts'
import { runService } from '../../shared/runtime/run-service.ts'
import { settingsOrExit } from '../../shared/runtime/settings-or-exit.ts'
import { logSettings } from '../../shared/runtime/settings.ts'
import { SlowRefusals } from '../../shared/runtime/slow-refusals.ts'
import { createAccess } from './access.ts'
import { createApp } from './app.ts'
import { apiSettings, secretsOf } from './config.ts'
import { openExportFolder } from './export-folder.ts'
import { createMetrics } from './metrics.ts'
import { serveApp } from './server.ts'

/*
 * The API: serves the exporter's documents over HTTP, health and metrics on the same port. Needs the documents' directory
 * and nothing else, so it answers while the exporter, ClickHouse and NATS are away.
 */
const log = createLogger({ service: 'api', ...settingsOrExit(() => readSettings('LOG', logSettings, process.env)) })

process.exitCode = await runService(log, async ({ opened, signal }) => {
  const settings = readSettings('API', apiSettings, process.env)
  const registry = createRegistry('api')
  const metrics = createMetrics(registry)
  const exports = openExportFolder({
    directory: settings.directory,
    reloadMs: settings.reloadMs,
    log,
    metrics,
  })
  await exports.poll()
  const access = createAccess({ ...settings, ...secretsOf(settings), slow: new SlowRefusals({ clock: systemClock }) })
  const app = createApp({ exports, clock: systemClock, registry, metrics, log, signal, access })
  const server = opened(await serveApp(app, settings, metrics.connections))
  printReady({ service: 'api', url: server.url, healthUrl: server.url })
  return { name: 'api', run: (stop) => exports.run(stop) }
})
