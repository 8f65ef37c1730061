import { randomBytes } from 'node:crypto'
import { connectBus } from '../../shared/bus/connect.ts'
import { createPublisher } from '../../shared/bus/publisher.ts'
import { busSettings } from '../../shared/bus/settings.ts'
import { ensureStreams } from '../../shared/bus/streams.ts'
import { systemClock } from '../../shared/runtime/clock.ts'
import { readSettings } from '../../shared/runtime/config.ts'
import { serveHealth } from '../../shared/runtime/health.ts'
import { createLogger } from '../../shared/runtime/logger.ts'
import { createRegistry } from '../../shared/runtime/metrics.ts'
import { printReady } from '../../shared/runtime/ready-line.ts'
import { runService } from '../../shared/runtime/run-service.ts'
import { settingsOrExit } from '../../shared/runtime/settings-or-exit.ts'
import { healthSettings, logSettings } from '../../shared/runtime/settings.ts'
import { Archiver } from './archiver.ts'
import { archiverSettings } from './config.ts'
import { createMetrics } from './metrics.ts'

/*
 * The archiver: consumes CHAINS and keeps its messages, to the byte, as files with a manifest; publishes a gap notice when the
 * stream discarded some before. Its guarantee stands in archiver.ts.
 */
const settings = settingsOrExit(() => readSettings('ARCHIVER', archiverSettings, process.env))
const log = createLogger({
  service: 'archiver',
  ...settingsOrExit(() => readSettings('LOG', logSettings, process.env)),
})

/** A gap notice that cannot be published must not hold up the archive: the gap stands in the manifest as well. */
const publishDeadlineMs = 5_000

process.exitCode = await runService(log, async ({ opened, signal }) => {
  const nats = readSettings('NATS', busSettings, process.env)
  const registry = createRegistry('archiver')
  const bus = opened(
    await connectBus({
      ...nats,
      servers: nats.url,
      name: 'archiver',
      log,
      signal,
      // It alone reads on this connection, besides the streams it looks at.
      expectedSources: 2,
    }),
  )
  await ensureStreams(bus, nats.profile, { replicas: nats.replicas })
  const archiver = new Archiver({
    bus,
    publisher: createPublisher(bus, {
      publisherId: `archiver/${randomBytes(4).toString('hex')}`,
      deadlineMs: publishDeadlineMs,
    }),
    settings,
    clock: systemClock,
    log,
    metrics: createMetrics(registry),
    onReady: () => printReady({ service: 'archiver', healthUrl: health.url, directory: settings.directory }),
  })
  const health = opened(
    await serveHealth(readSettings('HEALTH', healthSettings, process.env), registry, {
      ready: () => archiver.reasonsNotReady(),
      status: () => archiver.status(),
    }),
  )
  return archiver
})
