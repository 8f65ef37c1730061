import type { Query } from './query.ts'

/** The highest epoch each of these partitions was ever taken under; absent where it never was. */
export async function highestEpochs(query: Query, partitions: readonly number[]): Promise<ReadonlyMap<number, number>> {
  const rows = await query.rows<{ partition: number; epoch: number }>(
    `SELECT partition, max(epoch) AS epoch FROM partition_epochs_v1
     WHERE partition IN {partitions:Array(UInt16)} GROUP BY partition`,
    { partitions },
  )
  return new Map(rows.map(({ partition, epoch }) => [partition, epoch]))
}

/** The INSERT that takes partitions, each under its epoch; for `Store.command`. */
export const insertEpochsSql = `INSERT INTO partition_epochs_v1 (partition, epoch, owner)
  SELECT tupleElement(pair, 1), tupleElement(pair, 2), {owner:String}
  FROM (SELECT arrayJoin(arrayZip({partitions:Array(UInt16)}, {epochs:Array(UInt32)})) AS pair)`

/** Partitions of these that have a higher epoch, or the same one by another owner. */
export async function rivals(
  query: Query,
  epochs: ReadonlyMap<number, number>,
  owner: string,
): Promise<ReadonlySet<number>> {
  const rows = await query.rows<{ partition: number }>(
    `SELECT DISTINCT partition FROM partition_epochs_v1
     WHERE partition IN {partitions:Array(UInt16)}
       AND (epoch > ${epochOf} OR (epoch = ${epochOf} AND owner != {owner:String}))`,
    { partitions: [...epochs.keys()], epochs: [...epochs.values()], owner },
  )
  return new Set(rows.map(({ partition }) => partition))
}

const epochOf = 'transform(partition, {partitions:Array(UInt16)}, {epochs:Array(UInt32)}, toUInt32(0))'

/**
 * SQL condition that throws once any of the partitions has a later owner. Goes into every insert; it is looked at once, when
 * the insert begins.
 */
export function fenceCondition(epochs: ReadonlyMap<number, number>): string {
  const partitions = [...epochs.keys()].join(', ')
  const mine = `transform(partition, [${partitions}], [${[...epochs.values()].join(', ')}], 0)`
  return `throwIf((SELECT count() FROM partition_epochs_v1 WHERE partition IN (${partitions}) AND epoch > ${mine}) > 0, 'fenced: a partition has a later owner') = 0`
}

/** Ids of the fenced inserts the server is still working on: those begun before a new epoch was in the table can still succeed. */
export async function begunInserts(query: Query): Promise<ReadonlySet<string>> {
  const rows = await query.rows<{ id: string }>(
    `SELECT query_id AS id FROM system.processes
     WHERE query_kind = 'Insert' AND position(query, 'fenced: a partition has a later owner') > 0`,
  )
  return new Set(rows.map(({ id }) => id))
}
