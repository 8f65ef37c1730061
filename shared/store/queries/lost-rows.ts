import { promisedRows, type TableKey } from './commits.ts'
import type { Query } from './query.ts'

export interface LostRowsOf {
  /** Names of the tables that do not have all the rows the commit row promises. */
  readonly tables: readonly string[]
  readonly late: boolean
  readonly contentUnchanged: boolean
  /** The snapshot whose state it was computed from; its state is empty where that is lost as well. */
  readonly prior: { readonly snapshotId: string; readonly state: string } | null
}

interface StoredCommit {
  readonly incarnation: string
  readonly partition: number
  readonly streamSeq: number
  readonly underlying: string
  readonly provider: string
  readonly marketTimeMs: number
  readonly late: boolean
  readonly contentUnchanged: boolean
  readonly isOld: boolean
}

/**
 * What a snapshot that is committed as stored has lost of its rows; null when it has all of them, or was committed less than
 * `minAgeMs` ago, or under another market time (the same content fetched again). The young are left out before any table is read.
 */
export async function lostRows(
  query: Query,
  { snapshotId, marketTimeMs }: Pick<TableKey, 'snapshotId' | 'marketTimeMs'>,
  minAgeMs: number,
): Promise<LostRowsOf | null> {
  const [commit] = await query.rows<StoredCommit>(
    `SELECT toString(incarnation) AS incarnation, partition, stream_seq AS streamSeq, underlying, provider,
       toUnixTimestamp64Milli(market_time) AS marketTimeMs, late, content_unchanged AS contentUnchanged,
       stored_at <= now64(3) - toIntervalMillisecond({minAgeMs:Int64}) AS isOld
     FROM snapshots_v1 WHERE snapshot_id = {snapshotId:UUID} AND outcome = 'stored' ORDER BY epoch DESC LIMIT 1`,
    { snapshotId, minAgeMs },
  )
  if (commit === undefined || !commit.isOld || commit.marketTimeMs !== marketTimeMs) return null
  const tables = await incompleteTables(query, snapshotId, commit)
  if (tables.length === 0) return null
  const { late, contentUnchanged } = commit
  return { tables, late, contentUnchanged, prior: await priorOf(query, commit) }
}

async function incompleteTables(query: Query, snapshotId: string, commit: StoredCommit): Promise<readonly string[]> {
  const perTable = promisedRows.map(
    ([table, count, distinct]) => `
      SELECT '${table}' AS table, (
        SELECT argMax(${count}, epoch) FROM snapshots_v1 WHERE snapshot_id = {snapshotId:UUID} AND outcome = 'stored'
      ) AS promised, (
        SELECT argMax(n, epoch) FROM (
          SELECT epoch, ${distinct} AS n FROM ${table}
          WHERE underlying = {underlying:String} AND market_time = fromUnixTimestamp64Milli({marketTimeMs:Int64})
            AND snapshot_id = {snapshotId:UUID} GROUP BY epoch
        )
      ) AS there`,
  )
  const { underlying, marketTimeMs } = commit
  const rows = await query.rows<{ table: string }>(
    `SELECT table FROM (${perTable.join(' UNION ALL ')}) WHERE ifNull(there, 0) < promised`,
    { snapshotId, underlying, marketTimeMs },
  )
  return rows.map(({ table }) => table)
}

/** The snapshot before it that touched the state of its key, as the owner then had it. */
async function priorOf(query: Query, commit: StoredCommit): Promise<LostRowsOf['prior']> {
  const { incarnation, partition, streamSeq, underlying, provider, marketTimeMs } = commit
  const params = { incarnation, partition, streamSeq, underlying, provider, marketTimeMs }
  const [prior] = await query.rows<{ snapshotId: string; priorMs: number }>(
    `SELECT toString(snapshot_id) AS snapshotId, toUnixTimestamp64Milli(market_time) AS priorMs FROM snapshots_v1 FINAL
     WHERE partition = {partition:UInt16} AND underlying = {underlying:String} AND provider = {provider:String}
       AND outcome = 'stored' AND NOT late AND market_time < fromUnixTimestamp64Milli({marketTimeMs:Int64})
       AND NOT (incarnation = {incarnation:String} AND stream_seq >= {streamSeq:UInt64})
     ORDER BY market_time DESC LIMIT 1`,
    params,
  )
  if (prior === undefined) return null
  const { snapshotId, priorMs } = prior
  const [found] = await query.rows<{ state: string }>(
    `SELECT argMax(state, epoch) AS state FROM detector_states_v1
     WHERE underlying = {underlying:String} AND provider = {provider:String}
       AND market_time = fromUnixTimestamp64Milli({priorMs:Int64}) AND snapshot_id = {snapshotId:UUID}`,
    { underlying, provider, priorMs, snapshotId },
  )
  return { snapshotId, state: found?.state ?? '' }
}
