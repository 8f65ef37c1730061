import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
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
import { settingsOrExit } from '../../shared/runtime/settings-or-exit.ts'
import { runService, type Service } from '../../shared/runtime/run-service.ts'
import { healthSettings, logSettings } from '../../shared/runtime/settings.ts'
import { openStore, type Store } from '../../shared/store/connect.ts'
import { schemaIsCurrent } from '../../shared/store/migrate.ts'
import { storeSettings } from '../../shared/store/settings.ts'
import { processorSettings } from './config.ts'
import { createMetrics } from './metrics.ts'
import { createLedger } from './ledger/ledger.ts'
import { createLedgerMetrics } from './ledger/metrics.ts'
import { createProcessor } from './processor.ts'
import { runScanSink } from './scan-sink.ts'

/*
 * The processor: consumes CHAINS, writes quotes, features, alerts, rejects, detector states and commit rows, publishes alerts
 * and last features. Its guarantee stands in processor.ts.
 */
const settings = settingsOrExit(() => readSettings('PROCESSOR', processorSettings, process.env))
const logging = settingsOrExit(() => readSettings('LOG', logSettings, process.env))
const log = createLogger({ service: 'processor', instance: settings.instance, ...logging })
const packageFile = new URL('../../package.json', import.meta.url)
const codeVersion = (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version

/** As long as a timer can wait: an outage of NATS is back-pressure, not a failure. */
const publishDeadlineMs = 2 ** 31 - 1

process.exitCode = await runService(log, async ({ opened, signal }): Promise<Service> => {
  const nats = readSettings('NATS', busSettings, process.env)
  const registry = createRegistry('processor')
  const metrics = createMetrics(registry)
  const bus = opened(
    await connectBus({ ...nats, servers: nats.url, pass: nats.password, name: 'processor', log, signal }),
  )
  const store = opened(openStore(readSettings('CLICKHOUSE', storeSettings, process.env)))
  let isConsuming = false
  const health = opened(
    await serveHealth(readSettings('HEALTH', healthSettings, process.env), registry, {
      ready: () => [
        ...(isConsuming ? [] : ['not consuming']),
        ...(bus.status() === 'connected' ? [] : ['NATS is away']),
      ],
    }),
  )
  await ensureStreams(bus, nats.profile)
  await waitForSchema(store, signal)
  const owner = `${settings.instance}/${randomUUID()}`
  const processor = createProcessor({
    bus,
    store,
    // Not ended by the stop: what is published must be acknowledged before its commit row. While NATS is away it waits.
    publisher: createPublisher(bus, {
      publisherId: owner,
      deadlineMs: publishDeadlineMs,
    }),
    owner,
    settings,
    codeVersion,
    log,
    metrics,
    onReady: () => {
      isConsuming = true
      printReady({ service: 'processor', healthUrl: health.url })
    },
  })
  const ledger = await createLedger({
    bus,
    store,
    publisher: createPublisher(bus, { publisherId: `${owner}.ledger`, signal }),
    settings,
    clock: systemClock,
    log,
    metrics: createLedgerMetrics(registry),
  })
  return {
    name: 'processor',
    run: async (stop) => {
      // Whichever fails ends the process; the supervisor starts it again.
      await Promise.all([processor.run(stop), runScanSink(bus, store, log, stop), ledger.run(stop)])
    },
  }
})

/** Services do not migrate; they wait until somebody has. */
async function waitForSchema(store: Store, signal: AbortSignal): Promise<void> {
  while (true) {
    const current = await schemaIsCurrent(store).catch(() => false)
    if (current) return
    log.info('waiting for ClickHouse and its schema')
    await delay(1000, undefined, { signal })
  }
}
