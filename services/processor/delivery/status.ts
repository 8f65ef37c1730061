import type { Partition } from './partition.ts'
import type { Batch } from './ports.ts'

/** How delivery stands, for readiness and the board. */
export interface DeliveryStatus {
  readonly owned: readonly number[]
  /** Of each that is consumed, or was until it failed and is still ours to take again. */
  readonly positions: readonly Position[]
  /** Why it cannot do its work; empty when it can. */
  readonly problems: readonly string[]
}

/** How far a partition is read. */
export interface Position {
  readonly partition: number
  /** Where it was taken. */
  readonly cursor: number
  /** The last message that was handed to a flush. */
  readonly reached: number
}

export const positionOf = ({
  number,
  reached,
  taken,
}: Pick<Partition<Batch>, 'number' | 'reached' | 'taken'>): Position => {
  return { partition: number, cursor: taken.place.cursor, reached }
}
