import { z } from 'zod'
import { chainFeatureSpecs, expiryFeatureSpecs } from '../../model/feature-registry.ts'
import { instant, jsonText } from './columns.ts'
import type { Query } from './query.ts'

const latestFeatures = z.object({
  underlying: z.string(),
  snapshot_id: z.string(),
  provider: z.string(),
  scan_id: z.string(),
  market_time: instant,
  stored_at: instant,
  /** JSON object of the chain's figures, named as the columns of `chain_features_v1`. */
  features: jsonText,
  /** JSON objects of each expiry's figures, joined by commas; empty when there are none. */
  expiries: jsonText,
})
export type LatestFeatures = z.output<typeof latestFeatures>

const chainColumns = [
  'session_date',
  'spot',
  ...Object.values(chainFeatureSpecs).map(({ column }) => column),
  'exposure_strikes',
  'gex_by_strike',
  'content_unchanged',
  'late',
  'risk_free_rate',
  'iv_method',
  'exposure_convention',
]
const expiryColumns = [
  'root',
  'expiry',
  'exercise_style',
  'forward_source',
  ...Object.values(expiryFeatureSpecs).map(({ column }) => column),
]

/**
 * The newest committed snapshot that has features: one without a spot has none, and then the one before it stands.
 * The commit log alone finds it; both feature tables are read by primary key, FINAL over those few granules.
 */
const sql = `
  WITH wanted AS (
    SELECT underlying, newest.1 AS market_time, newest.2 AS provider, newest.3 AS snapshot_id
    FROM (
      SELECT underlying, argMax((market_time, provider, snapshot_id), (market_time, received_at, snapshot_id)) AS newest
      FROM snapshots_v1 WHERE outcome = 'stored' AND n_chains > 0 GROUP BY underlying
    )
  )
  SELECT underlying, snapshot_id, provider, scan_id, market_time, stored_at, features, expiries
  FROM (
    SELECT underlying, snapshot_id, provider, scan_id, market_time, stored_at,
      formatRowNoNewline('JSONEachRow', ${chainColumns.join(', ')}) AS features
    FROM chain_features_v1 FINAL
    WHERE (underlying, market_time, provider, snapshot_id) IN (SELECT * FROM wanted)
  ) AS chains
  LEFT JOIN (
    SELECT snapshot_id, arrayStringConcat(arraySort(groupArray(expiry_row)).3, ',') AS expiries
    FROM (
      SELECT snapshot_id, (expiry, root, formatRowNoNewline('JSONEachRow', ${expiryColumns.join(', ')})) AS expiry_row
      FROM expiry_features_v1 FINAL
      WHERE (underlying, market_time, provider, snapshot_id) IN (SELECT * FROM wanted)
    )
    GROUP BY snapshot_id
  ) AS expiries USING (snapshot_id)
  ORDER BY underlying`

/** Returns the newest features of every underlying that has any, by ticker. */
export async function readLatestFeatures(query: Query): Promise<LatestFeatures[]> {
  return z.array(latestFeatures).parse(await query.rows(sql))
}
