import type { Store } from '../../shared/store/connect.ts'
import { highestEpoch } from '../../shared/store/queries/commits.ts'

/** The right to write some partitions: an epoch no later owner shares. */
export interface Ownership {
  readonly epoch: number
  readonly partitions: readonly number[]
  /** SQL condition that throws once any of the partitions has a later owner. Goes into every insert. */
  readonly fence: string
}

/**
 * Takes partitions by inserting an epoch above all before it. From then on every insert of an earlier owner is refused by
 * the sink itself, however long it was paused: no lease in another system can promise that.
 */
export async function takeOwnership(store: Store, partitions: readonly number[], owner: string): Promise<Ownership> {
  const epoch = 1 + (await highestEpoch(store.query))
  await store.command(
    `INSERT INTO partition_epochs_v1 (partition, epoch, owner)
     SELECT arrayJoin({partitions:Array(UInt16)}), {epoch:UInt32}, {owner:String}`,
    { partitions, epoch, owner },
  )
  return { epoch, partitions, fence: fenceOf(partitions, epoch) }
}

const fenceOf = (partitions: readonly number[], epoch: number): string =>
  `throwIf((SELECT max(epoch) FROM partition_epochs_v1 WHERE partition IN (${partitions.join(', ')})) > ${epoch}, 'fenced: partition has a later owner') = 0`
