import type {
  Comparison,
  MissingInput,
  NotReproducible,
  ReplayReport,
  RowDifference,
} from '../../../shared/model/replay.ts'

/** The report of a replay for a person; the last line is the verdict. */
export function renderReplay(report: ReplayReport): string {
  const { messages, contracts, alerts, seconds, into, readFrom, states, parameters, outcomes } = report
  return [
    `${messages} messages of the range (${countsText(outcomes)}), read from ${countsText(readFrom)}`,
    `${contracts} contracts and ${alerts} alerts written to ${into} in ${seconds.toFixed(1)} s; ${states} stored states to begin from`,
    ...parameters.map((text) => `parameters of ${text}`),
    ...(report.comparison === null ? [] : renderComparison(report.comparison)),
    ...renderUnable(report),
    verdictOf(report),
  ].join('\n')
}

const countsText = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ') || 'none'

function renderUnable({ missing, missingCount, notReproducible }: ReplayReport): readonly string[] {
  const more = missingCount > missing.length ? [`… and ${missingCount - missing.length} more`] : []
  return [...renderMissing(missing), ...more, ...renderNotReproducible(notReproducible)]
}

export const renderMissing = (missing: readonly MissingInput[]): readonly string[] =>
  missing.map(({ what, why }) => `missing: ${what}: ${why}`)

export const renderNotReproducible = (unknown: readonly NotReproducible[]): readonly string[] =>
  unknown.flatMap(({ codeVersion, messages, reasons }) => [
    `not reproducible: ${messages} messages of ${codeVersion}`,
    ...reasons.map((reason) => `  ${reason}`),
  ])

function verdictOf({ missingCount, notReproducible, comparison }: ReplayReport): string {
  if (notReproducible.length > 0) return 'NOT REPRODUCIBLE here: nothing was computed or compared'
  if (missingCount > 0) return `INPUTS MISSING: ${missingCount}; nothing was compared`
  if (comparison === null) return 'replayed, not compared'
  return comparison.same ? 'IDENTICAL: every row of every table is the same' : 'DIFFERENT'
}

const headings = ['table', 'stored', 'replayed', 'differing', 'only stored', 'only replayed']

function renderComparison({ tables, rows, brokenChain, leftovers, same }: Comparison): readonly string[] {
  const cells = tables.map((each) =>
    [each.table, each.stored, each.replayed, each.differing, each.onlyStored, each.onlyReplayed].map(String),
  )
  const all = [headings, ...cells]
  const widths = headings.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  const table = all.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  )
  const total = tables.reduce((n, each) => n + each.differing + each.onlyStored + each.onlyReplayed, 0)
  return [
    '',
    ...table,
    '',
    ...rows.flatMap(renderRow),
    ...(rows.length < total ? [`… ${total - rows.length} differing rows more (--list N shows more of them)`] : []),
    ...brokenChain.map((text) => `a commit row is missing or names a wrong one: ${text}`),
    ...(leftovers > 0 ? [`${leftovers} rows belong to messages that were given up: not compared`] : []),
    ...(same ? [] : ['']),
  ]
}

function renderRow({ table, key, kind, columns }: RowDifference): readonly string[] {
  const name = Object.entries(key)
    .map(([column, value]) => `${column} ${value}`)
    .join(', ')
  return [
    `${table}  ${kind}  ${name}`,
    ...columns.map(
      ({ column, stored, replayed }) => `    ${column}: stored ${shown(stored)}, replayed ${shown(replayed)}`,
    ),
  ]
}

const longest = 300
const shown = (value: string | null): string =>
  value === null ? 'null' : value.length > longest ? `${value.slice(0, longest)}… (${value.length} characters)` : value
