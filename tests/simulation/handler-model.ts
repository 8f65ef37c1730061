import type { Handler, Opened } from '../../services/processor/delivery/ports.ts'
import { StrikeflowError } from '../../shared/model/errors.ts'
import type { AlertsModel } from './alerts-model.ts'
import { compute, type Outcome } from './compute.ts'
import type { Host } from './host.ts'
import { isUnreadable, type SimulatedDelivery } from './message.ts'

export interface HandlerModelOptions {
  readonly host: Host
  readonly alerts: AlertsModel
  readonly round: (value: number) => number
  /** Ends the process. */
  readonly kill: () => void
}

/** What is done with a message: little enough to be followed by hand, and as sensitive to order and history as the real one. */
export function createHandlerModel({ host, alerts, round, kill }: HandlerModelOptions): Handler {
  return {
    open(delivery) {
      const { body } = delivery as SimulatedDelivery
      if (isUnreadable(body)) return { reason: 'undecodable', error: new Error('not a snapshot') }
      if (body.kind === 'deadly') kill()
      const opened: Opened = {
        meta: body,
        compute(standing, before) {
          if (body.kind === 'uncomputable') return { reason: 'compute_failed', error: new Error('no figure') }
          const outcome = compute(body, standing, before, round)
          return { content: outcome.content, counts: outcome.counts, state: outcome.state }
        },
        publish({ content }) {
          if (body.kind === 'unpublishable') throw new StrikeflowError('bus', 'no subject')
          return (content as Outcome['content']).alerts.map((alert) =>
            alerts.publish(host, 'alerts', alert.slice(0, alert.indexOf(' ')), alert),
          )
        },
      }
      return opened
    },
    deadLetter(delivery, { reason }) {
      const { body, streamSeq, messageId } = delivery as SimulatedDelivery
      if (body.kind === 'unkeepable') throw new StrikeflowError('bus', 'too large')
      return [alerts.publish(host, 'deadLetters', messageId ?? '', `${streamSeq} ${reason}`)]
    },
  }
}
