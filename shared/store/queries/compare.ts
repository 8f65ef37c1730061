import type { Query } from './query.ts'
import { type Databases, inRange, rangeTable } from './replay.ts'

/*
 * The rows of a range in two databases, compared bit by bit over every column but who wrote them when. First by checksums a
 * snapshot, then row by row where those differ.
 */

export interface ComparedTable {
  readonly table: string
  /** What makes a row one row. */
  readonly key: readonly string[]
  /** What the checksums of the first look are of. */
  readonly group: string
}

const contractKey = ['underlying', 'market_time', 'provider', 'snapshot_id']

export const comparedTables: readonly ComparedTable[] = [
  { table: 'option_quotes_v1', key: [...contractKey, 'root', 'expiry', 'strike', 'right'], group: 'snapshot_id' },
  { table: 'expiry_features_v1', key: [...contractKey, 'root', 'expiry'], group: 'snapshot_id' },
  { table: 'chain_features_v1', key: contractKey, group: 'snapshot_id' },
  { table: 'alerts_v1', key: ['underlying', 'market_time', 'alert_id'], group: 'snapshot_id' },
  { table: 'detector_states_v1', key: contractKey, group: 'snapshot_id' },
  { table: 'quote_rejects_v1', key: [...contractKey, 'ordinal'], group: 'snapshot_id' },
  { table: 'snapshots_v1', key: ['incarnation', 'partition', 'stream_seq'], group: '(incarnation, partition)' },
]

export const commitTable = 'snapshots_v1'

export interface CompareParams {
  readonly databases: Databases
  /** Of the range, and `asOf`: rows without a commit row that are stored later belong to nobody yet. */
  readonly params: Record<string, unknown>
}

/** Columns that say who wrote a row and when. */
const apart = ['epoch', 'stored_at']

/** The columns that are compared, in the order of the table. */
export async function comparedColumns(query: Query, database: string, table: string): Promise<readonly string[]> {
  const rows = await query.rows<{ name: string }>(
    'SELECT name FROM system.columns WHERE database = {database:String} AND table = {table:String} ORDER BY position',
    { database, table },
  )
  return rows.map(({ name }) => name).filter((name) => !apart.includes(name))
}

/** Snapshots of the range, and those that nobody has committed: rows which should not be there. */
const ofRange = ({ main, scratch }: Databases): string => `${inRange} AND (
  snapshot_id IN (SELECT snapshot_id FROM ${scratch}.${rangeTable} WHERE outcome = 'stored')
  OR (stored_at <= fromUnixTimestamp64Milli({asOf:Int64}) AND snapshot_id NOT IN (${committed(main)}) AND toString(snapshot_id) NOT IN (${givenUp(main)})))`

const committed = (main: string): string =>
  `SELECT snapshot_id FROM ${main}.${commitTable} FINAL WHERE outcome = 'stored' AND ${inRange}`
const givenUp = (main: string): string =>
  `SELECT message_id FROM ${main}.${commitTable} FINAL WHERE outcome = 'dead-lettered'`

/** Where the stored rows of a table are found that the replayed ones are compared with. */
function storedRows({ table }: ComparedTable, databases: Databases): string {
  const { main, scratch } = databases
  if (table !== commitTable) return `${main}.${table} FINAL WHERE ${ofRange(databases)}`
  return commitRows(
    `${main}.${commitTable} FINAL WHERE (incarnation, partition, stream_seq) IN (SELECT incarnation, partition, stream_seq FROM ${scratch}.${rangeTable})`,
    scratch,
  )
}

const replayedRows = ({ table }: ComparedTable, { scratch }: Databases): string =>
  table === commitTable ? commitRows(`${scratch}.${table} FINAL`, scratch) : `${scratch}.${table} FINAL WHERE 1`

/**
 * Commit rows, of which a copy that wrote rows again which had been lost is any other copy: to a replay nothing is lost. Its flags are
 * those of the message it is a copy of, and not compared.
 */
function commitRows(rows: string, scratch: string): string {
  const isAgain = `(incarnation, partition, stream_seq) IN (
    SELECT incarnation, partition, stream_seq FROM ${scratch}.${rangeTable} WHERE reason = 'rows_written_again')`
  return `(SELECT * REPLACE (if(${isAgain}, 'already_stored', reason) AS reason, if(${isAgain}, false, late) AS late,
    if(${isAgain}, false, content_unchanged) AS content_unchanged) FROM (SELECT * FROM ${rows})) WHERE 1`
}

// Every byte counts, nulls and signs of zero too; a hash over a tuple would pass over where a null stands.
const hashOf = (columns: readonly string[]): string => `cityHash64(formatRow('RowBinary', ${columns.join(', ')}))`

const quoted = (columns: readonly string[]): readonly string[] => columns.map((name) => `\`${name}\``)

export interface GroupSum {
  readonly id: string
  readonly stored: number
  readonly replayed: number
  readonly same: boolean
}

/** Rows and checksums by group, of both sides. */
export async function groupSums(
  query: Query,
  compared: ComparedTable,
  columns: readonly string[],
  { databases, params }: CompareParams,
): Promise<readonly GroupSum[]> {
  const side = (number: number, rows: string): string =>
    `SELECT toString(${compared.group}) AS id, ${number} AS side, count() AS n, sum(${hashOf(quoted(columns))}) AS h FROM ${rows} GROUP BY id`
  return query.rows<GroupSum>(
    `SELECT id, sumIf(n, side = 0) AS stored, sumIf(n, side = 1) AS replayed,
       stored = replayed AND sumIf(h, side = 0) = sumIf(h, side = 1) AS same
     FROM (${side(0, storedRows(compared, databases))} UNION ALL ${side(1, replayedRows(compared, databases))}) GROUP BY id`,
    params,
  )
}

export interface RowCount {
  readonly differing: number
  readonly onlyStored: number
  readonly onlyReplayed: number
}

/** How many rows of some groups differ. */
export async function countDifferences(
  query: Query,
  compared: ComparedTable,
  columns: readonly string[],
  { databases, params }: CompareParams,
  groups: readonly string[],
): Promise<RowCount> {
  const [row] = await query.rows<RowCount>(
    `SELECT countIf(a = 1 AND b = 1) AS differing, countIf(b = 0) AS onlyStored, countIf(a = 0) AS onlyReplayed
     FROM (${differingKeys(compared, columns, databases)})`,
    { ...params, groups },
  )
  return row ?? { differing: 0, onlyStored: 0, onlyReplayed: 0 }
}

function differingKeys(compared: ComparedTable, columns: readonly string[], databases: Databases): string {
  const keys = quoted(compared.key)
  const side = (number: number, rows: string): string =>
    `SELECT ${keys.join(', ')}, ${number} AS side, ${hashOf(quoted(columns))} AS h FROM ${rows} AND toString(${compared.group}) IN {groups:Array(String)}`
  return `SELECT ${keys.join(', ')}, countIf(side = 0) AS a, countIf(side = 1) AS b
    FROM (${side(0, storedRows(compared, databases))} UNION ALL ${side(1, replayedRows(compared, databases))})
    GROUP BY ${keys.join(', ')} HAVING a != b OR sumIf(h, side = 0) != sumIf(h, side = 1)`
}

export interface RowPair {
  /** In the order of the columns; null where that side has no such row. */
  readonly stored: readonly (string | null)[] | null
  readonly replayed: readonly (string | null)[] | null
}

/** The first differing rows of some groups, both sides, every value as text. */
export async function differingRows(
  query: Query,
  compared: ComparedTable,
  columns: readonly string[],
  { databases, params }: CompareParams,
  { groups, limit }: { readonly groups: readonly string[]; readonly limit: number },
): Promise<readonly RowPair[]> {
  const keys = quoted(compared.key).join(', ')
  const texts = `[${quoted(columns)
    .map((name) => `toNullable(toString(${name}))`)
    .join(', ')}]`
  const wanted = `SELECT ${keys} FROM (${differingKeys(compared, columns, databases)}) ORDER BY ${keys} LIMIT {limit:UInt32}`
  const side = (number: number, rows: string): string =>
    `SELECT ${keys}, ${number} AS side, ${texts} AS cells FROM ${rows} AND (${keys}) IN (${wanted})`
  const rows = await query.rows<{ a: number; b: number; stored: string[]; replayed: string[] }>(
    `SELECT countIf(side = 0) AS a, countIf(side = 1) AS b, anyIf(cells, side = 0) AS stored, anyIf(cells, side = 1) AS replayed
     FROM (${side(0, storedRows(compared, databases))} UNION ALL ${side(1, replayedRows(compared, databases))})
     GROUP BY ${keys} ORDER BY ${keys}`,
    { ...params, groups, limit },
  )
  return rows.map(({ a, b, stored, replayed }) => ({
    stored: a > 0 ? stored : null,
    replayed: b > 0 ? replayed : null,
  }))
}

/** Rows of messages that were given up after an owner had begun to write them. */
export async function leftoverRows(
  query: Query,
  { table }: ComparedTable,
  { databases: { main }, params }: CompareParams,
): Promise<number> {
  const [row] = await query.rows<{ n: number }>(
    `SELECT count() AS n FROM ${main}.${table} FINAL WHERE ${inRange}
       AND snapshot_id NOT IN (${committed(main)}) AND toString(snapshot_id) IN (${givenUp(main)})`,
    params,
  )
  return row?.n ?? 0
}
