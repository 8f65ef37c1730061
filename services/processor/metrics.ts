import { Counter, Gauge, Histogram, type Registry } from '../../shared/runtime/metrics.ts'

/** Every metric of this service. */
export const createMetrics = (registry: Registry) => ({
  ...createStoreMetrics([registry]),
  ...createDetectionMetrics([registry]),
  ...createDeliveryMetrics([registry]),
  ...createLagMetrics([registry]),
})
export type ProcessorMetrics = ReturnType<typeof createMetrics>

/** What is written. */
function createStoreMetrics(registers: Registry[]) {
  return {
    messages: new Counter({
      name: 'strikeflow_processor_messages_total',
      help: 'Messages of CHAINS by what became of them',
      labelNames: ['outcome'] as const,
      registers,
    }),
    contracts: new Counter({
      name: 'strikeflow_processor_contracts_total',
      help: 'Contract rows written',
      registers,
    }),
    rejects: new Counter({
      name: 'strikeflow_processor_rejects_total',
      help: 'Refused contract rows written, by reason',
      labelNames: ['reason'] as const,
      registers,
    }),
    outOfRange: new Counter({
      name: 'strikeflow_processor_values_out_of_range_total',
      help: 'Figures too large for their column, stored as missing',
      registers,
    }),
    flushSeconds: new Histogram({
      name: 'strikeflow_processor_flush_seconds',
      help: 'Rows, alerts and commit rows of one flush',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    storeErrors: new Counter({
      name: 'strikeflow_processor_store_errors_total',
      help: 'Failed inserts that are tried again',
      registers,
    }),
    pending: new Gauge({
      name: 'strikeflow_processor_pending_messages',
      help: 'Messages of CHAINS not yet delivered to this processor',
      registers,
    }),
  }
}

/** What the detectors found. */
function createDetectionMetrics(registers: Registry[]) {
  return {
    alerts: new Counter({
      name: 'strikeflow_processor_alerts_total',
      help: 'Alerts raised, by detector',
      labelNames: ['detector'] as const,
      registers,
    }),
    detectorErrors: new Counter({
      name: 'strikeflow_processor_detector_errors_total',
      help: 'Detectors that threw',
      labelNames: ['detector'] as const,
      registers,
    }),
    gateRefusals: new Counter({
      name: 'strikeflow_processor_gate_refusals_total',
      help: 'Snapshots not shown to the detectors, by reason',
      labelNames: ['reason'] as const,
      registers,
    }),
  }
}

/** Who owns what, and what went wrong on the way. */
function createDeliveryMetrics(registers: Registry[]) {
  return {
    deadLetters: new Counter({
      name: 'strikeflow_processor_dead_letters_total',
      help: 'Messages given up, by reason',
      labelNames: ['reason'] as const,
      registers,
    }),
    owned: new Gauge({
      name: 'strikeflow_processor_owned_partitions',
      help: 'Partitions this process owns',
      registers,
    }),
    leaseChanges: new Counter({
      name: 'strikeflow_processor_lease_changes_total',
      help: 'Partitions released, lost or begun again',
      registers,
    }),
    rewinds: new Counter({
      name: 'strikeflow_processor_rewinds_total',
      help: 'Cursors set back: the stream has gone back, or commit rows had lost their rows',
      labelNames: ['reason'] as const,
      registers,
    }),
  }
}

/** How much of what the stream keeps is still needed. */
function createLagMetrics(registers: Registry[]) {
  return {
    lagMessages: new Gauge({
      name: 'strikeflow_processor_lag_messages',
      help: 'Messages from the oldest unprocessed one of the owned partitions to the end of CHAINS',
      registers,
    }),
    lagBytesRatio: new Gauge({
      name: 'strikeflow_processor_lag_bytes_ratio',
      help: 'Share of what CHAINS may hold in bytes that is not processed: at 1 it discards unprocessed messages',
      registers,
    }),
    lagAgeRatio: new Gauge({
      name: 'strikeflow_processor_lag_age_ratio',
      help: 'Age of the oldest unprocessed message as a share of what CHAINS keeps: at 1 it discards unprocessed messages',
      registers,
    }),
    discarded: new Counter({
      name: 'strikeflow_processor_discarded_messages_total',
      help: 'Messages CHAINS discarded before they were processed',
      registers,
    }),
  }
}
