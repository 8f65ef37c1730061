import { printable } from '../../shared/model/printable.ts'
import { emptyTally, type ItemResult, type Tally, tallied } from './tally.ts'

/** What an ingest did, per underlying and over all. */
export interface IngestSummary {
  readonly passes: number
  /** In order of first appearance. */
  readonly byUnderlying: ReadonlyMap<string, Tally>
  readonly totals: Tally
  /** Newest sequence of CHAINS that was acknowledged: whoever has committed it has seen everything. 0 when nothing was published. */
  readonly lastStreamSeq: number
}

export interface SummaryCollector {
  passStarted(): void
  add(underlying: string, result: ItemResult): void
  acked(streamSeq: number): void
  summary(): IngestSummary
}

export function createSummary(): SummaryCollector {
  const byUnderlying = new Map<string, Tally>()
  let passes = 0
  let totals = emptyTally
  let lastStreamSeq = 0
  return {
    passStarted: () => void (passes += 1),
    add(underlying, result) {
      byUnderlying.set(underlying, tallied(byUnderlying.get(underlying) ?? emptyTally, result))
      totals = tallied(totals, result)
    },
    acked: (streamSeq) => void (lastStreamSeq = Math.max(lastStreamSeq, streamSeq)),
    summary: () => ({ passes, byUnderlying: new Map(byUnderlying), totals, lastStreamSeq }),
  }
}

/** Returns in one sentence why an ingest gave nothing, or null when it gave at least one snapshot. */
export function fruitlessProblem(
  { totals }: Pick<IngestSummary, 'totals'>,
  {
    recordingPath,
    underlyings,
  }: { readonly recordingPath?: string | undefined; readonly underlyings: readonly string[] },
): string | null {
  if (totals.snapshots > 0) return null
  const where = recordingPath ?? 'the provider'
  if (totals.files === 0)
    return `No recording ${underlyings.length === 0 ? '' : `of ${underlyings.join(', ')} `}at ${where}`
  return `Not one snapshot at ${where}: ${grouped(totals.files)} refused (${byReason(totals.refusalsByReason)})`
}

const header = ['underlying', 'files', 'snapshots', 'contracts', 'rejects', 'refused'] as const

/** More lines than a screen has are of no use; the totals cover the rest. */
const maxLines = 60

/** Renders the counts as an aligned table, one line an underlying and one for the total. */
export function renderSummary({ byUnderlying, totals }: IngestSummary): string {
  const shown = [...byUnderlying].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, maxLines)
  const hidden = byUnderlying.size - shown.length
  const lines = [
    [...header],
    ...shown.map(([underlying, tally]) => cells(underlying, tally)),
    ...(hidden > 0 ? [[`… ${hidden} more`, '', '', '', '', '']] : []),
    cells('total', totals),
  ]
  const widths = header.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => aligned(cell, widths[column] ?? 0, column))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function cells(name: string, tally: Tally): string[] {
  return [
    // A file's own name, where it is too broken to say of what it is.
    printable(name),
    grouped(tally.files),
    grouped(tally.snapshots),
    grouped(tally.contracts),
    byReason(tally.rejectsByReason),
    byReason(tally.refusalsByReason),
  ]
}

/** Numbers to the right, words to the left. */
const aligned = (cell: string, width: number, column: number): string =>
  column >= 1 && column <= 3 ? cell.padStart(width) : cell.padEnd(width)

const grouped = (count: number): string => count.toLocaleString('en-US')

function byReason(counts: Readonly<Partial<Record<string, number>>>): string {
  const parts = Object.entries(counts).map(([reason, count]) => `${reason} ${grouped(count ?? 0)}`)
  return parts.length === 0 ? '-' : parts.join(', ')
}
