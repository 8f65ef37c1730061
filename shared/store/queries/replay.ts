import { isNewestCommit } from './commits.ts'
import type { Query } from './query.ts'

/*
 * What a replay reads of the commit log. The range it re-runs is kept as a table of the scratch database, so that everything which
 * is asked afterwards means the same messages, whatever is committed meanwhile.
 */

/** The messages of the range; that a database has it says that it is a scratch database. */
export const rangeTable = 'replay_range'

export const createRangeTableSql = `CREATE TABLE ${rangeTable} (
  incarnation LowCardinality(String), partition UInt16, stream_seq UInt64, ord UInt64, message_id String, outcome LowCardinality(String),
  reason LowCardinality(String), snapshot_id UUID, provider LowCardinality(String), underlying LowCardinality(String),
  market_time DateTime64(3, 'UTC'), late Bool, published_at DateTime64(3, 'UTC'), previous_seq UInt64, code_version LowCardinality(String)
) ENGINE = MergeTree ORDER BY (incarnation, partition, stream_seq)`

/** Names of the database that was written and of the one the replay writes. */
export interface Databases {
  readonly main: string
  readonly scratch: string
}

const key = 'underlying, provider'

export interface RangeFilter {
  readonly fromMs: number | null
  readonly toMs: number | null
  readonly underlyings: readonly string[] | null
}

/** Earliest and latest time the column holds. */
const noFrom = 0
const noTo = 8_000_000_000_000

export const rangeParams = ({ fromMs, toMs, underlyings }: RangeFilter): Record<string, unknown> => ({
  from: fromMs ?? noFrom,
  to: toMs ?? noTo,
  underlyings: underlyings ?? [],
})

/** Market time and underlying of a row are in the range. */
export const inRange = `market_time >= fromUnixTimestamp64Milli({from:Int64}) AND market_time < fromUnixTimestamp64Milli({to:Int64})
  AND (empty({underlyings:Array(String)}) OR underlying IN {underlyings:Array(String)})`

/** All incarnations of the stream that have commit rows. */
export async function incarnationsOf(query: Query): Promise<readonly string[]> {
  const rows = await query.rows<{ incarnation: string }>(
    'SELECT DISTINCT toString(incarnation) AS incarnation FROM snapshots_v1',
  )
  return rows.map(({ incarnation }) => incarnation)
}

/** Position of a commit row among all of its partition: first the incarnation, then the sequence. `incarnations` are in order. */
const ord =
  'bitShiftLeft(toUInt64(indexOf({incarnations:Array(String)}, toString(incarnation))), 48) + toUInt64(stream_seq)'

const ordOfParams =
  'bitShiftLeft(toUInt64(indexOf({incarnations:Array(String)}, {incarnation:String})), 48) + {streamSeq:UInt64}'

/**
 * INSERT that keeps the commit rows of a range: those whose market time lies in it, and of the messages nobody could read those
 * that stand between them in their partition.
 */
export const fillRangeSql = (main: string): string => `INSERT INTO ${rangeTable}
  WITH commits AS (SELECT *, ${ord} AS ord FROM ${main}.snapshots_v1 FINAL),
    wanted AS (SELECT * FROM commits WHERE snapshot_id != toUUID('${nilUuid}') AND ${inRange}),
    hull AS (SELECT partition, min(ord) AS first, max(ord) AS last FROM wanted GROUP BY partition)
  SELECT incarnation, partition, stream_seq, ord, message_id, toString(outcome), reason, snapshot_id, provider, underlying,
    market_time, late, published_at, previous_seq, code_version FROM wanted
  UNION ALL
  SELECT incarnation, partition, stream_seq, ord, message_id, toString(outcome), reason, snapshot_id, provider, underlying,
    market_time, late, published_at, previous_seq, code_version
  FROM commits LEFT JOIN hull USING (partition)
  WHERE snapshot_id = toUUID('${nilUuid}') AND empty({underlyings:Array(String)})
    AND ({whole:Bool} OR (ord > hull.first AND ord < hull.last))`

const nilUuid = '00000000-0000-0000-0000-000000000000'

export interface RangeRow {
  readonly incarnation: string
  readonly partition: number
  readonly streamSeq: number
  readonly messageId: string
  readonly outcome: string
  readonly reason: string
  readonly snapshotId: string
  readonly underlying: string
  readonly marketTimeMs: number
  readonly publishedAtMs: number
  readonly codeVersion: string
  /** The commit row before it in its partition and incarnation; 0 when it is the first. */
  readonly previousSeq: number
  /** What the commit row itself says came before. */
  readonly namedPreviousSeq: number
}

/** The range in the order of the stream. */
export async function readRange(query: Query, { main, scratch }: Databases): Promise<readonly RangeRow[]> {
  return query.rows<RangeRow>(
    `SELECT toString(r.incarnation) AS incarnation, r.partition AS partition, r.stream_seq AS streamSeq, r.message_id AS messageId,
       r.outcome AS outcome, r.reason AS reason, toString(r.snapshot_id) AS snapshotId, r.underlying AS underlying,
       toUnixTimestamp64Milli(r.market_time) AS marketTimeMs, toUnixTimestamp64Milli(r.published_at) AS publishedAtMs,
       r.code_version AS codeVersion, w.before AS previousSeq, r.previous_seq AS namedPreviousSeq
     FROM ${scratch}.${rangeTable} AS r
     INNER JOIN (
       SELECT incarnation, partition, stream_seq,
         lagInFrame(stream_seq, 1, toUInt64(0)) OVER (PARTITION BY incarnation, partition ORDER BY stream_seq ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS before
       FROM ${main}.snapshots_v1 FINAL
       WHERE (incarnation, partition) IN (SELECT DISTINCT incarnation, partition FROM ${scratch}.${rangeTable})
         AND stream_seq >= (SELECT min(previous_seq) FROM ${scratch}.${rangeTable})
         AND stream_seq <= (SELECT max(stream_seq) FROM ${scratch}.${rangeTable})
     ) AS w ON w.incarnation = r.incarnation AND w.partition = r.partition AND w.stream_seq = r.stream_seq
     ORDER BY r.ord`,
  )
}

/** The state a message of the range needs that no message of the range before it has left. */
export interface Seed {
  readonly incarnation: string
  readonly partition: number
  readonly streamSeq: number
  readonly underlying: string
  readonly provider: string
  /** The snapshot whose state it is, and its market time. */
  readonly snapshotId: string
  readonly atMs: number
}

/**
 * Where the replay of each (underlying, provider) begins, and where it goes on behind messages that are not of the range: the newest
 * snapshot before, in stream order, that touched any state.
 */
export async function readSeeds(
  query: Query,
  { main, scratch }: Databases,
  incarnations: readonly string[],
): Promise<readonly Seed[]> {
  const range = `${scratch}.${rangeTable}`
  const firsts = `SELECT ${key}, argMin(incarnation, ord) AS incarnation, argMin(partition, ord) AS partition,
      argMin(stream_seq, ord) AS stream_seq, min(ord) AS first, max(ord) AS last
    FROM ${range} WHERE underlying != '' GROUP BY ${key}`
  const touching = `SELECT ${key}, snapshot_id, market_time, ${ord} AS ord FROM ${main}.snapshots_v1 FINAL
    WHERE outcome = 'stored' AND NOT late AND (${key}) IN (SELECT ${key} FROM ${range})`
  const initial = `SELECT ${key}, any(f.incarnation) AS incarnation, any(f.partition) AS partition, any(f.stream_seq) AS stream_seq,
      argMax(t.snapshot_id, t.ord) AS snapshot, argMax(t.market_time, t.ord) AS at
    FROM (${touching}) AS t INNER JOIN (${firsts}) AS f USING (${key})
    WHERE t.ord < f.first GROUP BY ${key}`
  // In the stream's order others may stand between two messages of a range of market time: when chains come late or are read again.
  const inside = `SELECT ${key}, t.ord AS ord, t.snapshot_id AS snapshot_id, t.market_time AS at
    FROM (${touching}) AS t INNER JOIN (${firsts}) AS f USING (${key}) WHERE t.ord > f.first AND t.ord < f.last`
  const later = `SELECT r.underlying AS underlying, r.provider AS provider, r.incarnation AS incarnation, r.partition AS partition,
      r.stream_seq AS stream_seq, i.snapshot_id AS snapshot, i.at AS at
    FROM (SELECT * FROM ${range} WHERE underlying != '') AS r
    ASOF INNER JOIN (${inside}) AS i ON r.underlying = i.underlying AND r.provider = i.provider AND r.ord > i.ord
    WHERE i.snapshot_id NOT IN (SELECT snapshot_id FROM ${range} WHERE outcome = 'stored')`
  return query.rows<Seed>(
    `SELECT toString(incarnation) AS incarnation, partition, stream_seq AS streamSeq, underlying, provider,
       toString(snapshot) AS snapshotId, toUnixTimestamp64Milli(at) AS atMs
     FROM (SELECT * FROM (${initial}) UNION ALL SELECT * FROM (${later}))`,
    { incarnations },
  )
}

/** Asked for together. */
const statesAtOnce = 500

/** The stored states of some snapshots, JSON by snapshot id; absent where there is none. Read by primary key. */
export async function readStatesOf(
  query: Query,
  main: string,
  seeds: readonly Pick<Seed, 'underlying' | 'provider' | 'snapshotId' | 'atMs'>[],
): Promise<ReadonlyMap<string, string>> {
  const states = new Map<string, string>()
  for (let from = 0; from < seeds.length; from += statesAtOnce) {
    const some = seeds.slice(from, from + statesAtOnce)
    const rows = await query.rows<{ id: string; state: string }>(
      `SELECT toString(snapshot_id) AS id, argMax(state, epoch) AS state FROM ${main}.detector_states_v1
       WHERE (underlying, provider, market_time) IN (SELECT tupleElement(k, 1), tupleElement(k, 2), fromUnixTimestamp64Milli(tupleElement(k, 3), 'UTC')
           FROM (SELECT arrayJoin(arrayZip({underlyings:Array(String)}, {providers:Array(String)}, {times:Array(Int64)})) AS k))
         AND snapshot_id IN {ids:Array(UUID)}
       GROUP BY id`,
      {
        underlyings: some.map(({ underlying }) => underlying),
        providers: some.map(({ provider }) => provider),
        times: some.map(({ atMs }) => atMs),
        ids: some.map(({ snapshotId }) => snapshotId),
      },
    )
    for (const { id, state } of rows) states.set(id, state)
  }
  return states
}

/** The newest snapshot before a message that touched the state of a key; null when there is none. */
export async function stateSnapshotBefore(
  query: Query,
  of: Pick<Seed, 'underlying' | 'provider' | 'incarnation' | 'streamSeq'>,
  incarnations: readonly string[],
): Promise<{ readonly snapshotId: string; readonly atMs: number } | null> {
  const [row] = await query.rows<{ snapshotId: string; atMs: number }>(
    `SELECT toString(snapshot_id) AS snapshotId, toUnixTimestamp64Milli(market_time) AS atMs FROM snapshots_v1 FINAL
     WHERE outcome = 'stored' AND NOT late AND underlying = {underlying:String} AND provider = {provider:String}
       AND ${ord} < ${ordOfParams} ORDER BY ${ord} DESC LIMIT 1`,
    { ...of, incarnations },
  )
  return row ?? null
}

/**
 * True when a snapshot is committed as stored before a message of the range, by one that is not of the range. What counts of a message
 * is its newest commit row, as for the owner it is replayed from.
 */
export async function isStoredBeforeRange(
  query: Query,
  { main, scratch }: Databases,
  snapshotId: string,
  at: { readonly incarnation: string; readonly streamSeq: number; readonly incarnations: readonly string[] },
): Promise<boolean> {
  const rows = await query.rows<{ found: number }>(
    `SELECT 1 AS found FROM ${main}.snapshots_v1 WHERE snapshot_id = {snapshotId:UUID} AND outcome = 'stored'
       AND ${ord} < ${ordOfParams}
       AND (incarnation, partition, stream_seq) NOT IN (SELECT incarnation, partition, stream_seq FROM ${scratch}.${rangeTable})
       AND ${isNewestCommit(`${main}.snapshots_v1`)}
     LIMIT 1`,
    { snapshotId, ...at },
  )
  return rows.length > 0
}

export interface Conventions {
  readonly codeVersion: string
  readonly riskFreeRate: number
  readonly curveSource: string
  readonly curveDate: string
  readonly ivMethod: string
}

/** What the chain rows of some code versions say they were computed with. */
export async function conventionsOf(query: Query, codeVersions: readonly string[]): Promise<readonly Conventions[]> {
  return query.rows<Conventions>(
    `SELECT DISTINCT toString(code_version) AS codeVersion, risk_free_rate AS riskFreeRate, toString(curve_source) AS curveSource,
       toString(curve_date) AS curveDate, toString(iv_method) AS ivMethod
     FROM chain_features_v1 WHERE code_version IN {codeVersions:Array(String)}`,
    { codeVersions },
  )
}
