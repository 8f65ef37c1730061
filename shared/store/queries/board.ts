import type { Query } from './query.ts'

export interface StoredTotals {
  readonly snapshots: number
  readonly contracts: number
  readonly alerts: number
  readonly latestMarketTime: string | null
}

/** Totals over the commit log: cheap however much is stored. */
export async function readTotals(query: Query): Promise<StoredTotals> {
  const [row] = await query.rows<{ snapshots: number; contracts: number; alerts: number; latest: string }>(
    `SELECT count() AS snapshots, sum(n_quotes) AS contracts, sum(n_alerts) AS alerts,
       formatDateTime(max(market_time), '%F %T UTC') AS latest
     FROM snapshots_v1 FINAL WHERE outcome = 'stored'`,
  )
  const { snapshots = 0, contracts = 0, alerts = 0, latest } = row ?? {}
  return { snapshots, contracts, alerts, latestMarketTime: snapshots === 0 ? null : (latest ?? null) }
}

/** The newest alerts as text for a person, newest first. */
export async function readLatestAlerts(query: Query, limit: number): Promise<readonly string[]> {
  const rows = await query.rows<{ text: string }>(
    `SELECT concat(formatDateTime(market_time, '%H:%i:%S'), '  ', rightPad(toString(severity), 8), '  ', message) AS text
     FROM alerts_v1 FINAL ORDER BY market_time DESC, alert_id LIMIT {limit:UInt32}`,
    { limit },
  )
  return rows.map(({ text }) => text)
}

export interface ExpectedMessages {
  readonly incarnation: string
  readonly fromSeq: number
}

/** How many messages of CHAINS, from a sequence on, have their commit row. `incarnation` is the stream's creation time. */
export async function committedMessages(query: Query, { incarnation, fromSeq }: ExpectedMessages): Promise<number> {
  const [row] = await query.rows<{ n: number }>(
    `SELECT uniqExact(stream_seq) AS n FROM snapshots_v1
     WHERE (incarnation = {incarnation:String} OR startsWith(incarnation, concat({incarnation:String}, '#'))) AND stream_seq >= {fromSeq:UInt64}`,
    { incarnation, fromSeq },
  )
  return row?.n ?? 0
}

/** Newest market time of one provider, epoch milliseconds; null when nothing of it is stored. */
export async function newestMarketTimeMs(query: Query, provider: string): Promise<number | null> {
  const [row] = await query.rows<{ n: number; newest: number }>(
    `SELECT count() AS n, toUnixTimestamp64Milli(max(market_time)) AS newest FROM snapshots_v1
     WHERE provider = {provider:String} AND outcome = 'stored'`,
    { provider },
  )
  return row === undefined || row.n === 0 ? null : row.newest
}
