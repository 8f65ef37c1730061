import type { Query } from './query.ts'

/** A row with every value as JSON has it. */
export type StoredRow = Readonly<Record<string, unknown>>

/** The row of an alert; null when there is none. */
export async function alertById(query: Query, alertId: string): Promise<StoredRow | null> {
  const [row] = await query.rows<StoredRow>('SELECT * FROM alerts_v1 FINAL WHERE alert_id = {alertId:UUID} LIMIT 1', {
    alertId,
  })
  return row ?? null
}

export interface StoredCommit {
  readonly incarnation: string
  readonly partition: number
  readonly streamSeq: number
  readonly previousSeq: number
  readonly messageId: string
  readonly snapshotId: string
  readonly underlying: string
  readonly provider: string
  readonly marketTimeMs: number
  readonly publishedAtMs: number
  readonly codeVersion: string
}

/** The commit rows that say of these snapshots that they are stored, by snapshot id. */
export async function storedCommits(
  query: Query,
  snapshotIds: readonly string[],
): Promise<ReadonlyMap<string, StoredCommit>> {
  const rows = await query.rows<StoredCommit>(
    `SELECT toString(incarnation) AS incarnation, partition, stream_seq AS streamSeq, previous_seq AS previousSeq,
       message_id AS messageId, toString(snapshot_id) AS snapshotId, toString(underlying) AS underlying, toString(provider) AS provider,
       toUnixTimestamp64Milli(market_time) AS marketTimeMs, toUnixTimestamp64Milli(published_at) AS publishedAtMs,
       toString(code_version) AS codeVersion
     FROM snapshots_v1 FINAL WHERE outcome = 'stored' AND snapshot_id IN {snapshotIds:Array(UUID)}`,
    { snapshotIds },
  )
  return new Map(rows.map((row) => [row.snapshotId, row]))
}

/** The chain row of a snapshot; null when there is none. */
export async function chainOf(
  query: Query,
  { underlying, marketTimeMs, snapshotId }: Pick<StoredCommit, 'underlying' | 'marketTimeMs' | 'snapshotId'>,
): Promise<StoredRow | null> {
  const [row] = await query.rows<StoredRow>(
    `SELECT * FROM chain_features_v1 FINAL WHERE underlying = {underlying:String}
       AND market_time = fromUnixTimestamp64Milli({marketTimeMs:Int64}) AND snapshot_id = {snapshotId:UUID} LIMIT 1`,
    { underlying, marketTimeMs, snapshotId },
  )
  return row ?? null
}
