import { z } from 'zod'
import { integer } from '../../shared/runtime/config.ts'

const dayMs = 86_400_000

/** Settings under the prefix `EXPORTER`. */
export const exporterSettings = z
  .object({
    /** Where the documents are written; one exporter a directory. The archive lies beside them in `archive/`. */
    directory: z.string().min(1).default('data/exports'),
    /** Every document is written at least so often. */
    intervalSeconds: integer(1, 86_400).default(300),
    /** How often the store is asked whether anything is new. */
    pollMs: integer(50, 60_000).default(1000),
    /** Wait after a failed read or write. */
    retryMs: integer(50, 600_000).default(2000),
    /** Newest alerts in `alerts.json`. */
    alertsLimit: integer(1, 100_000).default(1000),
    /** Newest scans in `scans.json`. */
    scansLimit: integer(1, 10_000).default(100),
    /** At least so long between two archived files of one document: a pass may end every few seconds. */
    archiveIntervalSeconds: integer(0, 86_400).default(300),
    archiveRetentionDays: integer(1, 3650).default(7),
    /** Archived files kept of each document; the default is 7 days of one every 300 s. */
    archiveMaxFiles: integer(1, 1_000_000).default(2016),
    /** Bytes kept of each document's archive, in MiB. */
    archiveMaxMebibytes: integer(1, 1_000_000).default(2048),
  })
  .strict()
export type ExporterSettings = z.output<typeof exporterSettings>

export const archiveLimits = (settings: ExporterSettings) => ({
  maxAgeMs: settings.archiveRetentionDays * dayMs,
  maxFiles: settings.archiveMaxFiles,
  maxBytes: settings.archiveMaxMebibytes * 1024 * 1024,
})
