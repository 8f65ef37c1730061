import { Counter, Gauge, Histogram, type Registry } from '../../shared/runtime/metrics.ts'

/** Every metric of this service. Routes are patterns, never what somebody asked for. */
export function createMetrics(registry: Registry) {
  const registers = [registry]
  return {
    requests: new Counter({
      name: 'strikeflow_api_requests_total',
      help: 'Answers by route and status',
      labelNames: ['route', 'status'] as const,
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'strikeflow_api_request_seconds',
      help: 'Time in the handler, without sending',
      labelNames: ['route'] as const,
      buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5],
      registers,
    }),
    connections: new Gauge({
      name: 'strikeflow_api_connections',
      help: 'Open connections; further ones are dropped at API_MAX_CONNECTIONS',
      registers,
    }),
    loads: new Counter({
      name: 'strikeflow_api_export_loads_total',
      help: 'Exported documents read anew: loaded, corrupt (the last good one stays) or failed to read',
      labelNames: ['document', 'outcome'] as const,
      registers,
    }),
    rowsLeftOut: new Counter({
      name: 'strikeflow_api_export_rows_left_out_total',
      help: 'Rows of loaded documents that cannot be read; the others are served',
      labelNames: ['document'] as const,
      registers,
    }),
    loadSeconds: new Histogram({
      name: 'strikeflow_api_export_load_seconds',
      help: 'Reading, checking and indexing one document',
      labelNames: ['document'] as const,
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    }),
    exportTimestamp: new Gauge({
      name: 'strikeflow_api_export_timestamp_seconds',
      help: 'Time stated in the document being served; its age is time() less this',
      labelNames: ['document'] as const,
      registers,
    }),
  }
}
export type ApiMetrics = ReturnType<typeof createMetrics>
