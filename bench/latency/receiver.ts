import { z } from 'zod'
import { decodeJson, headerNames } from '../../shared/bus/messages.ts'
import type { Bus } from '../../shared/bus/connect.ts'

const alertMessage = z.object({ id: z.string(), data: z.object({ inputs: z.array(z.string()) }) })

export interface ReceivedAlert {
  /** The snapshot that raised it. */
  readonly snapshotId: string
  readonly receivedMs: number
}

export interface Receiver {
  /** The first of each id. */
  readonly alerts: ReadonlyMap<string, ReceivedAlert>
  /** Alerts that came under an id which was there already. */
  readonly duplicates: number
  /** First last-features message of each snapshot, by its id. */
  readonly features: ReadonlyMap<string, number>
}

const featuresPrefix = 'features-'

/** Subscribes as anybody downstream may, without JetStream: alerts, and the last features of each underlying. */
export async function openReceiver({ connection }: Bus): Promise<Receiver> {
  const alerts = new Map<string, ReceivedAlert>()
  const features = new Map<string, number>()
  const receiver = { alerts, features, duplicates: 0 }
  connection.subscribe('alerts.>', {
    callback(_, message) {
      const receivedMs = performance.now()
      const { id, data } = alertMessage.parse(decodeJson(message.data))
      if (alerts.has(id)) receiver.duplicates += 1
      else alerts.set(id, { snapshotId: data.inputs[0] ?? '', receivedMs })
    },
  })
  connection.subscribe('features.>', {
    callback(_, message) {
      const receivedMs = performance.now()
      const id = message.headers?.get(headerNames.messageId) ?? ''
      const snapshotId = id.slice(featuresPrefix.length)
      if (!features.has(snapshotId)) features.set(snapshotId, receivedMs)
    },
  })
  // A subscription is not yet one on the server when the call returns.
  await connection.flush()
  return receiver
}
