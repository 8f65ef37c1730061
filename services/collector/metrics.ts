import { Counter, Gauge, Histogram, type Registry } from '../../shared/runtime/metrics.ts'

export type CollectorMetrics = ReturnType<typeof createCollectorMetrics>

/** Every metric of the collector. Labels come from closed sets: never a ticker, never text of a provider's. */
export function createCollectorMetrics(registry: Registry) {
  const registers = [registry]
  return {
    items: new Counter({
      name: 'strikeflow_collector_items_total',
      help: 'Items of passes by what became of them: published, repeated, refused',
      labelNames: ['provider', 'outcome'] as const,
      registers,
    }),
    refusals: new Counter({
      name: 'strikeflow_collector_refusals_total',
      help: 'Fetches without a snapshot, by reason',
      labelNames: ['provider', 'reason'] as const,
      registers,
    }),
    rejects: new Counter({
      name: 'strikeflow_collector_rejects_total',
      help: 'Contract rows refused, by reason',
      labelNames: ['provider', 'reason'] as const,
      registers,
    }),
    contracts: new Counter({
      name: 'strikeflow_collector_contracts_total',
      help: 'Contract rows published',
      labelNames: ['provider'] as const,
      registers,
    }),
    publishedBytes: new Counter({
      name: 'strikeflow_collector_published_bytes_total',
      help: 'Payload bytes of snapshots as published',
      labelNames: ['provider'] as const,
      registers,
    }),
    passes: new Counter({
      name: 'strikeflow_collector_passes_total',
      help: 'Passes over the universe, by how they ended',
      labelNames: ['provider', 'status'] as const,
      registers,
    }),
    fetchSeconds: new Histogram({
      name: 'strikeflow_collector_fetch_seconds',
      help: 'Time to fetch and normalise one chain',
      labelNames: ['provider'] as const,
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 30],
      registers,
    }),
    schemaDrift: new Counter({
      name: 'strikeflow_collector_schema_drift_total',
      help: 'Fields a provider sends that we do not know, each name counted once',
      labelNames: ['provider'] as const,
      registers,
    }),
    marketTimeSeconds: new Gauge({
      name: 'strikeflow_collector_market_time_seconds',
      help: 'Market time of the newest snapshot published',
      labelNames: ['provider'] as const,
      registers,
    }),
  }
}
