import type { CommitDamage, StrayRows } from '../../../shared/store/queries/commit-audit.ts'
import { type AuditReport, kindOf } from './audit.ts'
import type { Repaired } from './repair.ts'

const mostLines = 40

/** The report for a person: totals, then each table and kind, then what it is about. */
export function renderAudit({
  from,
  to,
  commits,
  damaged,
  doubled,
  breaks,
  strays,
  leftovers,
  ok,
}: AuditReport): string {
  if (from === null || to === null) return 'no rows and no commit rows in this range'
  const all = Object.values(commits).reduce((sum, n) => sum + n, 0)
  const outcomes = Object.entries(commits).map(([outcome, n]) => `${n} ${outcome}`)
  return [
    `${all} commit rows stored from ${from} to ${to}: ${outcomes.join(', ') || 'none'}`,
    ...damageLines(damaged),
    ...totalLines(doubled).map((line) => `${line}, until merged; FINAL shows them once`),
    ...breaks
      .slice(0, mostLines)
      .map(
        ({ incarnation, partition, streamSeq, previousSeq, beforeSeq }) =>
          `chain broken: partition ${partition} (${incarnation}): ${streamSeq} names ${previousSeq}, the one before it is ${beforeSeq}`,
      ),
    ...strays
      .slice(0, mostLines)
      .map(
        ({ table, snapshotId, underlying, rows }) =>
          `no commit row: ${table} has ${rows} rows of ${underlying} ${snapshotId}`,
      ),
    ...more(Math.max(breaks.length, strays.length)),
    ...leftoverLines(leftovers),
    ok
      ? 'every commit row has its rows, and the chain is unbroken'
      : `${new Set(damaged.map(({ snapshotId }) => snapshotId)).size} snapshots damaged, ${breaks.length} breaks of the chain, ${strays.length} snapshots and tables without a commit row`,
  ].join('\n')
}

function damageLines(damaged: readonly CommitDamage[]): readonly string[] {
  const cells = damaged.slice(0, mostLines).map((damage) => {
    const { table, underlying, provider, marketTimeMs, promised, there, shown, partition, streamSeq } = damage
    const at = new Date(marketTimeMs).toISOString()
    const rows = kindOf(damage) === 'extra' ? shown : there
    return `  ${kindOf(damage)}  ${table}  ${underlying} ${provider} ${at}  ${rows} of ${promised} rows  partition ${partition}, message ${streamSeq}`
  })
  return [...totalLines(damaged), ...cells, ...more(damaged.length)]
}

function leftoverLines(leftovers: readonly StrayRows[]): readonly string[] {
  const tables = Map.groupBy(leftovers, ({ table }) => table)
  return [...tables].map(([table, own]) => {
    const ids = own.slice(0, mostLines).map(({ snapshotId }) => `'${snapshotId}'`)
    const rest = own.length > ids.length ? `, and so on with ${own.length - ids.length} more (--json has all)` : ''
    return `left over, of messages that were given up: ${table}; to take them away: DELETE FROM ${table} WHERE snapshot_id IN (${ids.join(', ')})${rest}`
  })
}

function totalLines(damaged: readonly CommitDamage[]): readonly string[] {
  const groups = Map.groupBy(damaged, (damage) => `${damage.table} ${kindOf(damage)}`)
  return [...groups].map(([name, own]) => `${name}: ${own.length} snapshots`)
}

const more = (count: number): readonly string[] =>
  count > mostLines ? [`  … ${count - mostLines} more: --json has all`] : []

/** What the repair has done, and what a person has to do where it could not. */
export function renderRepair({ repaired, waiting, untried, gone }: Repaired): string {
  return [
    `${repaired} snapshots written again`,
    ...(waiting.length > 0
      ? [
          `${waiting.length} snapshots were published again and are not whole: is a processor running, and does it say why it waits? One that runs and says nothing computes other counts than the commit row has.`,
        ]
      : []),
    ...(untried.length > 0
      ? [`${untried.length} snapshots were not tried: nobody reads what was published for those before them`]
      : []),
    ...(gone.length > 0
      ? [
          `${gone.length} snapshots are no longer in the stream. From the archive, into the running stack:`,
          `  ${restoreCommand(gone)}`,
          'Its copies of what is whole are recognised and change nothing. Then verify again.',
        ]
      : []),
  ].join('\n')
}

/** The restore that brings the messages back: the span of their market times, and their underlyings. */
export function restoreCommand(gone: readonly CommitDamage[]): string {
  const times = gone.map(({ marketTimeMs }) => marketTimeMs)
  const [from, to] = [Math.min(...times), Math.max(...times) + 1].map((ms) => new Date(ms).toISOString())
  const underlyings = [...new Set(gone.map(({ underlying }) => underlying))].toSorted()
  return `strikeflow archive restore --append --from ${from} --to ${to} --underlyings ${quoted(underlyings.join(','))}`
}

/** As a shell takes it: & and ^ are letters of some. */
const quoted = (text: string): string => (/^[\w.,-]+$/.test(text) ? text : `'${text}'`)
