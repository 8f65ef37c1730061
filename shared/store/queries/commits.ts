import type { Query } from './query.ts'

/** The newest incarnation of a stream with this creation time that has commit rows, by partition. */
export async function latestIncarnations(
  query: Query,
  created: string,
  partitions: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const rows = await query.rows<{ partition: number; incarnation: string }>(
    `SELECT partition, argMax(incarnation, toUInt32OrZero(extract(toString(incarnation), '#(\\\\d+)'))) AS incarnation
     FROM (
       SELECT DISTINCT partition, incarnation FROM snapshots_v1
       WHERE partition IN {partitions:Array(UInt16)}
         AND (incarnation = {created:String} OR startsWith(incarnation, concat({created:String}, '#')))
     ) GROUP BY partition`,
    { created, partitions },
  )
  return new Map(rows.map(({ partition, incarnation }) => [partition, incarnation]))
}

export interface CommitSegment {
  readonly partition: number
  readonly previousSeq: number
  readonly lastSeq: number
  readonly lastMessageId: string
}

/**
 * The commit rows from a sequence on, as segments without a hole: where a row does not name the one before it as its
 * `previous_seq`, the next segment begins. Read by primary key; what the stream has discarded is not looked at.
 */
export async function commitSegments(
  query: Query,
  incarnations: ReadonlyMap<number, string>,
  fromSeq: number,
): Promise<readonly CommitSegment[]> {
  return query.rows<CommitSegment>(
    `SELECT partition, argMin(previous_seq, stream_seq) AS previousSeq, max(stream_seq) AS lastSeq,
       argMax(message_id, stream_seq) AS lastMessageId
     FROM (
       SELECT partition, stream_seq, previous_seq, message_id, sum(is_break) OVER (PARTITION BY partition ORDER BY stream_seq) AS segment
       FROM (
         SELECT partition, stream_seq, previous_seq, message_id,
           previous_seq != lagInFrame(stream_seq, 1, previous_seq) OVER w AS is_break
         FROM snapshots_v1 FINAL
         WHERE (incarnation, partition) IN (SELECT arrayJoin(arrayZip({incarnations:Array(String)}, {partitions:Array(UInt16)})))
           AND incarnation IN {incarnations:Array(String)} AND partition IN {partitions:Array(UInt16)}
           AND stream_seq >= {fromSeq:UInt64}
         WINDOW w AS (PARTITION BY partition ORDER BY stream_seq ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
       )
     ) GROUP BY partition, segment ORDER BY partition, lastSeq`,
    { incarnations: [...incarnations.values()], partitions: [...incarnations.keys()], fromSeq },
  )
}

export interface CommitId {
  readonly streamSeq: number
  readonly messageId: string
}

/** The newest commit rows of a partition below a sequence, newest first. */
export async function newestCommits(
  query: Query,
  { partition, incarnation }: { readonly partition: number; readonly incarnation: string },
  { below, limit }: { readonly below: number | null; readonly limit: number },
): Promise<readonly CommitId[]> {
  return query.rows<CommitId>(
    `SELECT stream_seq AS streamSeq, any(message_id) AS messageId FROM snapshots_v1
     WHERE incarnation = {incarnation:String} AND partition = {partition:UInt16}
       AND ({below:UInt64} = 0 OR stream_seq < {below:UInt64})
     GROUP BY stream_seq ORDER BY stream_seq DESC LIMIT {limit:UInt32}`,
    { partition, incarnation, below: below ?? 0, limit },
  )
}

export interface Damage {
  readonly partition: number
  readonly incarnation: string
  readonly streamSeq: number
  readonly previousSeq: number
}

/**
 * Tables whose rows a commit row counts: table, promised number of rows, and number of different rows of one snapshot and epoch.
 * Rows are counted by their key, because one epoch may have written a torn snapshot twice: half of its rows, two times, are as many
 * as were promised and still only half. The hash of a key is 64 bits wide, so two keys of one snapshot do not meet in practice.
 */
export const promisedRows = [
  ['option_quotes_v1', 'n_quotes', 'uniqExact(cityHash64(root, expiry, strike, right))'],
  ['expiry_features_v1', 'n_expiries', 'uniqExact(root, expiry)'],
  ['chain_features_v1', 'n_chains', 'uniqExact(provider)'],
  ['quote_rejects_v1', 'n_rejects', 'uniqExact(ordinal)'],
  ['alerts_v1', 'n_alerts', 'uniqExact(alert_id)'],
  ['detector_states_v1', 'if(late, 0, 1)', 'uniqExact(provider)'],
] as const

/**
 * Commit rows `stored` whose rows are not all in the tables, as a power cut or a restored backup can leave them: those of so long
 * before the newest one of their partition, whenever that was. What counts is the newest epoch that wrote any rows, and only what is
 * missing: rows too many, of an owner before or of an insert that was repeated, are not mended by reading again.
 * A table is read only where these snapshots' keys lie.
 */
export async function damagedCommits(
  query: Query,
  partitions: readonly number[],
  windowMs: number,
): Promise<readonly Damage[]> {
  const perTable = promisedRows.map(
    ([table, count, distinct]) => `
      SELECT partition, toString(incarnation) AS incarnation, stream_seq, previous_seq, ${count} AS promised, found.n AS there
      FROM recent LEFT JOIN (
        SELECT snapshot_id, argMax(n, epoch) AS n FROM (
          SELECT snapshot_id, epoch, ${distinct} AS n FROM ${table}
          WHERE (underlying, market_time) IN (SELECT underlying, market_time FROM recent)
            AND snapshot_id IN (SELECT snapshot_id FROM recent)
          GROUP BY snapshot_id, epoch
        ) GROUP BY snapshot_id
      ) AS found ON found.snapshot_id = recent.snapshot_id`,
  )
  return query.rows<Damage>(
    `WITH (
       SELECT mapFromArrays(groupArray(p), groupArray(at)) FROM (
         SELECT partition AS p, max(stored_at) AS at FROM snapshots_v1
         WHERE partition IN {partitions:Array(UInt16)} GROUP BY partition
       )
     ) AS newest, recent AS (
       SELECT * FROM snapshots_v1 FINAL
       WHERE partition IN {partitions:Array(UInt16)} AND outcome = 'stored'
         AND stored_at >= newest[partition] - toIntervalSecond({windowS:UInt32})
         -- By the index: what is not of any of their windows is not read.
         AND stored_at >= arrayMin(mapValues(newest)) - toIntervalSecond({windowS:UInt32})
     )
     SELECT DISTINCT partition, incarnation, stream_seq AS streamSeq, previous_seq AS previousSeq
     FROM (${perTable.join(' UNION ALL ')}) WHERE ifNull(there, 0) < promised ORDER BY streamSeq`,
    { partitions, windowS: Math.ceil(windowMs / 1000) },
  )
}

export interface StoredBefore {
  readonly incarnation: string
  readonly partition: number
  readonly streamSeq: number
  /** What is committed past it under an earlier epoch is being decided anew. */
  readonly cursor: number
  readonly epoch: number
}

/** What counts of a message is its newest commit row: one that was stored may have been given up when it was read again. */
export const isNewestCommit = (commits: string): string => `(incarnation, partition, stream_seq, epoch) IN (
         SELECT incarnation, partition, stream_seq, max(epoch) FROM ${commits}
         WHERE (incarnation, partition, stream_seq) IN (
           SELECT incarnation, partition, stream_seq FROM ${commits} WHERE snapshot_id = {snapshotId:UUID}
         ) GROUP BY incarnation, partition, stream_seq
       )`

/**
 * True when a snapshot is committed as stored by a message before this one, or in another partition or incarnation.
 */
export async function isStoredBefore(query: Query, snapshotId: string, at: StoredBefore): Promise<boolean> {
  const rows = await query.rows<{ found: number }>(
    `SELECT 1 AS found FROM snapshots_v1
     WHERE snapshot_id = {snapshotId:UUID} AND outcome = 'stored'
       AND ${isNewestCommit('snapshots_v1')}
       AND NOT (incarnation = {incarnation:String} AND partition = {partition:UInt16}
         AND (stream_seq >= {streamSeq:UInt64} OR stream_seq > {cursor:UInt64} AND epoch < {epoch:UInt32}))
     LIMIT 1`,
    { snapshotId, ...at },
  )
  return rows.length > 0
}

export interface TableKey {
  readonly snapshotId: string
  readonly underlying: string
  readonly marketTimeMs: number
}

export interface TableCount {
  readonly table: string
  readonly id: string
  readonly n: number
}

/**
 * How many rows of one code version these snapshots have in each table, of the newest epoch that wrote any: what owners that died
 * before their commit row left behind. Read by primary key.
 */
export async function countRows(
  query: Query,
  tables: readonly string[],
  keys: readonly TableKey[],
  codeVersion: string,
): Promise<readonly TableCount[]> {
  const times = keys.map(({ marketTimeMs }) => marketTimeMs)
  const perTable = tables.map(
    // Not under the column's own name: an alias shadows the column in WHERE, and text is in no list of UUIDs.
    (table) => `SELECT '${table}' AS table, id, argMax(n, epoch) AS n FROM (
        SELECT toString(snapshot_id) AS id, epoch, countIf(code_version = {codeVersion:String}) AS n FROM ${table}
        WHERE underlying IN {underlyings:Array(String)} AND snapshot_id IN {ids:Array(UUID)}
          AND market_time BETWEEN fromUnixTimestamp64Milli({from:Int64}) AND fromUnixTimestamp64Milli({to:Int64})
        GROUP BY id, epoch
      ) GROUP BY id`,
  )
  return query.rows<TableCount>(perTable.join(' UNION ALL '), {
    underlyings: [...new Set(keys.map(({ underlying }) => underlying))],
    ids: keys.map(({ snapshotId }) => snapshotId),
    from: Math.min(...times),
    to: Math.max(...times),
    codeVersion,
  })
}

export interface StatePlace {
  readonly partition: number
  readonly incarnation: string
  readonly cursor: number
}

export interface StateRow {
  readonly partition: number
  readonly underlying: string
  readonly provider: string
  /** JSON. */
  readonly state: string
}

/** Keys that have had no snapshot for so long begin anew. */
const stateDays = 90

/**
 * The state of every (underlying, provider) of some partitions as of their cursors: that of the newest snapshot which touched it.
 * The commit log says which; the states themselves are read by primary key.
 */
export async function readStates(query: Query, places: readonly StatePlace[]): Promise<readonly StateRow[]> {
  return query.rows<StateRow>(
    `SELECT any(newest.partition) AS partition, s.underlying AS underlying, s.provider AS provider, argMax(s.state, s.epoch) AS state
     FROM detector_states_v1 AS s
     INNER JOIN (${newestTouching}) AS newest
       ON newest.underlying = s.underlying AND newest.provider = s.provider AND newest.snapshot_id = s.snapshot_id
     WHERE (s.underlying, s.provider, s.market_time) IN (SELECT underlying, provider, market_time FROM (${newestTouching}))
     GROUP BY s.underlying, s.provider`,
    {
      partitions: places.map(({ partition }) => partition),
      incarnations: places.map(({ incarnation }) => incarnation),
      cursors: places.map(({ cursor }) => cursor),
      days: stateDays,
    },
  )
}

const newestTouching = `
  SELECT partition, underlying, provider, argMax(snapshot_id, at) AS snapshot_id, max(at) AS market_time FROM (
    SELECT partition, underlying, provider, snapshot_id, market_time AS at FROM snapshots_v1 FINAL
    WHERE partition IN {partitions:Array(UInt16)} AND outcome = 'stored' AND NOT late
      AND stored_at >= now() - toIntervalDay({days:UInt16})
      AND NOT (incarnation = transform(partition, {partitions:Array(UInt16)}, {incarnations:Array(String)}, '')
        AND stream_seq > transform(partition, {partitions:Array(UInt16)}, {cursors:Array(UInt64)}, toUInt64(0)))
  ) GROUP BY partition, underlying, provider`

/** Partitions of these that have any commit row. */
export async function partitionsWithCommits(query: Query, partitions: readonly number[]): Promise<ReadonlySet<number>> {
  const rows = await query.rows<{ partition: number }>(
    'SELECT DISTINCT partition FROM snapshots_v1 WHERE partition IN {partitions:Array(UInt16)}',
    { partitions },
  )
  return new Set(rows.map(({ partition }) => partition))
}
