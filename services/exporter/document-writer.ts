import { join } from 'node:path'
import { encodeExport, type ExportName } from '../../shared/model/export-layout.ts'
import type { Clock } from '../../shared/runtime/clock.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import type { Query } from '../../shared/store/queries/query.ts'
import { archiveFile, pruneArchive } from './archive.ts'
import { writeAtomically } from '../../shared/runtime/atomic-file.ts'
import { archiveLimits, type ExporterSettings } from './config.ts'
import type { DocumentSource } from './documents.ts'
import type { ExporterMetrics } from './metrics.ts'

export interface DocumentWriterDeps {
  readonly query: Query
  readonly settings: ExporterSettings
  /** Wall clock: times in documents and file names. */
  readonly clock: Clock
  /** Milliseconds on a clock that never goes back: intervals. */
  readonly elapsed: Clock
  readonly log: Logger
  readonly metrics: ExporterMetrics
}

/**
 * Returns a function that reads one document's rows, replaces its file and archives it. It resolves to the time stated in
 * the document, to null when it failed: one document that cannot be written must not hold up the others.
 */
export function createDocumentWriter({ query, settings, clock, elapsed, log, metrics }: DocumentWriterDeps) {
  const archivedAtMs = new Map<ExportName, number>()
  const archive = join(settings.directory, 'archive')

  return async function attempt(source: DocumentSource): Promise<string | null> {
    const document = source.name
    try {
      const timestamp = await write(source)
      metrics.exports.inc({ document, outcome: 'written' })
      return timestamp
    } catch (err) {
      metrics.exports.inc({ document, outcome: 'failed' })
      log.error({ document, err }, 'export failed, the old document stays')
      return null
    }
  }

  async function write({ name, read }: DocumentSource): Promise<string> {
    const startedMs = elapsed()
    // Taken before the rows are read: the document holds at least what was committed by then.
    const timeMs = clock()
    const timestamp = new Date(timeMs).toISOString()
    const { count, leftOut, rows } = await read(query, { alerts: settings.alertsLimit, scans: settings.scansLimit })
    const file = join(settings.directory, `${name}.json`)
    const bytes = await writeAtomically(file, encodeExport({ name, timestamp, count, rows }))
    const durationMs = Math.round(elapsed() - startedMs)
    metrics.exportSeconds.observe({ document: name }, durationMs / 1000)
    metrics.exportBytes.set({ document: name }, bytes)
    metrics.exportRows.set({ document: name }, count)
    metrics.exportRowsLeftOut.set({ document: name }, leftOut)
    if (leftOut > 0) log.warn({ document: name, rows: leftOut }, 'rows left out of the document')
    metrics.exportTimestamp.set({ document: name }, timeMs / 1000)
    log.debug({ document: name, rows: count, bytes, durationMs }, 'document exported')
    await keep(name, file, timeMs)
    return timestamp
  }

  /** The document is out already: a failure here costs a copy, not the export. */
  async function keep(name: ExportName, file: string, timeMs: number): Promise<void> {
    const lastMs = archivedAtMs.get(name)
    if (lastMs !== undefined && elapsed() - lastMs < settings.archiveIntervalSeconds * 1000) return
    archivedAtMs.set(name, elapsed())
    try {
      await archiveFile(file, archive, name, timeMs)
      const { kept, removed } = await pruneArchive(archive, name, archiveLimits(settings), timeMs)
      metrics.archiveFiles.set({ document: name }, kept)
      metrics.archivePruned.inc({ document: name }, removed)
    } catch (err) {
      metrics.archiveErrors.inc({ document: name })
      log.error({ document: name, err }, 'document not archived')
    }
  }
}
