import {
  auditCommits,
  type ChainBreak,
  chainBreaks,
  type CommitDamage,
  commitOutcomes,
  storedSpan,
  strayRows,
  type StrayRows,
} from '../../../shared/store/queries/commit-audit.ts'
import type { Query } from '../../../shared/store/queries/query.ts'

export interface AuditReport {
  /** Of the rows that were looked at, commit rows or not, by when they were stored; null when there are none. */
  readonly from: string | null
  readonly to: string | null
  readonly commits: Readonly<Record<string, number>>
  /** Rows missing, torn or extra. */
  readonly damaged: readonly CommitDamage[]
  /** Rows that are there more than once until they are merged; FINAL shows them once, so they are no damage. */
  readonly doubled: readonly CommitDamage[]
  readonly breaks: readonly ChainBreak[]
  /** Rows without a commit row. */
  readonly strays: readonly StrayRows[]
  /** What an owner wrote of messages that were given up then: no damage, and nobody takes them away by himself. */
  readonly leftovers: readonly StrayRows[]
  readonly ok: boolean
}

const dayMs = 86_400_000

export interface AuditOptions {
  readonly fromMs: number
  readonly toMs: number
  readonly onProgress?: (doneMs: number, totalMs: number) => void
}

/** Audits commit rows against the tables and the tables against commit rows, day by day, so that no statement has to hold more than a day's snapshots. */
export async function audit(query: Query, { onProgress, ...range }: AuditOptions): Promise<AuditReport> {
  const span = await storedSpan(query, range)
  const compared: CommitDamage[] = []
  const uncommitted: StrayRows[] = []
  for (let fromMs = span?.fromMs ?? 0; fromMs < (span?.toMs ?? 0);) {
    const day = { fromMs, toMs: Math.min(span?.toMs ?? 0, (Math.floor(fromMs / dayMs) + 1) * dayMs) }
    compared.push(...(await auditCommits(query, day)))
    uncommitted.push(...(await strayRows(query, day)))
    fromMs = day.toMs
    onProgress?.(fromMs - (span?.fromMs ?? 0), (span?.toMs ?? 0) - (span?.fromMs ?? 0))
  }
  const { damaged = [], doubled = [] } = Object.groupBy(compared, (each) =>
    kindOf(each) === 'doubled' ? 'doubled' : 'damaged',
  )
  const { strays = [], leftovers = [] } = Object.groupBy(uncommitted, ({ isGivenUp }) =>
    isGivenUp ? 'leftovers' : 'strays',
  )
  const breaks = span === null ? [] : await chainBreaks(query, span)
  return {
    from: span === null ? null : new Date(span.fromMs).toISOString(),
    to: span === null ? null : new Date(span.toMs).toISOString(),
    commits: await commitOutcomes(query, range),
    damaged,
    doubled,
    breaks,
    strays,
    leftovers,
    ok: damaged.length + breaks.length + strays.length === 0,
  }
}

/** `missing`: no row at all; `torn`: some; `extra`: a reader with FINAL sees more than promised; `doubled`: he sees what is promised. */
export function kindOf({
  promised,
  there,
  shown,
}: Pick<CommitDamage, 'promised' | 'there' | 'shown'>): 'missing' | 'torn' | 'extra' | 'doubled' {
  if (there < promised) return there === 0 ? 'missing' : 'torn'
  return shown > promised ? 'extra' : 'doubled'
}

/** One of each damaged snapshot that lacks rows, in the order of the stream: later ones rest on the states of earlier ones. */
export function lacking(damaged: readonly CommitDamage[]): readonly CommitDamage[] {
  const bySnapshot = new Map<string, CommitDamage>()
  for (const damage of damaged) if (damage.there < damage.promised) bySnapshot.set(damage.snapshotId, damage)
  return [...bySnapshot.values()].toSorted(
    (a, b) =>
      a.incarnation.localeCompare(b.incarnation) ||
      a.marketTimeMs - b.marketTimeMs ||
      a.partition - b.partition ||
      a.streamSeq - b.streamSeq,
  )
}
