import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { z } from 'zod'
import { type Bus, connectBus } from '../../shared/bus/connect.ts'
import { agreeOnPartitions } from '../../shared/bus/partition-count.ts'
import { createPublisher } from '../../shared/bus/publisher.ts'
import { busSettings } from '../../shared/bus/settings.ts'
import { ensureStreams } from '../../shared/bus/streams.ts'
import { systemClock, systemTimers } from '../../shared/runtime/clock.ts'
import { readSettings } from '../../shared/runtime/config.ts'
import { serveHealth } from '../../shared/runtime/health.ts'
import { createLogger } from '../../shared/runtime/logger.ts'
import { createRegistry, type Registry } from '../../shared/runtime/metrics.ts'
import { printReady } from '../../shared/runtime/ready-line.ts'
import { settingsOrExit } from '../../shared/runtime/settings-or-exit.ts'
import { runService, type Service } from '../../shared/runtime/run-service.ts'
import { healthSettings, logSettings } from '../../shared/runtime/settings.ts'
import { openStore, type Store } from '../../shared/store/connect.ts'
import { schemaIsCurrent } from '../../shared/store/migrate.ts'
import { storeSettings } from '../../shared/store/settings.ts'
import { processorSettings } from './config.ts'
import { isRetryable } from './delivery/setbacks.ts'
import { LagWatch } from './lag-watch.ts'
import { createMetrics, type ProcessorMetrics } from './metrics.ts'
import { createLedger as createGapLedger, type Ledger as GapLedger } from './ledger/ledger.ts'
import { createLedgerMetrics } from './ledger/metrics.ts'
import { createPoint } from './points.ts'
import { PublishWatch } from './publish-watch.ts'
import { createProcessor } from './processor.ts'
import { runScanSink } from './scan-sink.ts'

/*
 * The processor: consumes CHAINS, writes quotes, features, alerts, rejects, detector states and commit rows, publishes alerts
 * and last features. Its guarantee stands in processor.ts.
 */
const settings = settingsOrExit(() => readSettings('PROCESSOR', processorSettings, process.env))
const logging = settingsOrExit(() => readSettings('LOG', logSettings, process.env))
const boot = randomUUID()
const instance =
  settings.instance === '' ? `${hostname().replaceAll(/[^A-Za-z0-9_-]/g, '-')}-${process.pid}` : settings.instance
const log = createLogger({ service: 'processor', instance, ...logging })
/** Where a test wants the process to end or to stop: `name:n`. */
const points = { crashAt: process.env['STRIKEFLOW_CRASH_AT'], pauseAt: process.env['STRIKEFLOW_PAUSE_AT'] }
const packageFile = new URL('../../package.json', import.meta.url)
const version = (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version

/** As long as a timer can wait: an outage of NATS is back-pressure, not a failure. */
const publishDeadlineMs = 2 ** 31 - 1
/** A server that is there and acknowledges nothing is one: the flush is dropped, and its partitions begin again. */
const publishSilenceMs = 60_000

process.exitCode = await runService(log, async ({ opened, signal }): Promise<Service> => {
  const nats = readSettings('NATS', busSettings, process.env)
  const registry = createRegistry('processor')
  const metrics = createMetrics(registry)
  const bus = opened(await openBus(nats, signal))
  const store = opened(openStore(readSettings('CLICKHOUSE', storeSettings, process.env)))
  const ensure = () => ensureStreams(bus, nats.profile, { replicas: nats.replicas })
  const publishWatch = new PublishWatch({ clock: systemClock, log, ensureStreams: ensure })
  let delivery: Awaited<ReturnType<typeof createProcessor>> | null = null
  let lagWatch: LagWatch | null = null
  let isReady = false
  const health = opened(
    await serveHealth(readSettings('HEALTH', healthSettings, process.env), registry, {
      ready: () => [
        ...(isReady ? (delivery?.status().problems ?? []) : ['not consuming']),
        ...(lagWatch?.problems() ?? []),
        ...publishWatch.problems(),
        ...(bus.status() === 'connected' ? [] : ['NATS is away']),
      ],
      status: () => ({ partitions: delivery?.status().owned.join(' ') ?? '' }),
    }),
  )
  await ensure()
  await agreeOnPartitions(bus, settings.partitions, 'PROCESSOR_PARTITIONS')
  await waitForSchema(store, signal)
  delivery = await openDelivery(bus, store, nats, metrics, publishWatch, () => {
    if (!isReady) printReady({ service: 'processor', healthUrl: health.url })
    isReady = true
  })
  const lag = openLagWatch(bus, store, metrics)
  lagWatch = lag
  const gapLedger = await openGapLedger(bus, store, registry, signal)
  return {
    name: 'processor',
    // Whichever fails ends the process; the supervisor starts it again.
    run: (stop) =>
      together(stop, [
        (signal) => delivery.run(signal),
        (signal) => runScanSink(bus, store, log, signal),
        (signal) => gapLedger.run(signal),
        (signal) => lag.run(() => delivery.status().positions, signal),
      ]),
  }
})

function openBus(nats: z.output<typeof busSettings>, signal: AbortSignal): Promise<Bus> {
  return connectBus({
    ...nats,
    servers: nats.url,
    name: 'processor',
    log,
    // Every partition and the watch of the leases.
    expectedSources: Math.min(40, settings.partitions + 1),
    signal,
  })
}

function openDelivery(
  bus: Bus,
  store: Store,
  streams: z.output<typeof busSettings>,
  metrics: ProcessorMetrics,
  publishWatch: PublishWatch,
  onSettled: () => void,
): ReturnType<typeof createProcessor> {
  return createProcessor({
    bus,
    store,
    // Not ended by the stop: what is published must be acknowledged before its commit row. While NATS is away it waits.
    publisher: createPublisher(bus, {
      publisherId: `${instance}/${boot}`,
      deadlineMs: publishDeadlineMs,
      silenceMs: publishSilenceMs,
      onRetry: (error) => publishWatch.onRetry(error),
    }),
    streams,
    instance,
    boot,
    settings,
    version,
    log,
    metrics,
    point: createPoint({ ...points, pauseBeforeCommitMs: settings.pauseBeforeCommitMs }, systemTimers),
    hasPoints: Object.values(points).some((point) => point !== undefined),
    onSettled,
  })
}

function openLagWatch(bus: Bus, store: Store, metrics: ProcessorMetrics): LagWatch {
  // A notice that cannot be published must not hold up the looking: it stands in the log as well.
  const publisher = createPublisher(bus, { publisherId: `${instance}/${boot}.lag`, deadlineMs: 5_000 })
  return new LagWatch({
    bus,
    query: store.query,
    publisher,
    settings,
    clock: systemClock,
    timers: systemTimers,
    log,
    metrics,
  })
}

function openGapLedger(bus: Bus, store: Store, registry: Registry, signal: AbortSignal): Promise<GapLedger> {
  return createGapLedger({
    bus,
    store,
    publisher: createPublisher(bus, { publisherId: `${instance}/${boot}.ledger`, signal }),
    settings,
    clock: systemClock,
    log,
    metrics: createLedgerMetrics(registry),
  })
}

/**
 * Runs all of them until the stop, or until one fails: then the others come to rest too. What only fails because somebody is away
 * while it is told to stop has ended well: whatever it had in hand comes again.
 */
async function together(stop: AbortSignal, parts: readonly ((stop: AbortSignal) => Promise<void>)[]): Promise<void> {
  const over = new AbortController()
  const either = AbortSignal.any([stop, over.signal])
  const running = parts.map((run) =>
    run(either).catch((err: unknown) => {
      if (!stop.aborted || !isRetryable(err)) throw err
      log.warn({ err }, 'not brought to an end, it begins there again')
    }),
  )
  try {
    await Promise.all(running)
  } finally {
    over.abort()
    await Promise.allSettled(running)
  }
}

/** Services do not migrate; they wait until somebody has. */
async function waitForSchema(store: Store, signal: AbortSignal): Promise<void> {
  while (true) {
    const current = await schemaIsCurrent(store).catch(() => false)
    if (current) return
    log.info('waiting for ClickHouse and its schema')
    await delay(1000, undefined, { signal })
  }
}
