import type { ChainText, LatestSnapshot } from '../../shared/store/queries/latest-chains.ts'
import type { LatestFeatures } from '../../shared/store/queries/latest-features.ts'
import type { RecentAlert } from '../../shared/store/queries/recent-alerts.ts'
import type { RecentScan } from '../../shared/store/queries/recent-scans.ts'

/*
 * Store rows to document rows, as JSON text on one line. Dashboards read these names: a field may be added, none renamed.
 */

export function alertRow(alert: RecentAlert): string {
  return JSON.stringify({
    id: alert.alert_id,
    scan_id: alert.scan_id,
    ticker: alert.underlying,
    detector_name: alert.detector,
    score: alert.score,
    alert_data: {
      severity: alert.severity,
      message: alert.message,
      evidence: parsed(alert.evidence),
      provider: alert.provider,
      inputs: alert.inputs,
      quality: alert.quality,
      detector_version: alert.detector_version,
      parameters_hash: alert.parameters_hash,
      replayed: alert.replayed,
    },
    created_at: alert.stored_at,
    market_time: alert.market_time,
    snapshot_id: alert.snapshot_id,
  })
}

/** One alert whose evidence is not JSON must not cost the others their document. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export function scanRow(scan: RecentScan): string {
  return JSON.stringify({
    id: scan.scan_id,
    created_at: scan.started_at,
    status: scan.status,
    tickers_scanned: scan.delivered,
    alerts_generated: scan.alerts,
    finished_at: scan.finished_at,
    provider: scan.provider,
    tickers_planned: scan.planned,
    tickers_repeated: scan.repeated,
    tickers_refused: scan.refused,
    contracts: scan.contracts,
    rejects_by_reason: scan.rejects_by_reason,
    refusals_by_reason: scan.refusals_by_reason,
  })
}

/** The ticker comes first: a reader finds a row by its beginning. Contracts stay the text that ClickHouse wrote. */
export function chainRow(snapshot: LatestSnapshot, chain: ChainText | undefined): string {
  const tail = JSON.stringify({
    snapshot_id: snapshot.snapshot_id,
    scan_id: snapshot.scan_id,
    provider: snapshot.provider,
  })
  return (
    `{"ticker":${JSON.stringify(snapshot.underlying)},"timestamp":"${snapshot.market_time}",` +
    `"underlying_price":${chain?.spot ?? null},"calls":[${chain?.calls ?? ''}],"puts":[${chain?.puts ?? ''}],` +
    tail.slice(1)
  )
}

export function featureRow(latest: LatestFeatures): string {
  const tail = JSON.stringify({
    created_at: latest.stored_at,
    scan_id: latest.scan_id,
    market_time: latest.market_time,
    snapshot_id: latest.snapshot_id,
    provider: latest.provider,
  })
  const features = `${latest.features.slice(0, -1)},"expiries":[${latest.expiries}]}`
  return `{"ticker":${JSON.stringify(latest.underlying)},"features":${features},${tail.slice(1)}`
}
