import { Counter, Gauge, type Registry } from '../../../shared/runtime/metrics.ts'

/** Metrics of the gap ledger. Labels come from closed sets: what is of one underlying stands in `gaps_v1`. */
export function createLedgerMetrics(registry: Registry) {
  const registers = [registry]
  return {
    facts: new Counter({
      name: 'strikeflow_ledger_facts_total',
      help: 'Facts about slots written to the gap ledger; a slot may have several',
      labelNames: ['state', 'reason'] as const,
      registers,
    }),
    pending: new Gauge({
      name: 'strikeflow_ledger_pending_slots',
      help: 'Slots whose message was acknowledged a while ago and is not committed, of the at most 1000 a look takes in turn',
      registers,
    }),
    holes: new Gauge({
      name: 'strikeflow_ledger_publisher_holes',
      help: 'Acknowledged messages of living and recent collectors without a commit row: lost, or still to be processed',
      registers,
    }),
    errors: new Counter({
      name: 'strikeflow_ledger_errors_total',
      help: 'Looks of the gap ledger that failed and are tried again',
      registers,
    }),
  }
}
export type LedgerMetrics = ReturnType<typeof createLedgerMetrics>
