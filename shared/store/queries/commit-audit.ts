import { promisedRows } from './commits.ts'
import type { Query } from './query.ts'

/** Which commit rows: by when they were stored, or those of some snapshots. */
export type AuditRange =
  { readonly fromMs: number; readonly toMs: number } | { readonly snapshotIds: readonly string[] }

/** A table that does not hold what a commit row promises. */
export interface CommitDamage {
  readonly table: string
  readonly incarnation: string
  readonly partition: number
  readonly streamSeq: number
  readonly messageId: string
  readonly snapshotId: string
  readonly underlying: string
  readonly provider: string
  readonly marketTimeMs: number
  readonly storedAtMs: number
  readonly promised: number
  /** Most rows it has of one epoch. */
  readonly there: number
}

/** A commit row that does not name the one before it. */
export interface ChainBreak {
  readonly incarnation: string
  readonly partition: number
  readonly streamSeq: number
  readonly previousSeq: number
  /** The one before it that is there. */
  readonly beforeSeq: number
}

/** Rows of a snapshot that no commit row answers for. */
export interface StrayRows {
  readonly table: string
  readonly snapshotId: string
  readonly underlying: string
  readonly rows: number
}

const ofRange = (range: AuditRange, column = 'stored_at'): string =>
  'snapshotIds' in range
    ? 'snapshot_id IN {snapshotIds:Array(UUID)}'
    : `${column} >= fromUnixTimestamp64Milli({fromMs:Int64}) AND ${column} < fromUnixTimestamp64Milli({toMs:Int64})`

/** Oldest and newest commit row of a range; null when it has none. */
export async function commitSpan(
  query: Query,
  range: AuditRange,
): Promise<{ readonly fromMs: number; readonly toMs: number } | null> {
  const [row] = await query.rows<{ n: number; fromMs: number; toMs: number }>(
    `SELECT count() AS n, toUnixTimestamp64Milli(min(stored_at)) AS fromMs, toUnixTimestamp64Milli(max(stored_at)) + 1 AS toMs
     FROM snapshots_v1 WHERE ${ofRange(range)}`,
    { ...range },
  )
  return row === undefined || row.n === 0 ? null : { fromMs: row.fromMs, toMs: row.toMs }
}

/** Messages of a range by what became of them. */
export async function commitOutcomes(query: Query, range: AuditRange): Promise<Readonly<Record<string, number>>> {
  const rows = await query.rows<{ outcome: string; n: number }>(
    `SELECT toString(outcome) AS outcome, count() AS n FROM snapshots_v1 FINAL WHERE ${ofRange(range)} GROUP BY outcome ORDER BY outcome`,
    { ...range },
  )
  return Object.fromEntries(rows.map(({ outcome, n }) => [outcome, n]))
}

/** Compares the counts of every commit row `stored` of a range with the tables. A table is read only where these snapshots' keys lie. */
export async function auditCommits(query: Query, range: AuditRange): Promise<readonly CommitDamage[]> {
  const found: CommitDamage[] = []
  for (const [table, count] of promisedRows) {
    const rows = await query.rows<CommitDamage>(
      `WITH audited AS (SELECT * FROM snapshots_v1 FINAL WHERE outcome = 'stored' AND ${ofRange(range)})
       SELECT '${table}' AS table, toString(incarnation) AS incarnation, partition, stream_seq AS streamSeq, message_id AS messageId,
         toString(audited.snapshot_id) AS snapshotId, underlying, provider, toUnixTimestamp64Milli(market_time) AS marketTimeMs,
         toUnixTimestamp64Milli(stored_at) AS storedAtMs, ${count} AS promised, counted.n AS there
       FROM audited LEFT JOIN (
         SELECT snapshot_id, max(n) AS n FROM (
           SELECT snapshot_id, epoch, count() AS n FROM ${table}
           WHERE (underlying, market_time) IN (SELECT underlying, market_time FROM audited)
             AND snapshot_id IN (SELECT snapshot_id FROM audited)
           GROUP BY snapshot_id, epoch
         ) GROUP BY snapshot_id
       ) AS counted ON counted.snapshot_id = audited.snapshot_id
       WHERE there != promised ORDER BY incarnation, partition, streamSeq`,
      { ...range },
    )
    found.push(...rows)
  }
  return found
}

/** Where the chain of `previous_seq` is broken: commit rows of a range behind a hole. */
export async function chainBreaks(query: Query, range: AuditRange): Promise<readonly ChainBreak[]> {
  return query.rows<ChainBreak>(
    `WITH bounds AS (
       SELECT incarnation AS i, partition AS p, min(stream_seq) AS low, max(stream_seq) AS high
       FROM snapshots_v1 WHERE ${ofRange(range)} GROUP BY i, p
     )
     SELECT toString(incarnation) AS incarnation, partition, stream_seq AS streamSeq, previous_seq AS previousSeq, beforeSeq FROM (
       SELECT incarnation, partition, stream_seq, previous_seq, stored_at,
         lagInFrame(stream_seq, 1, previous_seq) OVER w AS beforeSeq
       FROM snapshots_v1 FINAL INNER JOIN bounds ON i = incarnation AND p = partition
       WHERE stream_seq BETWEEN low AND high
       WINDOW w AS (PARTITION BY incarnation, partition ORDER BY stream_seq ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
     ) WHERE beforeSeq != previous_seq AND ${ofRange(range)} ORDER BY incarnation, partition, streamSeq`,
    { ...range },
  )
}

/** Rows written in a range whose snapshot no commit row calls stored. What was written in the last minute may still get its own. */
export async function strayRows(
  query: Query,
  range: Extract<AuditRange, { fromMs: number }>,
): Promise<readonly StrayRows[]> {
  const perTable = promisedRows.map(
    ([table]) => `
      SELECT '${table}' AS table, toString(snapshot_id) AS snapshotId, toString(any(underlying)) AS underlying, count() AS rows
      FROM ${table} WHERE ${ofRange(range)} AND stored_at < now64(3) - toIntervalMinute(1)
        AND snapshot_id NOT IN (
          SELECT snapshot_id FROM snapshots_v1 WHERE outcome = 'stored'
            AND snapshot_id IN (SELECT snapshot_id FROM ${table} WHERE ${ofRange(range)})
        ) GROUP BY snapshot_id`,
  )
  return query.rows<StrayRows>(`${perTable.join(' UNION ALL ')} ORDER BY table, snapshotId`, { ...range })
}
