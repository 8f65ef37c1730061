import type {
  ColumnDifference,
  Comparison,
  ReplayJob,
  RowDifference,
  TableComparison,
} from '../../../shared/model/replay.ts'
import {
  commitTable,
  comparedColumns,
  type ComparedTable,
  comparedTables,
  type CompareParams,
  countDifferences,
  differingRows,
  groupSums,
  leftoverRows,
  type RowPair,
} from '../../../shared/store/queries/compare.ts'
import type { Query } from '../../../shared/store/queries/query.ts'
import { rangeParams, type RangeRow } from '../../../shared/store/queries/replay.ts'
import type { Plan } from './plan.ts'

/** Groups whose rows are looked at in one statement. */
const groupsAtOnce = 500

/** Compares every row of the range, of every table, both ways. */
export async function compareRange(job: ReplayJob, plan: Plan, query: Query): Promise<Comparison> {
  const { databases, asOfMs } = plan
  const at: CompareParams = { databases, params: { ...rangeParams(job), asOf: asOfMs } }
  const tables: TableComparison[] = []
  const rows: RowDifference[] = []
  let leftovers = 0
  for (const compared of comparedTables) {
    const columns = await comparedColumns(query, databases.main, compared.table)
    const found = await compareTable(query, compared, columns, at, job.listed - rows.length)
    tables.push(found.comparison)
    rows.push(...found.rows)
    if (compared.table !== commitTable) leftovers += await leftoverRows(query, compared, at)
  }
  const brokenChain = plan.rows.filter((row) => row.previousSeq !== row.namedPreviousSeq).map(brokenAt)
  const same =
    brokenChain.length === 0 &&
    tables.every(({ differing, onlyStored, onlyReplayed }) => differing + onlyStored + onlyReplayed === 0)
  return { same, tables, rows, brokenChain: brokenChain.slice(0, job.listed), leftovers }
}

const brokenAt = ({ incarnation, partition, streamSeq, previousSeq, namedPreviousSeq }: RangeRow): string =>
  `partition ${partition} of ${incarnation}: ${streamSeq} says it came after ${namedPreviousSeq}, the row before it is ${previousSeq}`

async function compareTable(
  query: Query,
  compared: ComparedTable,
  columns: readonly string[],
  at: CompareParams,
  listed: number,
): Promise<{ readonly comparison: TableComparison; readonly rows: readonly RowDifference[] }> {
  const sums = await groupSums(query, compared, columns, at)
  const groups = sums.filter(({ same }) => !same).map(({ id }) => id)
  const total = { differing: 0, onlyStored: 0, onlyReplayed: 0 }
  const rows: RowDifference[] = []
  for (let from = 0; from < groups.length; from += groupsAtOnce) {
    const some = groups.slice(from, from + groupsAtOnce)
    const counts = await countDifferences(query, compared, columns, at, some)
    total.differing += counts.differing
    total.onlyStored += counts.onlyStored
    total.onlyReplayed += counts.onlyReplayed
    const limit = listed - rows.length
    if (limit <= 0) continue
    const pairs = await differingRows(query, compared, columns, at, { groups: some, limit })
    rows.push(...pairs.map((pair) => describe(compared, columns, pair)))
  }
  const sum = (of: 'stored' | 'replayed'): number => sums.reduce((n, each) => n + each[of], 0)
  return {
    comparison: { table: compared.table, stored: sum('stored'), replayed: sum('replayed'), ...total },
    rows,
  }
}

function describe(
  { table, key }: ComparedTable,
  columns: readonly string[],
  { stored, replayed }: RowPair,
): RowDifference {
  const some = stored ?? replayed ?? []
  const differences: ColumnDifference[] = columns.flatMap((column, i) => {
    const [was, is] = [stored?.[i] ?? null, replayed?.[i] ?? null]
    return was === is ? [] : [{ column, stored: was, replayed: is }]
  })
  const isBoth = stored !== null && replayed !== null
  return {
    table,
    key: Object.fromEntries(key.map((name) => [name, some[columns.indexOf(name)] ?? ''])),
    kind: isBoth ? 'differing' : stored === null ? 'only replayed' : 'only stored',
    columns: isBoth ? differences : [],
  }
}
