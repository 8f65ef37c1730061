import type { Bus } from '../../shared/bus/connect.ts'
import { openBucket } from '../../shared/bus/bucket.ts'
import type { Publisher } from '../../shared/bus/publisher.ts'
import type { StreamProfile } from '../../shared/bus/stream-specs.ts'
import { systemTimers } from '../../shared/runtime/clock.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import type { Store } from '../../shared/store/connect.ts'
import { createChainStream } from './chain-stream.ts'
import { createLedger } from './clickhouse-ledger.ts'
import { codeVersionOf, featureParams, type ProcessorSettings } from './config.ts'
import { Delivery } from './delivery/delivery.ts'
import type { Observer, Point } from './delivery/ports.ts'
import { deliveryRules } from './delivery/rules.ts'
import { type Flush } from './flush.ts'
import { createGathering } from './gathering.ts'
import { createHandler } from './handler.ts'
import { InsertLimit } from './insert-limit.ts'
import { KeyStates } from './key-states.ts'
import type { ProcessorMetrics } from './metrics.ts'
import { createRowSink } from './row-sink.ts'

export interface ProcessorDeps {
  readonly bus: Bus
  readonly store: Store
  readonly publisher: Publisher
  readonly streams: { readonly profile: StreamProfile; readonly replicas: number }
  readonly instance: string
  /** No two starts share it. */
  readonly boot: string
  readonly settings: ProcessorSettings
  readonly version: string
  readonly log: Logger
  readonly metrics: ProcessorMetrics
  readonly point: Point
  /** True where somebody may wait in the middle of a body. */
  readonly hasPoints: boolean
  /** Called when all that this process should own at the time is being consumed. */
  readonly onSettled: () => void
}

/** Where many chains come at once, the last features of one are sent with those of others: at most so much later. */
const featuresWaitMs = 25

/**
 * Turns snapshots on CHAINS into rows and alerts.
 *
 * Consumes `chains.raw.<partition>.>` of the partitions it owns in stream order from their commit rows; produces rows in ClickHouse,
 * alerts on `alerts.>` and the last features on `features.<underlying>`. This is only the wiring: what holds the guarantees is
 * delivery/, what makes the figures is features/ and detectors/.
 */
export async function createProcessor(deps: ProcessorDeps): Promise<Delivery<Flush>> {
  const { bus, store, settings, instance, boot, log, point, hasPoints } = deps
  const codeVersion = codeVersionOf(deps.version, settings)
  const { insertLimitMs: leastMs, insertLimitMostMs: mostMs } = settings
  const limit = new InsertLimit({ leastMs, mostMs })
  const parameters = featureParams(settings)
  const writer = { codeVersion, parameters }
  return new Delivery(
    {
      instance,
      boot,
      partitions: settings.partitions,
      ttlMs: settings.leaseTtlMs,
      renewMs: settings.leaseRenewMs,
      // Another owner's limit may have grown as far: a taker waits for that.
      insertLimitMs: Math.max(leastMs, mostMs),
      flushRows: settings.flushRows,
      flushMs: settings.flushMs,
    },
    {
      timers: systemTimers,
      random: Math.random,
      coord: await openBucket(bus, 'coord'),
      cursors: await openBucket(bus, 'cursors'),
      stream: createChainStream(bus, deps.streams.profile, deps.streams.replicas),
      ledger: createLedger(store, { owner: `${instance}/${boot}`, codeVersion }),
      sink: createRowSink(store, { writer, limit, midway: hasPoints ? () => point('mid-body') : undefined }),
      handler: createHandler({
        ...deps,
        gather: createGathering(systemTimers, featuresWaitMs),
        parameters,
        partitions: settings.partitions,
      }),
      rules: deliveryRules,
      point,
      observer: createObserver(deps),
      log,
      createStates: (isFirst) => new KeyStates(isFirst),
    },
  )
}

function createObserver({ metrics, log, onSettled }: ProcessorDeps): Observer<Flush> {
  const pending = new Map<number, number>()
  const showPending = (): void => metrics.pending.set([...pending.values()].reduce((sum, count) => sum + count, 0))
  return {
    written(flush, seconds) {
      metrics.flushSeconds.observe(seconds)
      metrics.contracts.inc(flush.quotes.length)
      for (const [outcome, count] of flush.outcomes) metrics.messages.inc({ outcome }, count)
      for (const [reason, count] of flush.rejectReasons) metrics.rejects.inc({ reason }, count)
      metrics.outOfRange.inc(flush.outOfRange)
      showPending()
      const facts = { messages: flush.messages, contracts: flush.quotes.length, alerts: flush.alerts.length }
      log.info({ ...facts, durationMs: Math.round(seconds * 1000) }, 'flush committed')
    },
    storeFailed: () => metrics.storeErrors.inc(),
    delivered: (partition, pendingCount) => pending.set(partition, pendingCount),
    took: (partitions) => metrics.owned.inc(partitions.length),
    lost(partitions, reason) {
      metrics.owned.dec(partitions.length)
      metrics.leaseChanges.inc(partitions.length)
      for (const partition of partitions) pending.delete(partition)
      showPending()
      log.info({ partitions, reason }, 'partitions given up')
    },
    rewound: (_, reason) => metrics.rewinds.inc({ reason }),
    settled: onSettled,
  }
}
