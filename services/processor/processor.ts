import { type Delivery, openOrderedSource, type OrderedSource } from '../../shared/bus/ordered-source.ts'
import type { Bus } from '../../shared/bus/connect.ts'
import { encodeJson } from '../../shared/bus/messages.ts'
import type { Publisher } from '../../shared/bus/publisher.ts'
import { alertSubject, dlqSubject, featuresSubject, rawFilter } from '../../shared/bus/subjects.ts'
import type { Alert } from '../../shared/model/alert.ts'
import type { ChainFeatures } from '../../shared/model/features.ts'
import { aborted } from '../../shared/runtime/aborted.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import type { Service } from '../../shared/runtime/run-service.ts'
import type { Store } from '../../shared/store/connect.ts'
import { isCommitted } from '../../shared/store/queries/commits.ts'
import { untilAnswered } from '../../shared/store/retry.ts'
import { featureParams, type ProcessorSettings } from './config.ts'
import { decode } from './decode.ts'
import type { FeatureParams } from './features/compute-chain.ts'
import { findIncarnation } from './incarnation.ts'
import { type Flush, type Processed, rowTables } from './flush.ts'
import type { Writer } from './rows.ts'
import { type Addition, Flusher } from './flusher.ts'
import type { Standing } from './key-states.ts'
import type { ProcessorMetrics } from './metrics.ts'
import { takeOwnership } from './ownership.ts'
import { processSnapshot, type SnapshotResult } from './process-snapshot.ts'
import { recover, type Recovered } from './recover.ts'
import { Sink } from './sink.ts'
import type { Snapshot } from '../../shared/model/snapshot.ts'

export interface ProcessorDeps {
  readonly bus: Bus
  readonly store: Store
  readonly publisher: Publisher
  /** Instance and boot: no two processes share it. */
  readonly owner: string
  readonly settings: ProcessorSettings
  readonly codeVersion: string
  readonly log: Logger
  readonly metrics: ProcessorMetrics
  readonly onReady: () => void
}

const nothing: Standing = { late: false, contentUnchanged: false, mayBeStored: false }

/**
 * Turns snapshots on CHAINS into rows and alerts.
 *
 * Consumes `chains.raw.<partition>.>` in stream order from its own commit rows; produces rows in ClickHouse, alerts on
 * `alerts.>` and the last features on `features.<underlying>`. Kill it at any moment: the next owner goes on after the last
 * commit row, and what was written past it is recognised by count and not written again.
 */
export function createProcessor(deps: ProcessorDeps): Service {
  return {
    name: 'processor',
    async run(stop) {
      // A run that fails must not leave a retry behind that keeps the process alive: whoever supervises it waits for its end.
      const over = new AbortController()
      try {
        await new Run(deps, stop, AbortSignal.any([stop, over.signal])).run()
      } finally {
        over.abort()
      }
    },
  }
}

/** They are awaited before the commit rows; until then a failure must not count as unhandled. */
function handled(publishes: readonly Promise<unknown>[]): readonly Promise<unknown>[] {
  for (const publish of publishes) publish.catch(() => {})
  return publishes
}

class Run {
  readonly #deps: ProcessorDeps
  /** The wish to stop: what is under way is still finished. */
  readonly #stop: AbortSignal
  /** The end of waiting for others. */
  readonly #signal: AbortSignal
  #flusher!: Flusher
  #recovered!: Recovered
  readonly #parameters: FeatureParams
  readonly #pendingByPartition = new Map<number, number>()

  constructor(deps: ProcessorDeps, stop: AbortSignal, signal: AbortSignal) {
    this.#deps = deps
    this.#parameters = featureParams(deps.settings)
    this.#stop = stop
    this.#signal = signal
  }

  async run(): Promise<void> {
    const { bus, store, settings, log } = this.#deps
    const partitions = Array.from({ length: settings.partitions }, (_, partition) => partition)
    const ownership = await takeOwnership(store, partitions, this.#deps.owner, this.#signal)
    const { name: incarnation, wentBack } = await findIncarnation(bus, store)
    if (wentBack) log.error({ incarnation }, 'CHAINS has gone back, reading it from its beginning')
    this.#recovered = await recover(store, incarnation, this.#deps.codeVersion)
    log.info({ epoch: ownership.epoch, incarnation, leftovers: this.#recovered.leftovers.size }, 'partitions taken')
    const writer: Writer = {
      epoch: ownership.epoch,
      codeVersion: this.#deps.codeVersion,
      parameters: this.#parameters,
    }
    this.#flusher = new Flusher({
      sink: new Sink({
        store,
        ownership,
        log,
        signal: this.#signal,
        onStoreError: () => this.#deps.metrics.storeErrors.inc(),
        pauseBeforeCommitMs: settings.pauseBeforeCommitMs,
      }),
      writer,
      incarnation,
      maxRows: settings.flushRows,
      maxWaitMs: settings.flushMs,
      onWritten: (flush, seconds) => this.#count(flush, seconds),
    })
    await this.#consume(partitions)
  }

  async #consume(partitions: readonly number[]): Promise<void> {
    await using sources = new AsyncDisposableStack()
    const pumps: Promise<void>[] = []
    for (const partition of partitions) {
      const cursor = this.#recovered.cursors.get(partition) ?? 0
      const source = await openOrderedSource(this.#deps.bus, {
        stream: 'CHAINS',
        filterSubject: rawFilter(partition),
        fromSeq: cursor + 1,
        previousSeq: cursor,
      })
      sources.use(source)
      pumps.push(this.#pump(partition, source))
    }
    this.#deps.onReady()
    // A pump ends only when its source is closed, so whichever settles first is the stop or a failure.
    await Promise.race([aborted(this.#stop), this.#flusher.failed, ...pumps])
    await sources.disposeAsync()
    await Promise.all(pumps)
    await this.#flusher.finish()
  }

  async #pump(partition: number, source: OrderedSource): Promise<void> {
    for await (const delivery of source) {
      await this.#process(partition, delivery)
      this.#pendingByPartition.set(partition, delivery.pendingCount)
    }
  }

  async #process(partition: number, delivery: Delivery): Promise<void> {
    const addition = await this.#prepare(partition, delivery)
    // Nothing is awaited between the last look and the adding.
    while (!this.#flusher.hasRoom) await this.#flusher.roomAgain()
    this.#flusher.add(addition())
  }

  /**
   * Does what needs waiting, and returns the rest to be done when there is room: computing changes the key's state, so it
   * must not run for a message that then waits while a later one of its key is looked at.
   */
  async #prepare(partition: number, delivery: Delivery): Promise<() => Addition> {
    const decoded = decode(delivery)
    if (decoded.kind === 'dead-letter') {
      return () => this.#deadLetter(partition, delivery, decoded.reason, decoded.error)
    }
    const { snapshot } = decoded
    const standing = this.#recovered.states.standing(snapshot.meta)
    const base = { delivery, partition, snapshot, standing, computed: null, alerts: [], state: null }
    if (await this.#isDuplicate(snapshot, standing)) {
      return () => ({
        processed: { ...base, outcome: 'duplicate', reason: 'already_stored' },
        present: undefined,
        publishes: [],
      })
    }
    return () => this.#compute(base, delivery)
  }

  async #isDuplicate({ meta }: Snapshot, { mayBeStored }: Standing): Promise<boolean> {
    if (this.#flusher.holds(meta.snapshotId)) return true
    if (!mayBeStored) return false
    const { store, metrics } = this.#deps
    return untilAnswered(() => isCommitted(store.query, meta.snapshotId), {
      signal: this.#signal,
      onError: () => metrics.storeErrors.inc(),
    })
  }

  #compute(
    base: Omit<Processed, 'outcome' | 'reason'> & { readonly snapshot: Snapshot },
    delivery: Delivery,
  ): Addition {
    const { snapshot, standing } = base
    const { states, leftovers } = this.#recovered
    const result = this.#tryCompute(snapshot, standing)
    if ('error' in result) return this.#deadLetter(base.partition, delivery, 'compute_failed', result.error)
    const { computed, alerts, state } = result
    if (state !== null) states.set(snapshot.meta, state)
    const stateText = state === null ? null : JSON.stringify(state)
    return {
      processed: { ...base, outcome: 'stored', reason: '', computed, alerts, state: stateText },
      present: leftovers.get(snapshot.meta.snapshotId),
      publishes: this.#publish(snapshot, computed.chain, alerts, standing),
    }
  }

  #tryCompute(snapshot: Snapshot, standing: Standing): SnapshotResult | { readonly error: unknown } {
    const { metrics, log } = this.#deps
    try {
      const result = processSnapshot(snapshot, standing, this.#recovered.states.get(snapshot.meta), this.#parameters)
      for (const { detector, error } of result.failures) {
        metrics.detectorErrors.inc({ detector })
        log.error({ err: error, detector, snapshotId: snapshot.meta.snapshotId }, 'detector failed')
      }
      if (result.refused !== null) metrics.gateRefusals.inc({ reason: result.refused })
      for (const { data } of result.alerts) metrics.alerts.inc({ detector: data.detector })
      return result
    } catch (error) {
      return { error }
    }
  }

  /** Alerts leave at once: waiting for the flush would be their latency. Their acknowledgements are awaited before the commit rows. */
  #publish(
    { meta }: Snapshot,
    chain: ChainFeatures | null,
    alerts: readonly Alert[],
    { late }: Standing,
  ): readonly Promise<unknown>[] {
    const { publisher } = this.#deps
    const sent: Promise<unknown>[] = alerts.map((alert) =>
      publisher.publish(alertSubject(alert.data), encodeJson(alert), {
        messageId: alert.id,
        headers: { 'Content-Type': 'application/cloudevents+json' },
      }),
    )
    if (chain !== null && !late) {
      const last = {
        underlying: meta.underlying,
        provider: meta.provider,
        snapshotId: meta.snapshotId,
        marketTimeMs: meta.marketTimeMs,
        spot: meta.spot,
        ...chain,
        // As long as the chain itself, and in the table.
        byStrike: undefined,
      }
      sent.push(
        publisher.publish(featuresSubject(meta.underlying), encodeJson(last), {
          messageId: `features-${meta.snapshotId}`,
        }),
      )
    }
    return handled(sent)
  }

  /** What cannot be read or computed goes to the dead letters as it is, and has its commit row: the partition goes on. */
  #deadLetter(partition: number, delivery: Delivery, reason: string, error: unknown): Addition {
    const { log, publisher } = this.#deps
    log.warn({ err: error, streamSeq: delivery.streamSeq, subject: delivery.subject, reason }, 'message dead-lettered')
    const sent = publisher.publish(dlqSubject(delivery.subject), delivery.payload, {
      messageId: `dlq-${delivery.streamSeq}-${delivery.messageId ?? ''}`,
      headers: {
        ...Object.fromEntries([...delivery.headers].filter(([name]) => !name.startsWith('Nats-'))),
        'Sf-Reason': reason,
        'Sf-Error': (error as Error).message.replaceAll(/[^\x20-\x7e]/g, ' ').slice(0, 300),
        'Sf-Stream-Seq': String(delivery.streamSeq),
      },
    })
    const processed: Processed = {
      delivery,
      partition,
      outcome: 'dead-lettered',
      reason,
      snapshot: null,
      standing: nothing,
      computed: null,
      alerts: [],
      state: null,
    }
    return { processed, present: undefined, publishes: handled([sent]) }
  }

  #count(flush: Flush, seconds: number): void {
    const { metrics, log } = this.#deps
    metrics.flushSeconds.observe(seconds)
    metrics.contracts.inc(flush.quotes.length)
    for (const [outcome, count] of flush.outcomes) metrics.messages.inc({ outcome }, count)
    for (const [reason, count] of flush.rejectReasons) metrics.rejects.inc({ reason }, count)
    metrics.outOfRange.inc(rowTables.reduce((sum, table) => sum + flush[table].outOfRange, 0))
    metrics.pending.set([...this.#pendingByPartition.values()].reduce((sum, pending) => sum + pending, 0))
    log.info(
      {
        messages: flush.messages,
        contracts: flush.quotes.length,
        alerts: flush.alerts.length,
        durationMs: Math.round(seconds * 1000),
      },
      'flush committed',
    )
  }
}
