import type { Query } from './query.ts'

/**
 * The end of each partition's unbroken `previous_seq` chain in one incarnation of the stream: everything up to there is
 * committed. Partitions without commit rows are absent.
 */
export async function readCursors(query: Query, incarnation: string): Promise<ReadonlyMap<number, number>> {
  const rows = await query.rows<{ partition: number; cursor: number }>(
    `SELECT partition, min(chain_end) AS cursor FROM (
       SELECT partition, if(is_break, before, last_seq) AS chain_end FROM (
         SELECT partition, stream_seq, previous_seq,
           lagInFrame(stream_seq, 1, previous_seq) OVER w AS before,
           max(stream_seq) OVER (PARTITION BY partition) AS last_seq,
           previous_seq != before AS is_break
         FROM snapshots_v1 FINAL WHERE incarnation = {incarnation:String}
         WINDOW w AS (PARTITION BY partition ORDER BY stream_seq ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
       )
     ) GROUP BY partition`,
    { incarnation },
  )
  return new Map(rows.map(({ partition, cursor }) => [partition, cursor]))
}

/** True when a snapshot is stored and committed: a later copy of it is a duplicate. */
export async function isCommitted(query: Query, snapshotId: string): Promise<boolean> {
  const rows = await query.rows<{ found: number }>(
    `SELECT 1 AS found FROM snapshots_v1 WHERE snapshot_id = {snapshotId:UUID} AND outcome = 'stored' LIMIT 1`,
    { snapshotId },
  )
  return rows.length > 0
}

/**
 * Rows that snapshots without a commit row have in one table: what owners that died between the two left behind. Only
 * rows of the same code count; others have to be computed again.
 *
 * An owner writes one flush after the other, so what it left over is no older than its own last commit row (both times are
 * the server's). That has to be asked owner by owner: after several crashes a later owner may have committed other
 * snapshots since.
 */
export async function uncommittedRows(
  query: Query,
  table: string,
  codeVersion: string,
): Promise<ReadonlyMap<string, number>> {
  const rows = await query.rows<{ id: string; n: number }>(
    // The columns read for every row are nearly constant; FINAL would read and merge the whole table.
    `SELECT id, argMax(n, epoch) AS n FROM (
       SELECT toString(q.snapshot_id) AS id, q.epoch AS epoch, countIf(q.code_version = {codeVersion:String}) AS n
       FROM ${table} AS q
       LEFT JOIN (
         SELECT epoch, toDateTime(max(stored_at)) - 5 AS last FROM snapshots_v1 GROUP BY epoch
       ) AS commits ON commits.epoch = q.epoch
       WHERE q.stored_at >= commits.last
         AND q.snapshot_id NOT IN (SELECT snapshot_id FROM snapshots_v1 WHERE outcome = 'stored')
       GROUP BY id, epoch
     ) GROUP BY id`,
    { codeVersion },
  )
  return new Map(rows.map(({ id, n }) => [id, n]))
}

/** Fenced inserts the server is still working on: those begun before a new epoch was in the table can still succeed. */
export async function begunInserts(query: Query): Promise<number> {
  const [row] = await query.rows<{ n: number }>(
    `SELECT count() AS n FROM system.processes WHERE query_kind = 'Insert' AND position(query, 'partition_epochs_v1') > 0`,
  )
  return row?.n ?? 0
}

/** Rows of the named snapshots in one table, written under one epoch. */
export async function rowsOfSnapshots(
  query: Query,
  table: string,
  ids: readonly string[],
  epoch: number,
  marketTimesMs: { readonly from: number; readonly to: number },
): Promise<ReadonlyMap<string, number>> {
  const rows = await query.rows<{ id: string; n: number }>(
    // Not under the column's own name: an alias shadows the column in WHERE, and text is in no list of UUIDs.
    `SELECT toString(snapshot_id) AS id, count() AS n FROM ${table}
     WHERE snapshot_id IN {ids:Array(UUID)} AND epoch = {epoch:UInt32}
       AND market_time BETWEEN fromUnixTimestamp64Milli({from:Int64}) AND fromUnixTimestamp64Milli({to:Int64})
     GROUP BY id`,
    { ids, epoch, ...marketTimesMs },
  )
  return new Map(rows.map(({ id, n }) => [id, n]))
}

export interface StoredState {
  readonly underlying: string
  readonly provider: string
  readonly state: string
}

/** The newest committed state of every (underlying, provider). */
export async function readStates(query: Query): Promise<readonly StoredState[]> {
  return query.rows<StoredState>(
    `SELECT underlying, provider, argMax(state, (market_time, epoch)) AS state FROM detector_states_v1
     WHERE snapshot_id IN (SELECT snapshot_id FROM snapshots_v1 WHERE outcome = 'stored')
     GROUP BY underlying, provider`,
  )
}

/** The highest epoch any partition was ever taken under; 0 before the first. */
export async function highestEpoch(query: Query): Promise<number> {
  const [row] = await query.rows<{ epoch: number }>('SELECT max(epoch) AS epoch FROM partition_epochs_v1')
  return row?.epoch ?? 0
}

/** The newest incarnation of a stream with this creation time; null when nothing of it is committed. */
export async function latestIncarnation(query: Query, created: string): Promise<string | null> {
  const rows = await query.rows<{ incarnation: string }>(
    `SELECT incarnation FROM snapshots_v1 WHERE incarnation = {created:String} OR startsWith(incarnation, concat({created:String}, '#'))
     GROUP BY incarnation ORDER BY toUInt32OrZero(splitByChar('#', incarnation)[2]) DESC LIMIT 1`,
    { created },
  )
  return rows[0]?.incarnation ?? null
}

/** The message ids the commit log has for some sequences. */
export async function messageIdsAt(
  query: Query,
  incarnation: string,
  streamSeqs: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const rows = await query.rows<{ stream_seq: number; message_id: string }>(
    `SELECT stream_seq, message_id FROM snapshots_v1 FINAL
     WHERE incarnation = {incarnation:String} AND stream_seq IN {streamSeqs:Array(UInt64)}`,
    { incarnation, streamSeqs },
  )
  return new Map(rows.map(({ stream_seq, message_id }) => [stream_seq, message_id]))
}

/** Owners that took the same epoch as another one did at the same moment. */
export async function rivalsAt(query: Query, epoch: number, owner: string): Promise<number> {
  const [row] = await query.rows<{ n: number }>(
    'SELECT uniqExact(owner) AS n FROM partition_epochs_v1 WHERE epoch = {epoch:UInt32} AND owner != {owner:String}',
    { epoch, owner },
  )
  return row?.n ?? 0
}
