import { encodeJson, headerNames } from '../../shared/bus/messages.ts'
import type { Delivery } from '../../shared/bus/ordered-source.ts'
import type { Publisher } from '../../shared/bus/publisher.ts'
import { alertSubject, dlqSubject, featuresSubject } from '../../shared/bus/subjects.ts'
import type { Snapshot } from '../../shared/model/snapshot.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import { decode } from './decode.ts'
import type { Computed, Handler, Opened, Refused } from './delivery/ports.ts'
import type { FeatureParams } from './features/compute-chain.ts'
import { type ChainContent, countsOf } from './flush.ts'
import type { KeyState, Standing } from './key-states.ts'
import type { ProcessorMetrics } from './metrics.ts'
import { processSnapshot } from './process-snapshot.ts'
import { retractionOf } from './retraction.ts'

export interface HandlerDeps {
  readonly publisher: Publisher
  readonly parameters: FeatureParams
  readonly metrics: ProcessorMetrics
  readonly log: Logger
}

/** What is done with a message of CHAINS: decoded, computed, shown to the detectors; or kept as a dead letter. */
export function createHandler(deps: HandlerDeps): Handler {
  return {
    open(delivery) {
      const decoded = decode(delivery)
      return decoded.kind === 'dead-letter' ? decoded : opened(decoded.snapshot, deps)
    },
    deadLetter: (delivery, refused, mayHaveAlerted) => deadLetter(delivery, refused, mayHaveAlerted, deps),
  }
}

const opened = (snapshot: Snapshot, deps: HandlerDeps): Opened => ({
  meta: snapshot.meta,
  compute: (standing, before) => compute(snapshot, standing, before, deps),
  publish: ({ content }, standing) => publish(content as ChainContent, standing, deps),
})

function compute(
  snapshot: Snapshot,
  standing: Standing,
  before: KeyState | undefined,
  { parameters, metrics, log }: HandlerDeps,
): Computed | Refused {
  try {
    const { computed, alerts, state, failures } = processSnapshot(snapshot, standing, before, parameters)
    for (const { detector, error } of failures) {
      metrics.detectorErrors.inc({ detector })
      log.error({ err: error, detector, snapshotId: snapshot.meta.snapshotId }, 'detector failed')
    }
    for (const { data } of alerts) metrics.alerts.inc({ detector: data.detector })
    const content = { snapshot, computed, alerts, state: state === null ? null : JSON.stringify(state) }
    return { content, counts: countsOf(content), state }
  } catch (error) {
    return { reason: 'compute_failed', error }
  }
}

/** Alerts leave at once: waiting for the flush would be their latency. Their acknowledgements are awaited before the commit rows. */
function publish(
  { snapshot: { meta }, computed: { chain }, alerts }: ChainContent,
  { late }: Standing,
  { publisher }: HandlerDeps,
): readonly Promise<unknown>[] {
  const sent: Promise<unknown>[] = alerts.map((alert) =>
    publisher.publish(alertSubject(alert.data), encodeJson(alert), {
      messageId: alert.id,
      headers: { 'Content-Type': 'application/cloudevents+json' },
    }),
  )
  if (chain !== null && !late) {
    const { underlying, provider, snapshotId, marketTimeMs, spot } = meta
    // The strikes are as long as the chain itself, and in the table.
    const last = { underlying, provider, snapshotId, marketTimeMs, spot, ...chain, byStrike: undefined }
    const messageId = `features-${snapshotId}`
    sent.push(publisher.publish(featuresSubject(underlying), encodeJson(last), { messageId }))
  }
  return sent
}

/** What cannot be read or computed goes to the dead letters as it is, and has its commit row: the partition goes on. */
function deadLetter(
  delivery: Delivery,
  { reason, error }: Refused,
  mayHaveAlerted: boolean,
  { publisher, log, metrics }: HandlerDeps,
): readonly Promise<unknown>[] {
  const { subject, streamSeq, messageId, payload, headers } = delivery
  log.error({ err: error, streamSeq, subject, reason }, 'message dead-lettered')
  metrics.deadLetters.inc({ reason })
  const sent: Promise<unknown>[] = [
    publisher.publish(dlqSubject(subject), payload, {
      messageId: `dlq-${streamSeq}-${messageId ?? ''}`,
      headers: {
        ...Object.fromEntries([...headers].filter(([name]) => !name.startsWith('Nats-'))),
        [headerNames.deathReason]: reason,
        [headerNames.deathError]: (error as Error).message.replaceAll(/[^\x20-\x7e]/g, ' ').slice(0, 300),
        [headerNames.deathStreamSeq]: String(streamSeq),
        [headerNames.deathMessageId]: headers.get(headerNames.replayOf) ?? messageId ?? '',
      },
    }),
  ]
  const retraction = mayHaveAlerted ? retractionOf(delivery, reason) : null
  if (retraction !== null) {
    const headersOf = { 'Content-Type': 'application/cloudevents+json' }
    const address = { severity: 'info', detector: 'retraction', underlying: retraction.subject } as const
    sent.push(
      publisher.publish(alertSubject(address), encodeJson(retraction), {
        messageId: retraction.id,
        headers: headersOf,
      }),
    )
  }
  return sent
}
