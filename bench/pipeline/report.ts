import type { Storage } from './storage.ts'

export const definition =
  'contractsPerSecond: contract rows / seconds from the processor\'s log line "partitions taken" (before its first pull, on a stream that already holds everything) to the answer of a query that sees the last commit row; row count and checksum asserted'

/** What `--json` prints. Rates are contracts a second. */
export interface PipelineReport {
  readonly bench: 'pipeline'
  /** ISO 8601, when the measurement began. */
  readonly at: string
  readonly definition: string
  readonly input: string
  readonly inputSource: 'recording' | 'simulator'
  readonly contracts: number
  readonly messages: number
  readonly contractsPerSecond: number
  readonly seconds: number
  readonly flushes: number
  /** Bare inserts of the same rows, before and after the pipeline: all rows over all seconds. */
  readonly insertFloorContractsPerSecond: number
  /** The two of them; how far they differ is the noise of the machine. */
  readonly insertFloorRuns: readonly number[]
  readonly ratioToFloor: number
  readonly naiveContractsPerSecond: number
  readonly naiveContracts: number
  readonly ratioToNaive: number
  readonly bytesPerRow: number
  readonly bytesPerRowWithCopies: number
  readonly columnBytesPerRow: Storage['columns']
  readonly encodeContractsPerSecond: number
  readonly publishContractsPerSecond: number
  readonly messageBytesPerContract: number
  readonly processorRssMb: readonly number[]
  readonly processorPeakRssMb: number | null
  readonly processorCpuSeconds: number | null
  /** Of the pipeline's run, merges included. CPU time holds where a busy machine spoils the clock. */
  readonly clickhouseCpuSeconds: number | null
  readonly natsCpuSeconds: number | null
  /** CPU time of processor, ClickHouse and nats-server during `seconds`, of all that the cores have: at 1 nothing overlaps any better. */
  readonly busyShare: number | null
  /** ClickHouse's in the cheaper of the two bare inserts. */
  readonly insertFloorCpuSeconds: number | null
  readonly rows: number
  readonly checksum: string
  readonly machine: Machine
}

/** Where figures were measured. */
export interface Machine {
  readonly cores: number
  readonly cpu: string
  /** Over the minute before it began. */
  readonly loadAverage: number
  readonly node: string
  readonly clickhouse: string
  readonly nats: string
}

/** A whole number with its thousands apart. */
export const count = (value: number): string => Math.round(value).toLocaleString('en-US')
const orDash = (value: number | null, unit: string): string => (value === null ? '-' : `${count(value)} ${unit}`)

const seconds = (value: number | null): string => (value === null ? '-' : `${value.toFixed(1)} s`)

/** The report for a person. */
export function formatReport(report: PipelineReport): string {
  const { machine } = report
  const rate = (value: number): string => `${count(value)} contracts/s`
  const rows: readonly (readonly [string, string, string])[] = [
    [
      'JetStream to queryable',
      rate(report.contractsPerSecond),
      `${report.seconds.toFixed(2)} s, ${report.flushes} flushes`,
    ],
    ['bare insert', rate(report.insertFloorContractsPerSecond), `runs ${report.insertFloorRuns.map(count).join(', ')}`],
    ['  ratio to it', `${(100 * report.ratioToFloor).toFixed(1)} %`, ''],
    [
      'JSON pipeline',
      rate(report.naiveContractsPerSecond),
      `${count(report.naiveContracts)} contracts, one pass at most`,
    ],
    ['  times faster', report.ratioToNaive.toFixed(1), ''],
    ['encode', rate(report.encodeContractsPerSecond), `${report.messageBytesPerContract.toFixed(1)} bytes a contract`],
    ['publish', rate(report.publishContractsPerSecond), `${count(report.messages)} messages`],
    [
      'storage',
      `${report.bytesPerRow} bytes a row`,
      `one pass, OPTIMIZE FINAL; ${report.bytesPerRowWithCopies} with copies`,
    ],
    [
      'processor memory',
      orDash(report.processorPeakRssMb, 'MB at most'),
      `after each pass: ${report.processorRssMb.join(', ')}`,
    ],
    [
      'processor CPU',
      seconds(report.processorCpuSeconds),
      `ClickHouse ${seconds(report.clickhouseCpuSeconds)}, in the bare insert ${seconds(report.insertFloorCpuSeconds)}; nats-server ${seconds(report.natsCpuSeconds)}`,
    ],
    ['cores busy', report.busyShare === null ? '-' : `${Math.round(100 * report.busyShare)} %`, 'of all of them'],
    ['verified', `${count(report.rows)} rows`, `checksum ${report.checksum}`],
  ]
  const columns = report.columnBytesPerRow
    .slice(0, 12)
    .map(({ name, bytesPerRow }) => [`  ${name}`, `${bytesPerRow}`, ''])
  return [
    `input    ${report.input}`,
    `machine  ${machine.cores} cores, ${machine.cpu}, load ${machine.loadAverage.toFixed(1)}; node ${machine.node}, ClickHouse ${machine.clickhouse}, nats-server ${machine.nats}`,
    `clock    ${report.definition}`,
    '',
    ...aligned(rows),
    '',
    'largest columns, bytes a row',
    ...aligned(columns),
  ].join('\n')
}

/** Pads the columns; the first to the left, and in a table of three the last is a note. */
export function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const columns = Math.max(...rows.map(({ length }) => length))
  const isNote = (column: number): boolean => columns === 3 && column === 2
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  return rows.map((row) =>
    widths
      .map((width, column) => {
        const cell = row[column] ?? ''
        return column === 0 || isNote(column) ? cell.padEnd(width) : cell.padStart(width)
      })
      .join('  ')
      .trimEnd(),
  )
}
