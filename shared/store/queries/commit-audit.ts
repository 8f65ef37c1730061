import { promisedRows } from './commits.ts'
import type { Query } from './query.ts'

/** Which commit rows: by when they were stored, or those of some snapshots. */
export type AuditRange =
  { readonly fromMs: number; readonly toMs: number } | { readonly snapshotIds: readonly string[] }

/** A table that does not hold exactly what a commit row promises. */
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
  /** Different rows of the newest epoch that wrote any. */
  readonly there: number
  /** Rows of all epochs, doubled ones included, as they lie there until they are merged. */
  readonly written: number
  /** Rows that a reader with FINAL sees. */
  readonly shown: number
}

/** A commit row that does not name the one before it. */
export interface ChainBreak {
  readonly incarnation: string
  readonly partition: number
  readonly streamSeq: number
  readonly previousSeq: number
  /** The one before it that is there; 0 when none is. */
  readonly beforeSeq: number
}

/** Rows of a snapshot that no commit row answers for. */
export interface StrayRows {
  readonly table: string
  readonly snapshotId: string
  readonly underlying: string
  readonly rows: number
  /** Its message was given up, after an owner had begun to write them. */
  readonly isGivenUp: boolean
}

const ofRange = (range: AuditRange, column = 'stored_at'): string =>
  'snapshotIds' in range
    ? 'snapshot_id IN {snapshotIds:Array(UUID)}'
    : `${column} >= fromUnixTimestamp64Milli({fromMs:Int64}) AND ${column} < fromUnixTimestamp64Milli({toMs:Int64})`

/**
 * Oldest and newest row of a range in the commit log and the tables; null when there is none. Rows without commit rows count:
 * of a restored commit log the newest ones are missing, or all.
 */
export async function storedSpan(
  query: Query,
  range: AuditRange,
): Promise<{ readonly fromMs: number; readonly toMs: number } | null> {
  const tables = ['snapshots_v1', ...promisedRows.map(([table]) => table)]
  const perTable = tables.map(
    (
      table,
    ) => `SELECT count() AS n, toDateTime64(min(stored_at), 3, 'UTC') AS low, toDateTime64(max(stored_at), 3, 'UTC') AS high
      FROM ${table} WHERE ${ofRange(range)}`,
  )
  const [row] = await query.rows<{ total: number; fromMs: number; toMs: number }>(
    `SELECT sum(n) AS total, toUnixTimestamp64Milli(min(low)) AS fromMs, toUnixTimestamp64Milli(max(high)) + 1 AS toMs
     FROM (${perTable.join(' UNION ALL ')}) WHERE n > 0`,
    { ...range },
  )
  return row === undefined || row.total === 0 ? null : { fromMs: row.fromMs, toMs: row.toMs }
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
  for (const [table, count, distinct] of promisedRows) {
    const rows = await query.rows<Omit<CommitDamage, 'shown'>>(
      `WITH audited AS (SELECT * FROM snapshots_v1 FINAL WHERE outcome = 'stored' AND ${ofRange(range)})
       SELECT '${table}' AS table, toString(incarnation) AS incarnation, partition, stream_seq AS streamSeq, message_id AS messageId,
         toString(audited.snapshot_id) AS snapshotId, underlying, provider, toUnixTimestamp64Milli(market_time) AS marketTimeMs,
         toUnixTimestamp64Milli(stored_at) AS storedAtMs, ${count} AS promised, counted.newest AS there, counted.written AS written
       FROM audited LEFT JOIN (
         SELECT snapshot_id, argMax(n, epoch) AS newest, sum(lines) AS written FROM (
           SELECT snapshot_id, epoch, ${distinct} AS n, count() AS lines FROM ${table}
           WHERE (underlying, market_time) IN (SELECT underlying, market_time FROM audited)
             AND snapshot_id IN (SELECT snapshot_id FROM audited)
           GROUP BY snapshot_id, epoch
         ) GROUP BY snapshot_id
       ) AS counted ON counted.snapshot_id = audited.snapshot_id
       WHERE there < promised OR written > promised ORDER BY incarnation, partition, streamSeq`,
      { ...range },
    )
    const shown = await shownRows(
      query,
      table,
      rows.filter(({ promised, written }) => written > promised),
    )
    found.push(...rows.map((row) => ({ ...row, shown: shown.get(row.snapshotId) ?? row.written })))
  }
  return found
}

/** Looked at together. */
const shownAtOnce = 1_000

/** How many rows of some snapshots a reader with FINAL sees. */
async function shownRows(
  query: Query,
  table: string,
  of: readonly Pick<CommitDamage, 'snapshotId' | 'underlying' | 'marketTimeMs'>[],
): Promise<ReadonlyMap<string, number>> {
  const shown = new Map<string, number>()
  for (let from = 0; from < of.length; from += shownAtOnce) {
    const some = of.slice(from, from + shownAtOnce)
    const rows = await query.rows<{ id: string; n: number }>(
      `SELECT toString(snapshot_id) AS id, count() AS n FROM ${table} FINAL
       WHERE (underlying, market_time) IN (SELECT tupleElement(k, 1), fromUnixTimestamp64Milli(tupleElement(k, 2), 'UTC')
           FROM (SELECT arrayJoin(arrayZip({underlyings:Array(String)}, {times:Array(Int64)})) AS k))
         AND snapshot_id IN {ids:Array(UUID)} GROUP BY snapshot_id`,
      {
        underlyings: some.map(({ underlying }) => underlying),
        times: some.map(({ marketTimeMs }) => marketTimeMs),
        ids: some.map(({ snapshotId }) => snapshotId),
      },
    )
    for (const { id, n } of rows) shown.set(id, n)
  }
  return shown
}

/** How many of some messages have commit rows; all of them are of these snapshots. */
export async function committedCount(
  query: Query,
  of: { readonly snapshotIds: readonly string[]; readonly messageIds: readonly string[] },
): Promise<number> {
  const [row] = await query.rows<{ n: number }>(
    `SELECT uniqExact(message_id) AS n FROM snapshots_v1
     WHERE snapshot_id IN {snapshotIds:Array(UUID)} AND message_id IN {messageIds:Array(String)}`,
    of,
  )
  return row?.n ?? 0
}

/**
 * Where the chain of `previous_seq` is broken: commit rows of a range behind a hole. The first one of an incarnation names where that
 * begins, in the form of `beginOf` of the processor's place.ts; one without a row before it that names another has lost those before it.
 */
export async function chainBreaks(query: Query, range: AuditRange): Promise<readonly ChainBreak[]> {
  return query.rows<ChainBreak>(
    `WITH bounds AS (
       SELECT incarnation AS i, partition AS p, min(previous_seq) AS low, max(stream_seq) AS high
       FROM snapshots_v1 WHERE ${ofRange(range)} GROUP BY i, p
     )
     SELECT toString(incarnation) AS incarnation, partition, stream_seq AS streamSeq, previous_seq AS previousSeq, beforeSeq FROM (
       SELECT incarnation, partition, stream_seq, previous_seq, stored_at,
         lagInFrame(stream_seq, 1, if(${isBegin}, previous_seq, toUInt64(0))) OVER w AS beforeSeq
       FROM snapshots_v1 FINAL INNER JOIN bounds ON i = incarnation AND p = partition
       WHERE stream_seq BETWEEN low AND high
       WINDOW w AS (PARTITION BY incarnation, partition ORDER BY stream_seq ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
     ) WHERE beforeSeq != previous_seq AND ${ofRange(range)} ORDER BY incarnation, partition, streamSeq`,
    { ...range },
  )
}

/** `#n` alone, of an early version, does not say where it begins. */
const isBegin = `previous_seq = toUInt64OrZero(extract(toString(incarnation), '#\\d+@(\\d+)$')) OR match(toString(incarnation), '#\\d+$')`

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
  return query.rows<StrayRows>(
    `SELECT *, snapshotId IN (SELECT message_id FROM snapshots_v1 WHERE outcome = 'dead-lettered') AS isGivenUp
     FROM (${perTable.join(' UNION ALL ')}) ORDER BY table, snapshotId`,
    { ...range },
  )
}
