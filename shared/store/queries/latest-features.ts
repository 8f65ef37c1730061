import { z } from 'zod'
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
      formatRowNoNewline('JSONEachRow', session_date, spot, n_contracts, n_expired, n_used, atm_iv_30d, atm_iv_front,
        expected_move, call_volume, put_volume, call_open_interest, put_open_interest, pcr_volume, pcr_oi, max_pain,
        gex_usd_1pct, content_unchanged, late, quality, risk_free_rate) AS features
    FROM chain_features_v1 FINAL
    WHERE (underlying, market_time, provider, snapshot_id) IN (SELECT * FROM wanted)
  ) AS chains
  LEFT JOIN (
    SELECT snapshot_id, arrayStringConcat(arraySort(groupArray(expiry_row)).3, ',') AS expiries
    FROM (
      SELECT snapshot_id, (expiry, root, formatRowNoNewline('JSONEachRow', root, expiry, years_to_expiry, n_contracts,
        n_used, forward, forward_source, atm_iv, straddle, expected_move, call_volume, put_volume, call_open_interest,
        put_open_interest, pcr_volume, pcr_oi, max_pain, gex_usd_1pct, quality)) AS expiry_row
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
