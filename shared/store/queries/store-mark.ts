import { z } from 'zod'
import type { Query } from './query.ts'

/** What has changed since the last look, as texts to compare: a few milliseconds, however long the commit log is. */
export interface StoreMark {
  /** Moves with any news of any scan. */
  readonly scans: string
  /** Moves when a scan ends. */
  readonly endedScans: string
  /** Moves when a snapshot that raised alerts is committed; and once an hour, while there were any a day before. */
  readonly alerts: string
  /** Commit rows so far; two equal looks in a row mean that the pipeline has come to rest. */
  readonly commits: number
}

const row = z.object({ scans: z.string(), endedScans: z.string(), alerts: z.string(), commits: z.number() })

/**
 * Versions alone would not do: they are sequences of a stream, and a re-created stream starts again; hence the times
 * beside them. Alerts are watched through the commit log, because an alert row without its commit row does not count yet.
 */
const sql = `
  SELECT
    (SELECT toString((max(version), max(stored_at))) FROM scans_v1) AS scans,
    (SELECT toString((max(version), max(stored_at))) FROM scans_v1 WHERE status != 'running') AS endedScans,
    (SELECT toString((sum(n_alerts), max(stored_at))) FROM snapshots_v1
      WHERE stored_at >= toStartOfHour(now()) - toIntervalDay(1) AND outcome = 'stored' AND n_alerts > 0) AS alerts,
    (SELECT count() FROM snapshots_v1) AS commits`

export async function readStoreMark(query: Query): Promise<StoreMark> {
  const [found] = await query.rows(sql)
  return row.parse(found)
}
