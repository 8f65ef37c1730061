import { letterOf } from '../../shared/bus/dead-letters.ts'
import { encodeJson } from '../../shared/bus/messages.ts'
import type { Delivery } from '../../shared/bus/ordered-source.ts'
import { type Publisher, refuseTooLarge } from '../../shared/bus/publisher.ts'
import { alertSubject, featuresSubject } from '../../shared/bus/subjects.ts'
import type { Snapshot } from '../../shared/model/snapshot.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import { decode } from './decode.ts'
import type { Computed, Handler, Opened, Refused } from './delivery/ports.ts'
import type { FeatureParams } from './features/compute-chain.ts'
import { type ChainContent, countsOf } from './flush.ts'
import type { Gather } from './gathering.ts'
import type { KeyState, Standing } from './key-states.ts'
import type { ProcessorMetrics } from './metrics.ts'
import { processSnapshot } from './process-snapshot.ts'
import { retractionOf } from './retraction.ts'

export interface HandlerDeps {
  readonly publisher: Publisher
  /** How the last features are sent, which may wait a moment; alerts may not. */
  readonly gather: Gather
  readonly parameters: FeatureParams
  /** Of CHAINS; null where messages are taken in whatever partition they lie. */
  readonly partitions: number | null
  readonly metrics: ProcessorMetrics
  readonly log: Logger
}

/** What is done with a message of CHAINS: decoded, computed, shown to the detectors; or kept as a dead letter. */
export function createHandler(deps: HandlerDeps): Handler {
  return {
    open(delivery) {
      const decoded = decode(delivery, deps.partitions)
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
    const { computed, alerts, state, failures, refused } = processSnapshot(snapshot, standing, before, parameters)
    for (const { detector, error } of failures) {
      metrics.detectorErrors.inc({ detector })
      log.error({ err: error, detector, snapshotId: snapshot.meta.snapshotId }, 'detector failed')
    }
    if (refused !== null) metrics.gateRefusals.inc({ reason: refused })
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
  { publisher, gather }: HandlerDeps,
): readonly Promise<unknown>[] {
  const urgent = alerts.map((alert) => outgoing(alertSubject(alert.data), alert, alert.id, cloudEvent))
  const patient: typeof urgent = []
  if (chain !== null && !late) {
    const { underlying, provider, snapshotId, marketTimeMs, spot } = meta
    // The strikes are as long as the chain itself, and in the table.
    const last = { underlying, provider, snapshotId, marketTimeMs, spot, ...chain, byStrike: undefined }
    patient.push(outgoing(featuresSubject(underlying), last, `features-${snapshotId}`))
  }
  // Not before all of them stand: what is refused must not have left in part.
  return [...urgent.map((send) => send(publisher)), ...patient.map((send) => gather(() => send(publisher)))]
}

const cloudEvent = { 'Content-Type': 'application/cloudevents+json' }

/** Throws where the message cannot be published, ever. */
function outgoing(subject: string, body: unknown, messageId: string, headers: Readonly<Record<string, string>> = {}) {
  const payload = encodeJson(body)
  refuseTooLarge(subject, payload)
  return (publisher: Publisher): Promise<unknown> => publisher.publish(subject, payload, { messageId, headers })
}

/** What cannot be read, computed or published goes to the dead letters, and has its commit row: the partition goes on. Never throws. */
function deadLetter(
  delivery: Delivery,
  { reason, error }: Refused,
  mayHaveAlerted: boolean,
  { publisher, log, metrics }: HandlerDeps,
): readonly Promise<unknown>[] {
  const { streamSeq } = delivery
  log.error({ err: error, streamSeq, subject: delivery.subject.slice(0, 300), reason }, 'message dead-lettered')
  metrics.deadLetters.inc({ reason })
  const { subject, payload, ...options } = letterOf(delivery, reason, error)
  const sent: Promise<unknown>[] = [publisher.publish(subject, payload, options)]
  const retract = mayHaveAlerted ? retractionFor(delivery, reason) : null
  if (retract !== null) sent.push(retract(publisher))
  return sent
}

/** Null where there is nothing to take back: what has no proper address has raised nothing. */
function retractionFor(delivery: Delivery, reason: string): ReturnType<typeof outgoing> | null {
  try {
    const retraction = retractionOf(delivery, reason)
    if (retraction === null) return null
    const address = { severity: 'info', detector: 'retraction', underlying: retraction.subject } as const
    return outgoing(alertSubject(address), retraction, retraction.id, cloudEvent)
  } catch {
    return null
  }
}
