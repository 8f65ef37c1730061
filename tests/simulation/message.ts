import type { Delivery } from '../../shared/bus/ordered-source.ts'
import type { SnapshotKey } from '../../services/processor/key-states.ts'

/** What a simulated message says; nothing is encoded. */
export interface Body extends SnapshotKey {
  readonly kind: 'sound' | 'undecodable' | 'unkeepable' | 'uncomputable' | 'unpublishable' | 'deadly' | 'unstorable'
  readonly value: number
  readonly quotes: number
}

/** One message as the stream holds it. */
export interface StoredMessage {
  readonly streamSeq: number
  readonly partition: number
  readonly messageId: string
  readonly body: Body
  readonly publishedAtMs: number
}

export interface SimulatedDelivery extends Delivery {
  readonly body: Body
}

export const keyOf = ({ underlying, provider }: Pick<SnapshotKey, 'underlying' | 'provider'>): string =>
  `${underlying}/${provider}`

export const isUnreadable = ({ kind }: Body): boolean => kind === 'undecodable' || kind === 'unkeepable'
