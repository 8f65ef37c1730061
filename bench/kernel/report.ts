import { availableParallelism, cpus, loadavg } from 'node:os'
import type { FeatureTimes } from './features.ts'
import type { PeerFigures } from './peers.ts'

export const definition =
  'quotes solved a second on one thread by solveExpiry (ivPerSecond) and solveExpiryWithGreeks (ivGreeksPerSecond: with delta, gamma, vega, theta, rho, vanna, charm, volga), by the clock, the median of slices of 2,000 quotes over all repeats; …Best: the quickest slice; peers: the median of slices of 100 quotes, for implied-volatility of one'

/** What `--json` prints of the solver. Rates are quotes a second. */
export interface KernelReport {
  readonly bench: 'kernel'
  /** ISO 8601, when the measurement began. */
  readonly at: string
  readonly definition: string
  readonly input: string
  readonly quotes: number
  readonly repeats: number
  readonly ivPerSecond: number
  readonly ivPerSecondBest: number
  readonly ivGreeksPerSecond: number
  readonly ivGreeksPerSecondBest: number
  /** The scalar function, contract by contract. */
  readonly oneByOneIvPerSecond: number
  readonly oneByOneIvPerSecondBest: number
  /** From out-of-the-money prices. */
  readonly maxAbsSigmaError: number
  /** Runs of the garbage collector during `gcOptions` IVs and as many IVs with greeks. */
  readonly gcEntries: number
  readonly gcOptions: number
  readonly realistic: {
    readonly input: string
    readonly ivPerSecond: number
    readonly ivGreeksPerSecond: number
    readonly maxAbsSigmaError: number
  }
  readonly peers: Readonly<Record<string, PeerFigures & { readonly timesSlower: number }>>
  /** All features of one chain of 14,000 contracts. */
  readonly features: FeatureTimes
  readonly machine: Machine
}

interface Machine {
  readonly cores: number
  readonly cpu: string
  readonly node: string
  /** Over one minute, when the bench began and when it ended: its own thread adds 1. */
  readonly loadAverage: number
  readonly loadAverageAtEnd: number
}

export function machineOf(loadAverage: number): Machine {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    node: process.version,
    loadAverage,
    loadAverageAtEnd: loadavg()[0] ?? NaN,
  }
}

const count = (value: number): string => Math.round(value).toLocaleString('en-US')

/** The report for a person. */
export function formatKernelReport(report: KernelReport): string {
  const { machine, realistic, features } = report
  const rows: readonly (readonly string[])[] = [
    ['', 'quotes/s', 'each', 'at best', 'largest error of sigma'],
    row('IV', report.ivPerSecond, report.ivPerSecondBest, report.maxAbsSigmaError),
    row('IV and eight greeks', report.ivGreeksPerSecond, report.ivGreeksPerSecondBest),
    row('IV, contract by contract', report.oneByOneIvPerSecond, report.oneByOneIvPerSecondBest),
    row('IV, realistic mix', realistic.ivPerSecond, null, realistic.maxAbsSigmaError),
    row('IV and eight greeks, realistic mix', realistic.ivGreeksPerSecond),
    ...Object.entries(report.peers).map(([name, peer]) => row(name, peer.ivPerSecond, null, peer.maxAbsSigmaError)),
  ]
  return [
    `input    ${count(report.quotes)} quotes: ${report.input}`,
    `mix      ${realistic.input}`,
    `machine  ${machine.cores} cores, ${machine.cpu}, load ${machine.loadAverage.toFixed(1)} to ${machine.loadAverageAtEnd.toFixed(1)}; node ${machine.node}`,
    `clock    ${report.definition}`,
    `garbage  ${report.gcEntries} collections during ${count(report.gcOptions)} IVs and as many with greeks`,
    '',
    ...aligned(rows),
    '',
    ...formatFeatures(features),
  ].join('\n')
}

function formatFeatures(features: FeatureTimes): readonly string[] {
  const { contracts, expiries, millisecondsPerChain, millisecondsPerChainBest, microsecondsPerContract } = features
  const rows = Object.entries(features.families).map(([name, family]) => [
    name,
    `${family.microseconds.toFixed(0)} us`,
    `  ${family.features.join(' ')}`,
  ])
  return [
    `features of a chain of ${count(contracts)} contracts, ${expiries} expiries: ${millisecondsPerChain.toFixed(2)} ms, at best ${millisecondsPerChainBest.toFixed(2)} ms, ${microsecondsPerContract.toFixed(2)} us a contract`,
    ...rows.map(([name = '', time = '', columns = '']) => `${name.padEnd(46)}${time.padStart(9)}${columns}`),
  ]
}

function row(name: string, rate: number, best: number | null = null, error: number | null = null): readonly string[] {
  const nanoseconds = `${(1e9 / rate).toFixed(1)} ns`
  return [name, count(rate), nanoseconds, best === null ? '' : count(best), error?.toExponential(1) ?? '']
}

function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0))
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(width(i)) : cell.padStart(width(i))))
      .join('  ')
      .trimEnd(),
  )
}
