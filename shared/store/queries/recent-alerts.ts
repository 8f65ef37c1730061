import { z } from 'zod'
import { severities } from '../../model/alert.ts'
import { instant } from './columns.ts'
import type { Query } from './query.ts'

const recentAlert = z.object({
  alert_id: z.string(),
  scan_id: z.string(),
  underlying: z.string(),
  provider: z.string(),
  detector: z.string(),
  detector_version: z.number(),
  parameters_hash: z.string(),
  severity: z.enum(severities),
  score: z.number(),
  message: z.string(),
  /** JSON object as the detector wrote it. */
  evidence: z.string(),
  inputs: z.array(z.string()),
  snapshot_id: z.string(),
  quality: z.number(),
  replayed: z.boolean(),
  market_time: instant,
  stored_at: instant,
})
export type RecentAlert = z.output<typeof recentAlert>

/**
 * Two steps: the newest keys from narrow columns, then the wide columns of those keys alone, FINAL over few granules.
 * LIMIT 1 BY in the first, so that a row written twice does not take the place of another.
 */
const sql = `
  WITH newest AS (
    SELECT underlying, market_time, alert_id FROM alerts_v1
    WHERE snapshot_id IN (SELECT snapshot_id FROM snapshots_v1 WHERE outcome = 'stored' AND n_alerts > 0)
    ORDER BY market_time DESC, score DESC, alert_id
    LIMIT 1 BY alert_id
    LIMIT {limit:UInt32}
  )
  SELECT alert_id, scan_id, underlying, provider, detector, detector_version, parameters_hash, severity, score, message,
    evidence, inputs, snapshot_id, quality, replayed, market_time, stored_at
  FROM alerts_v1 FINAL
  WHERE (underlying, market_time, alert_id) IN (SELECT * FROM newest)
  ORDER BY market_time DESC, score DESC, alert_id`

/** Returns the alerts of committed snapshots, newest market time first, higher score first within it. */
export async function readRecentAlerts(query: Query, limit: number): Promise<RecentAlert[]> {
  return z.array(recentAlert).parse(await query.rows(sql, { limit }))
}
