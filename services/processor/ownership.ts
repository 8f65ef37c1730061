import { setTimeout as delay } from 'node:timers/promises'
import { StrikeflowError } from '../../shared/model/errors.ts'
import type { Store } from '../../shared/store/connect.ts'
import { begunInserts, highestEpoch, rivalsAt } from '../../shared/store/queries/commits.ts'

/** The right to write some partitions: an epoch no later owner shares. */
export interface Ownership {
  readonly epoch: number
  readonly partitions: readonly number[]
  /** SQL condition that throws once any of the partitions has a later owner. Goes into every insert. */
  readonly fence: string
}

/** An insert of a dead owner that takes longer than this is no insert any more. */
const begunInsertLimitMs = 60_000

/**
 * Takes partitions by inserting an epoch above all before it. From then on every insert of an earlier owner is refused by
 * the sink itself, however long it was paused: no lease in another system can promise that. Resolves when the inserts that
 * were begun before are over too: until then rows may still appear that nobody would recognise.
 */
export async function takeOwnership(
  store: Store,
  partitions: readonly number[],
  owner: string,
  signal: AbortSignal,
): Promise<Ownership> {
  const epoch = await takeEpoch(store, partitions, owner, signal)
  await begunInsertsOver(store, signal)
  return { epoch, partitions, fence: fenceOf(partitions, epoch) }
}

/** Two that start together may insert the same epoch, and no fence would tell them apart: then both take another one. */
async function takeEpoch(
  store: Store,
  partitions: readonly number[],
  owner: string,
  signal: AbortSignal,
): Promise<number> {
  for (;;) {
    const epoch = 1 + (await highestEpoch(store.query))
    await store.command(
      `INSERT INTO partition_epochs_v1 (partition, epoch, owner)
       SELECT arrayJoin({partitions:Array(UInt16)}), {epoch:UInt32}, {owner:String}`,
      { partitions, epoch, owner },
    )
    if ((await rivalsAt(store.query, epoch, owner)) === 0) return epoch
    await delay(50 + Math.random() * 200, undefined, { signal })
  }
}

/** Resolves when the server works on no fenced insert any more. */
export async function begunInsertsOver({ query }: Store, signal: AbortSignal): Promise<void> {
  const until = performance.now() + begunInsertLimitMs
  while ((await begunInserts(query)) > 0) {
    if (performance.now() > until) throw new StrikeflowError('store', 'Inserts of an earlier owner do not end')
    await delay(20, undefined, { signal })
  }
}

const fenceOf = (partitions: readonly number[], epoch: number): string =>
  `throwIf((SELECT max(epoch) FROM partition_epochs_v1 WHERE partition IN (${partitions.join(', ')})) > ${epoch}, 'fenced: partition has a later owner') = 0`
