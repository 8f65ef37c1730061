import type { GapReason, SlotState } from '../../model/gap.ts'
import type { Query } from './query.ts'

/* What a person asks of the gap ledger. */

/** Slots of an unpublished year are a guess and count in neither number. */
const isExpected = `coverage != 'unpublished' AND state != 'pending'`

export interface SessionTotals {
  readonly session: string
  readonly expected: number
  readonly missing: number
  /** By reason. */
  readonly missingByReason: Readonly<Record<string, number>>
}

/** The newest session of the ledger; null when there is none. */
export async function newestSession(query: Query, provider: string | null): Promise<string | null> {
  const [row] = await query.rows<{ session: string; n: number }>(
    // By the sorting key: the newest slots alone are read.
    `SELECT toString(max(session_date)) AS session, count() AS n FROM gaps_v1
     WHERE slot >= (SELECT max(slot) FROM gaps_v1 WHERE {provider:String} IN ('', provider)) - toIntervalDay(1)
       AND {provider:String} IN ('', provider)`,
    { provider: provider ?? '' },
  )
  return row === undefined || row.n === 0 ? null : row.session
}

/** What became of the slots of a session, over all underlyings. */
export async function sessionTotals(query: Query, session: string): Promise<SessionTotals> {
  const [row] = await query.rows<Omit<SessionTotals, 'session'>>(
    `SELECT countIf(${isExpected}) AS expected, countIf(${isExpected} AND state = 'missing') AS missing,
       sumMapIf(map(toString(reason), toUInt64(1)), ${isExpected} AND state = 'missing') AS missingByReason
     FROM gaps_v1 FINAL WHERE ${withinSession}`,
    { session },
  )
  return { session, expected: 0, missing: 0, missingByReason: {}, ...row }
}

/** A session lies within two days of its date, whatever the zone: bounds for the sorting key. */
const withinSession = `session_date = toDate({session:String}) AND slot >= toDateTime64({session:String}, 3, 'UTC') - toIntervalDay(1)
  AND slot < toDateTime64({session:String}, 3, 'UTC') + toIntervalDay(2)`

export interface GapFilter {
  readonly session: string
  readonly provider: string | null
  readonly underlying: string | null
}

export interface UnderlyingCompleteness {
  readonly provider: string
  readonly underlying: string
  readonly expected: number
  readonly delivered: number
  readonly unchanged: number
  readonly late: number
  readonly missing: number
  readonly pending: number
  /** Slots of a year whose sessions are a guess; in none of the others. */
  readonly assumed: number
}

/** Completeness of each underlying in a session, by name. */
export async function completenessOfSession(
  query: Query,
  filter: GapFilter,
): Promise<readonly UnderlyingCompleteness[]> {
  return query.rows<UnderlyingCompleteness>(
    `SELECT provider, underlying, countIf(${isExpected}) AS expected,
       countIf(${isExpected} AND state = 'delivered') AS delivered, countIf(${isExpected} AND state = 'unchanged') AS unchanged,
       countIf(${isExpected} AND state = 'late') AS late, countIf(${isExpected} AND state = 'missing') AS missing,
       countIf(state = 'pending') AS pending, countIf(coverage = 'unpublished' AND state != 'pending') AS assumed
     FROM gaps_v1 FINAL WHERE ${withinSession} AND ${bySource}
     GROUP BY provider, underlying ORDER BY provider, underlying`,
    params(filter),
  )
}

const bySource = `{provider:String} IN ('', provider) AND {underlying:String} IN ('', underlying)`
const params = ({ session, provider, underlying }: GapFilter): Record<string, string> => ({
  session,
  provider: provider ?? '',
  underlying: underlying ?? '',
})

export interface OddSlot {
  readonly provider: string
  readonly underlying: string
  readonly slotMs: number
  readonly intervalMs: number
  readonly state: SlotState
  readonly reason: GapReason | ''
  readonly detail: string
}

/** Slots of a session that are missing or late, by underlying and time. */
export async function oddSlots(query: Query, filter: GapFilter, limit: number): Promise<readonly OddSlot[]> {
  return query.rows<OddSlot>(
    `SELECT provider, underlying, toUnixTimestamp64Milli(slot) AS slotMs, interval_ms AS intervalMs, toString(state) AS state,
       reason, detail
     FROM gaps_v1 FINAL
     WHERE ${withinSession} AND ${bySource} AND coverage != 'unpublished' AND state IN ('missing', 'late')
     ORDER BY provider, underlying, slot LIMIT {limit:UInt32}`,
    { ...params(filter), limit },
  )
}

export interface PublisherNumbers {
  readonly publisher: string
  readonly acked: number
  readonly duplicates: number
  readonly committed: number
}

/** For each start of a collector that reported within a week: what was acknowledged against what has a commit row. */
export async function publisherNumbers(query: Query): Promise<readonly PublisherNumbers[]> {
  return query.rows<PublisherNumbers>(
    `WITH boots AS (
       SELECT concat(instance, '/', boot) AS publisher, last_acked AS acked, duplicates FROM collectors_v1 FINAL
       WHERE reported_at >= now() - toIntervalDay(7)
     )
     SELECT boots.publisher AS publisher, acked, duplicates, uniqExactIf(publisher_seq, publisher_seq BETWEEN 1 AND acked) AS committed
     FROM boots LEFT JOIN (
       SELECT publisher, publisher_seq FROM snapshots_v1 WHERE publisher IN (SELECT publisher FROM boots)
     ) AS commits ON commits.publisher = boots.publisher
     GROUP BY publisher, acked, duplicates ORDER BY publisher`,
  )
}
