import type { PublisherNumbers, UnderlyingCompleteness } from '../../../shared/store/queries/gaps.ts'
import type { GapRun } from './runs.ts'

export interface GapReport {
  readonly session: string
  readonly floor: number
  readonly underlyings: readonly (UnderlyingCompleteness & { readonly completeness: number | null })[]
  readonly runs: readonly GapRun[]
  readonly publishers: readonly (PublisherNumbers & { readonly unaccounted: number })[]
  /** True when no underlying is below the floor. */
  readonly ok: boolean
}

/** Share of the expected slots that brought a chain; null where none is expected. */
export const completeness = ({ expected, missing }: Pick<UnderlyingCompleteness, 'expected' | 'missing'>) =>
  expected === 0 ? null : (expected - missing) / expected

/** Not where chains were acknowledged and not one is stored: nothing is known then, least of all that nothing is missing. */
export const isAtFloor = (
  row: Pick<UnderlyingCompleteness, 'expected' | 'missing' | 'pending'>,
  floor: number,
): boolean => (completeness(row) ?? (row.pending > 0 ? 0 : 1)) >= floor

const maxRuns = 200

/** Renders the report for a person: the incomplete ones first, then each gap with its reason. */
export function renderGaps({ session, underlyings, runs, publishers, ok, floor }: GapReport): string {
  const worstFirst = underlyings.toSorted((a, b) => (a.completeness ?? 2) - (b.completeness ?? 2))
  const incomplete = worstFirst.filter(({ missing, late, pending }) => missing + late + pending > 0)
  const lines = [
    `session ${session}: ${underlyings.length} underlyings, ${underlyings.length - incomplete.length} complete`,
    '',
    ...table([
      [
        'underlying',
        'provider',
        'complete',
        'expected',
        'delivered',
        'unchanged',
        'late',
        'missing',
        'pending',
        'assumed',
      ],
      ...(incomplete.length === 0 ? worstFirst.slice(0, 20) : incomplete).map((row) => [
        row.underlying,
        row.provider,
        row.completeness === null ? '-' : `${(100 * row.completeness).toFixed(2)} %`,
        ...[row.expected, row.delivered, row.unchanged, row.late, row.missing, row.pending, row.assumed].map(String),
      ]),
    ]),
    '',
    ...(runs.length === 0 ? ['no gaps'] : table(runs.slice(0, maxRuns).map(runCells))),
    ...(runs.length > maxRuns ? [`… ${runs.length - maxRuns} more gaps: narrow it with --underlying`] : []),
    ...publishers
      .filter(({ unaccounted }) => unaccounted > 0)
      .map(
        ({ publisher, unaccounted, acked }) =>
          `${publisher}: ${unaccounted} of ${acked} acknowledged messages are not stored yet (on their way while this number falls, otherwise lost)`,
      ),
    '',
    ok ? `complete to ${100 * floor} % or better` : `below ${100 * floor} %`,
  ]
  return lines.join('\n')
}

function runCells({ underlying, provider, fromMs, toMs, slots, state, reason, detail }: GapRun): string[] {
  const from = clock(fromMs)
  const span = slots === 1 ? from : `${from} to ${clock(toMs)}`
  return [
    underlying,
    provider,
    `${span} UTC`,
    `${slots} slot${slots === 1 ? '' : 's'}`,
    reason === '' ? state : reason,
    detail,
  ]
}

const clock = (ms: number): string => new Date(ms).toISOString().slice(11, 16)

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
