import { aligned, count, type Machine } from '../pipeline/report.ts'
import type { Figures } from './measure.ts'
import type { Quantiles } from './quantiles.ts'

export const definition =
  'publishToAlertMs: from the call that publishes a chain to the alert at a core subscriber on another connection; publishToQueryableMs: from the same call to the answer of a query that sees the commit row of the chain, asked as soon as the processor says that it has written a flush'

/** What `--json` prints. Durations are milliseconds. */
export interface LatencyReport extends Figures {
  readonly bench: 'latency'
  /** ISO 8601, when the measurement began. */
  readonly at: string
  readonly definition: string
  readonly minutes: number
  readonly underlyings: number
  readonly machine: Machine & { readonly loadAverageAtEnd: number }
}

/** What must not be: a message or an alert that did not arrive, or arrived without being stored. Null when there is none. */
export function faultOf(report: LatencyReport): string | null {
  const faults = (['missedMessages', 'missedAlerts', 'unstoredAlerts', 'doubledAlertRows', 'undetectedEvents'] as const)
    .filter((name) => report[name] !== 0)
    .map((name) => `${name}: expected 0, was ${report[name]}`)
  return faults.length === 0 ? null : faults.join('\n')
}

const line = (name: string, { n, p50, p90, p99, max }: Quantiles): readonly string[] => [
  name,
  ...[p50, p90, p99, max].map((value) => (n === 0 ? '-' : value.toFixed(2))),
  count(n),
]

/** The report for a person. */
export function formatReport(report: LatencyReport): string {
  const { machine, cpuSeconds, floor } = report
  const rows = [
    ['milliseconds', 'p50', 'p90', 'p99', 'max', 'n'],
    line('publish to alert', report.publishToAlertMs),
    line('publish to queryable', report.publishToQueryableMs),
    line('publish to last features', report.publishToFeaturesMs),
    ...report.featuresMsBySize.map((size) =>
      line(size.contractsBelow === null ? '  larger' : `  below ${count(size.contractsBelow)} contracts`, size),
    ),
    line('floor: to a subscriber', floor.core),
    line('floor: to a reader of CHAINS', floor.stream),
    line('floor: to the acknowledgement', floor.acknowledged),
    line('published later than due', report.latenessMs),
  ]
  const cpu = Object.entries(cpuSeconds).map(([name, seconds]) => `${name} ${seconds ?? '-'} s`)
  return [
    `input    simulator: ${report.underlyings} underlyings a minute, ${report.minutes} minutes, ${count(report.contracts)} contracts, ${count(report.bytes)} bytes`,
    `machine  ${machine.cores} cores, ${machine.cpu}, load ${machine.loadAverage.toFixed(1)} to ${machine.loadAverageAtEnd.toFixed(1)}; node ${machine.node}, ClickHouse ${machine.clickhouse}, nats-server ${machine.nats}`,
    `clock    ${report.definition}`,
    '',
    ...aligned(rows),
    '',
    `alerts   ${count(report.receivedAlerts)} received of ${count(report.injectedEvents)} events, ${report.missedAlerts} missed, ${report.duplicateAlerts} doubled; chains missed: ${report.missedMessages}`,
    `CPU      in ${count(report.seconds)} s: ${cpu.join(', ')}; ${count(report.flushes)} flushes, ${count(report.looks)} looks; event loop of the bench late by ${report.benchLoopDelayP99Ms} ms (p99)`,
  ].join('\n')
}
