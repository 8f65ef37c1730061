import { Counter, Gauge, Histogram, type Registry } from '../../shared/runtime/metrics.ts'

const labelNames = ['document'] as const

/** Every metric of this service. */
export function createMetrics(registry: Registry) {
  const registers = [registry]
  const gauge = (what: string, help: string) =>
    new Gauge({ name: `strikeflow_exporter_${what}`, help, labelNames, registers })
  const counter = (what: string, help: string) =>
    new Counter({ name: `strikeflow_exporter_${what}`, help, labelNames, registers })
  return {
    exports: new Counter({
      name: 'strikeflow_exporter_exports_total',
      help: 'Documents written or failed',
      labelNames: ['document', 'outcome'] as const,
      registers,
    }),
    exportSeconds: new Histogram({
      name: 'strikeflow_exporter_export_seconds',
      help: 'Reading and writing one document',
      labelNames,
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    exportBytes: gauge('export_bytes', 'Size of the document as last written'),
    exportRows: gauge('export_rows', 'Rows of the document as last written'),
    exportRowsLeftOut: gauge('export_rows_left_out', 'Rows the document as last written could not hold'),
    exportTimestamp: gauge(
      'export_timestamp_seconds',
      'Time stated in the document as last written; its age is time() less this',
    ),
    archiveFiles: gauge('archive_files', 'Archived files of the document'),
    archivePruned: counter('archive_pruned_total', 'Archived files removed by the limits'),
    archiveErrors: counter(
      'archive_errors_total',
      'Documents that could not be archived or whose archive could not be pruned',
    ),
    storeErrors: new Counter({
      name: 'strikeflow_exporter_store_errors_total',
      help: 'Failed looks at the store; the old documents stay',
      registers,
    }),
    orphansSwept: new Counter({
      name: 'strikeflow_exporter_orphans_swept_total',
      help: 'Unfinished files of a killed exporter removed at the start',
      registers,
    }),
  }
}
export type ExporterMetrics = ReturnType<typeof createMetrics>
