import { aligned, count, type Machine } from '../pipeline/report.ts'
import type { Ceiling } from './ceiling.ts'
import type { Run } from './run.ts'

export const definition =
  'contracts a second from the moment the processors, each with its share of the partitions, are let go on a stream that already holds everything (but for a first pass, which warms them up), to the answer of a query that sees the last commit row'

/** One processor with all partitions, and two with half of them each; in turn, so that a machine's drift meets both. */
export interface Comparison {
  readonly one: readonly Run[]
  readonly two: readonly Run[]
  /** One with all that it works with on its own core; empty where nothing has a core of its own. */
  readonly oneCore: readonly Run[]
  /** Of the medians of two and one. */
  readonly ratio: number
  /** Of two and `oneCore`: what a second processor brings that comes with a second core. */
  readonly ratioToOneCore: number | null
  /** Highest that the split of the partitions allows: the busier of the two is the end of it. */
  readonly ratioOfEvenWork: number
  /** CPU seconds of two processors over those of one: what sharing costs, whatever else the machine did. */
  readonly cpuRatio: number | null
}

/** What `--json` prints. */
export interface ScalingReport {
  readonly bench: 'scaling'
  readonly at: string
  readonly definition: string
  readonly input: string
  readonly contracts: number
  readonly messages: number
  /** Both processors and one ClickHouse on all cores. */
  readonly sharedClickhouse: Comparison
  /** Each processor on a core of its own, rows counted and dropped. Null where cores cannot be given out. */
  readonly countingSink: Comparison | null
  /** The same computation without anything around it, on one core and on both: what the machine gives. */
  readonly ceiling: Ceiling | null
  readonly machine: Machine & { readonly loadAverageAtEnd: number }
}

const rates = (runs: readonly Run[]): string => runs.map((run) => count(run.contractsPerSecond)).join(', ')

const rowsOf = (name: string, comparison: Comparison): readonly (readonly string[])[] => [
  [`${name}: one`, `${rates(comparison.one)} contracts/s`, ''],
  [
    `${name}: two`,
    `${rates(comparison.two)} contracts/s`,
    `of which ${comparison.two.map(({ shares }) => shares.map(count).join(' + ')).join('; ')}`,
  ],
  [
    '  two over one',
    comparison.ratio.toFixed(2),
    `at most ${comparison.ratioOfEvenWork.toFixed(2)} by the split of the contracts; CPU ${comparison.cpuRatio?.toFixed(2) ?? '-'}`,
  ],
]

const oneCoreRows = ({ oneCore, ratioToOneCore }: Comparison): readonly (readonly string[])[] =>
  ratioToOneCore === null
    ? []
    : [
        ['counting sink: one, all on its core', `${rates(oneCore)} contracts/s`, ''],
        ['  two over that', ratioToOneCore.toFixed(2), ''],
      ]

/** The report for a person. */
export function formatReport({ machine, ...report }: ScalingReport): string {
  const { ceiling, countingSink } = report
  const rows = [
    ...rowsOf('one ClickHouse', report.sharedClickhouse),
    ...(countingSink === null ? [] : [...rowsOf('counting sink', countingSink), ...oneCoreRows(countingSink)]),
    ...(ceiling === null
      ? []
      : [
          [
            'floor: two cores over one',
            ceiling.ratio.toFixed(2),
            `${count(ceiling.oneContractsPerSecond)} and ${count(ceiling.twoContractsPerSecond)} contracts/s computed`,
          ],
        ]),
  ]
  return [
    `input    ${report.input}`,
    `machine  ${machine.cores} cores, ${machine.cpu}, load ${machine.loadAverage.toFixed(1)} to ${machine.loadAverageAtEnd.toFixed(1)}; node ${machine.node}, ClickHouse ${machine.clickhouse}, nats-server ${machine.nats}`,
    `clock    ${report.definition}`,
    '',
    ...aligned(rows),
    ...(countingSink === null ? ['', 'left out: two processors on cores of their own (no taskset, or one core)'] : []),
  ].join('\n')
}
