import { connectBus } from '../../shared/bus/connect.ts'
import { agreeOnPartitions } from '../../shared/bus/partition-count.ts'
import { createPublisher, maxMessageBytes } from '../../shared/bus/publisher.ts'
import { ensureStreams } from '../../shared/bus/streams.ts'
import { encodeSnapshot } from '../../shared/model/snapshot-codec.ts'
import { systemClock } from '../../shared/runtime/clock.ts'
import { serveHealth } from '../../shared/runtime/health.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import { createRegistry } from '../../shared/runtime/metrics.ts'
import { printReady } from '../../shared/runtime/ready-line.ts'
import type { Composition } from '../../shared/runtime/run-service.ts'
import { type Collector, createCollector, type Progress } from './collector.ts'
import type { CollectorConfig } from './config.ts'
import { createDriftObserver } from './drift.ts'
import { createCollectorMetrics } from './metrics.ts'
import type { OptionChainProvider } from './providers/provider.ts'
import { providers } from './providers/registry.ts'
import { createOutput } from './publish.ts'
import { createSchedule } from './schedule.ts'

export interface ComposeOptions {
  /** Tells this start of the instance from the ones before it. */
  readonly boot: string
  readonly onProgress?: (progress: Progress) => void
}

/**
 * As long as a timer can wait: a server that is away, or whose disk is full, is waited for. A copy that comes after the stream's
 * duplicate window is recognised by the processor.
 */
const publishDeadlineMs = 2 ** 31 - 1

/** Builds the collector on a live bus. It is ready as soon as the bus is connected. */
export async function composeCollector(
  { collector: settings, nats, health }: CollectorConfig,
  log: Logger,
  { opened, signal }: Composition,
  { boot, onProgress }: ComposeOptions,
): Promise<Collector> {
  const registry = createRegistry('collector')
  const metrics = createCollectorMetrics(registry)
  const onDrift = createDriftObserver(log, () => metrics.schemaDrift.inc({ provider: settings.provider }))
  const provider: OptionChainProvider = providers[settings.provider]({ settings, clock: systemClock, log, onDrift })
  await provider.check?.()
  const { url, profile, replicas } = nats
  const bus = opened(await connectBus({ ...nats, servers: url, name: settings.instance, log, signal }))
  await ensureStreams(bus, profile, { replicas })
  await agreeOnPartitions(bus, settings.partitions, 'COLLECTOR_PARTITIONS')
  const publishing = {
    deadlineMs: publishDeadlineMs,
    signal: aWhileAfter(signal),
    onRetry: (err: unknown) => log.warn({ err }, 'publish tried again'),
  }
  // Numbers of its own for CHAINS: what is missing among them there was lost.
  const sink = createPublisher(bus, { ...publishing, publisherId: `${settings.instance}/${boot}` })
  const reports = createPublisher(bus, { ...publishing, publisherId: `${settings.instance}/${boot}.reports` })
  const schedule = createSchedule(provider, settings.underlyingIntervalsMs)
  const collector = createCollector({
    provider,
    wanted: settings.underlyings.length === 0 ? null : new Set(settings.underlyings),
    collecting:
      schedule === null ? null : { instance: settings.instance, boot, live: provider.capabilities.live, schedule },
    output: createOutput({ sink, reports, encode: encodeSnapshot, partitions: settings.partitions, maxMessageBytes }),
    metrics,
    log,
    clock: systemClock,
    ...(onProgress === undefined ? {} : { onProgress }),
  })
  const server = opened(
    await serveHealth(health, registry, {
      ready: () => (bus.status() === 'connected' ? [] : ['nats is away']),
      status: () => statusOf(settings.provider, collector),
    }),
  )
  if (!settings.report) printReady({ service: 'collector', healthUrl: server.url })
  return collector
}

/** What is published when the stop comes may still be acknowledged; a bus that is away must not hold up the end. */
const publishGraceMs = 5_000

function aWhileAfter(signal: AbortSignal): AbortSignal {
  const later = new AbortController()
  const begin = (): void => void setTimeout(() => later.abort(signal.reason), publishGraceMs).unref()
  signal.addEventListener('abort', begin, { once: true })
  return later.signal
}

function statusOf(provider: string, collector: Collector): Readonly<Record<string, number | string>> {
  const { passes, totals } = collector.summary()
  const { snapshots, repeated, refused, contracts } = totals
  return { provider, passes, snapshots, repeated, refused, contracts }
}
