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

export interface Fence {
  readonly epochs: ReadonlyMap<number, number>
  /** Starts of the servers that are known, by name, as `serverStart` tells them. */
  readonly servers: ReadonlyMap<string, number>
}

/**
 * SQL condition that throws once any of the partitions has a later owner, or the server has started again since it was read back
 * from: then it may have lost what the rows rest on. Goes into every insert; it is looked at once, when the insert begins.
 */
export const fenceCondition = ({ epochs, servers }: Fence): string =>
  servers.size === 0 ? epochCondition(epochs) : `${epochCondition(epochs)} AND ${serverCondition(servers)}`

function serverCondition(servers: ReadonlyMap<string, number>): string {
  const names = [...servers.keys()].map((name) => `'${name.replaceAll(/['\\]/g, '\\$&')}'`).join(', ')
  // A server nobody has asked yet is let pass: it is noted at the next look.
  const known = `transform(${serverName}, [${names}], [${[...servers.values()].join(', ')}], ${2 ** 40})`
  return `throwIf(${startedS} > ${known} + 1, 'fenced: the server has started again') = 0`
}

const serverName = `concat(hostName(), '/', toString(serverUUID()))`
const startedS = 'toInt64(toUnixTimestamp(now())) - toInt64(uptime())'

/** The server that answers and when it started, in seconds by its own clock; off by one at most. */
export async function serverStart(query: Query): Promise<{ readonly name: string; readonly startedS: number }> {
  const [row] = await query.rows<{ name: string; startedS: number }>(
    `SELECT ${serverName} AS name, ${startedS} AS startedS`,
  )
  if (row === undefined) throw new TypeError('Expected one row')
  return row
}

function epochCondition(epochs: ReadonlyMap<number, number>): string {
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
