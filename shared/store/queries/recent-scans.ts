import { z } from 'zod'
import { scanStatuses } from '../../model/scan.ts'
import { instant } from './columns.ts'
import type { Query } from './query.ts'

const recentScan = z.object({
  scan_id: z.string(),
  provider: z.string(),
  status: z.enum(scanStatuses),
  started_at: instant,
  finished_at: instant.nullable(),
  planned: z.number(),
  delivered: z.number(),
  repeated: z.number(),
  refused: z.number(),
  contracts: z.number(),
  rejects_by_reason: z.record(z.string(), z.number()),
  refusals_by_reason: z.record(z.string(), z.number()),
  /** Of its committed snapshots. */
  alerts: z.number(),
})
export type RecentScan = z.output<typeof recentScan>

/** FINAL over the whole table: one small row a pass, and its version only counts when it is the newest. */
const sql = `
  WITH recent AS (
    SELECT scan_id, provider, status, started_at, finished_at, planned, delivered, repeated, refused, contracts,
      rejects_by_reason, refusals_by_reason
    FROM scans_v1 FINAL
    ORDER BY started_at DESC, scan_id
    LIMIT {limit:UInt32}
  )
  SELECT recent.*, ifNull(alerts, 0) AS alerts
  FROM recent
  LEFT JOIN (
    SELECT scan_id, uniqExact(alert_id) AS alerts FROM alerts_v1
    WHERE scan_id IN (SELECT scan_id FROM recent)
      AND snapshot_id IN (SELECT snapshot_id FROM snapshots_v1 WHERE outcome = 'stored' AND n_alerts > 0)
    GROUP BY scan_id
  ) AS raised USING (scan_id)
  ORDER BY started_at DESC, scan_id`

/** Returns the newest scans, whatever their status, each in its newest version. */
export async function readRecentScans(query: Query, limit: number): Promise<RecentScan[]> {
  return z.array(recentScan).parse(await query.rows(sql, { limit }))
}
