import { checkCommits, checkFence, checkOutcomes, givenUpReason } from './commit-checks.ts'
import type { Reference, Sums } from './reference.ts'

/** A commit row as it lies there, merged with no other. */
export interface CommitRow {
  readonly incarnation: string
  readonly partition: number
  readonly seq: number
  readonly previousSeq: number
  readonly messageId: string
  readonly outcome: 'stored' | 'duplicate' | 'dropped' | 'dead-lettered'
  readonly reason: string
  readonly underlying: string
  readonly epoch: number
  readonly storedAtMs: number
}

/** Rows of snapshots in one table against what their commit rows promise. */
export interface RowProblem {
  readonly table: string
  readonly snapshotId: string
  readonly promised: number
  readonly found: number
}

export interface AlertCount {
  readonly underlying: string
  readonly times: number
}

/** A partition was taken: its entry in the fence. */
export interface Taking {
  readonly partition: number
  readonly epoch: number
  readonly takenAtMs: number
}

/** All that is known of a run when everything has come to rest. */
export interface History {
  /** Message ids by underlying, in the order of their first attempt. */
  readonly attempted: ReadonlyMap<string, readonly string[]>
  readonly acked: ReadonlySet<string>
  /** Published beside them: by id, what should become of it. */
  readonly extra: ReadonlyMap<string, { readonly kind: 'undecodable' | 'copy'; readonly isAcked: boolean }>
  readonly commits: readonly CommitRow[]
  readonly takings: readonly Taking[]
  readonly rowProblems: readonly RowProblem[]
  /** By id. */
  readonly alertRows: ReadonlyMap<string, AlertCount>
  readonly alertsPublished: ReadonlyMap<string, AlertCount>
  readonly deadLetters: ReadonlySet<string>
  /** Message ids in the archive and how often; null without one. */
  readonly archived: ReadonlyMap<string, number> | null
  readonly archiveProblems: readonly string[]
  readonly sums: Sums
  readonly reference: Reference
  /** Seen while it ran. */
  readonly violations: readonly string[]
}

export interface Lost {
  readonly prefix: number
  readonly middle: number
  readonly postfix: number
}

export interface Table {
  readonly attempted: number
  readonly acked: number
  readonly stored: number
  /** Stored, but never acknowledged to the publisher. */
  readonly recovered: number
  readonly lost: Lost
  readonly unexpected: number
  readonly doubled: number
  readonly outOfOrder: number
  readonly torn: number
  /** Breaks of the `previous_seq` chains. */
  readonly chainBreaks: number
  /** Commit rows written behind a later owner's fence. */
  readonly behindFence: number
  /** A processor went back behind its own cursor, and said so. */
  readonly rewinds: number
  readonly duplicates: number
  readonly deadLettered: number
  /** By the poison rule: the owners of a message were killed three times while it was the one at risk. */
  readonly givenUp: number
  readonly alertRows: number
  readonly alertsPublished: number
  readonly alertsWrong: number
  readonly differing: number
  readonly archived: number | null
  readonly archiveWrong: number
}

export interface Verdict {
  readonly table: Table
  /** Rule and text of everything that should not be, in the order of the table. */
  readonly violations: readonly { readonly rule: string; readonly text: string }[]
}

export type Report = (rule: string, text: string) => void

/** Compares what was tried with what is there, after the queue checker of Jepsen: every message counts once, under one name. */
export function check(history: History): Verdict {
  const violations: { rule: string; text: string }[] = []
  const count = (rule: string): number => violations.filter((violation) => violation.rule === rule).length
  const report: Report = (rule, text) => void violations.push({ rule, text })
  const stored = new Map<string, CommitRow>()
  const givenUp = new Map<string, CommitRow>()
  for (const commit of history.commits) {
    if (commit.outcome === 'stored') stored.set(commit.messageId, commit)
    if (commit.reason === givenUpReason) givenUp.set(commit.messageId, commit)
  }
  for (const text of history.violations) report(ruleOf(text), text)
  const lost = checkLost(history, stored, givenUp, report)
  checkCommits(history, report)
  checkOutcomes(history, report)
  checkFence(history, report)
  checkExtra(history, report)
  checkRows(history, report)
  checkOrder(history, stored, report)
  const tainted = taintedBy(givenUp, history)
  checkAlerts(history, report, tainted)
  checkDerived(history, report, tainted)
  checkArchive(history, report)
  const ids = [...history.attempted.values()].flat()
  if (history.acked.size === 0) report('process', 'nothing was acknowledged: there is nothing to judge')
  return {
    violations,
    table: {
      attempted: ids.length,
      acked: ids.filter((id) => history.acked.has(id)).length,
      stored: ids.filter((id) => stored.has(id)).length,
      recovered: ids.filter((id) => stored.has(id) && !history.acked.has(id)).length,
      lost,
      unexpected: count('unexpected'),
      doubled: count('doubled'),
      outOfOrder: count('out of order'),
      torn: count('torn'),
      chainBreaks: count('chain'),
      behindFence: count('fence'),
      rewinds: count('rewind'),
      duplicates: history.commits.filter(({ outcome }) => outcome === 'duplicate').length,
      deadLettered: history.commits.filter(({ outcome }) => outcome === 'dead-lettered').length,
      givenUp: givenUp.size,
      alertRows: history.alertRows.size,
      alertsPublished: history.alertsPublished.size,
      alertsWrong: count('alert'),
      differing: count('derived'),
      archived: history.archived?.size ?? null,
      archiveWrong: count('archive'),
    },
  }
}

const ruleOf = (text: string): string => /^(rewind|doubled|liveness|own end|API)/.exec(text)?.[0] ?? 'process'

function checkLost(
  { attempted, acked }: History,
  stored: ReadonlyMap<string, CommitRow>,
  givenUp: ReadonlyMap<string, CommitRow>,
  report: Report,
): Lost {
  const lost = { prefix: 0, middle: 0, postfix: 0 }
  for (const [underlying, ids] of attempted) {
    const first = ids.findIndex((id) => stored.has(id))
    const last = ids.findLastIndex((id) => stored.has(id))
    for (const [i, id] of ids.entries()) {
      if (!acked.has(id) || stored.has(id) || givenUp.has(id)) continue
      const place = first === -1 || i < first ? 'prefix' : i > last ? 'postfix' : 'middle'
      lost[place] += 1
      report('lost', `${id}, number ${i} of ${underlying}, was acknowledged and is not stored (${place})`)
    }
  }
  return lost
}

/** What cannot be read is a dead letter, a copy of what is stored is a duplicate; neither is stored, at any time. */
function checkExtra({ extra, commits, deadLetters }: History, report: Report): void {
  const found = Map.groupBy(
    commits.filter(({ messageId }) => extra.has(messageId)),
    ({ messageId }) => messageId,
  )
  for (const [id, { kind, isAcked }] of extra) {
    const rows = found.get(id) ?? []
    const wanted = kind === 'copy' ? 'duplicate' : 'dead-lettered'
    if (isAcked && rows.length === 0) report('lost', `${id} was acknowledged and has no commit row`)
    for (const { outcome, reason } of rows)
      if (outcome !== wanted && reason !== givenUpReason)
        report('unexpected', `${id} is ${outcome}, expected ${wanted}`)
    if (kind === 'undecodable' && rows.length > 0 && !deadLetters.has(id))
      report('lost', `${id} is dead-lettered and not kept`)
  }
}

function checkRows({ rowProblems }: History, report: Report): void {
  for (const { table, snapshotId, promised, found } of rowProblems) {
    const text = `${table} has ${found} rows of ${snapshotId}, its commit row promises ${promised}`
    report(promised === 0 ? 'unexpected' : found < promised ? 'torn' : 'doubled', text)
  }
}

/** Within an underlying the stream, and so the rows, are in the order of the attempts. */
function checkOrder({ attempted }: History, stored: ReadonlyMap<string, CommitRow>, report: Report): void {
  for (const [underlying, ids] of attempted) {
    let before: CommitRow | undefined
    for (const id of ids) {
      const commit = stored.get(id)
      if (commit === undefined) continue
      const isOlder = before !== undefined && before.incarnation === commit.incarnation && before.seq > commit.seq
      if (isOlder) report('out of order', `${id} of ${underlying} stands at ${commit.seq}, behind ${before?.seq}`)
      before = commit
    }
  }
}

/** Where a message was given up the figures after it rest on another past than the reference's. */
function taintedBy(givenUp: ReadonlyMap<string, CommitRow>, { attempted }: History): ReadonlySet<string> {
  return new Set(
    [...attempted].filter(([, ids]) => ids.some((id) => givenUp.has(id))).map(([underlying]) => underlying),
  )
}

/** Those of other underlyings than the tainted are the undisturbed run's, each in the table and on the stream. */
function checkAlerts(
  { alertRows, alertsPublished, reference }: History,
  report: Report,
  tainted: ReadonlySet<string>,
): void {
  for (const [id, { underlying, times }] of alertRows) {
    if (times !== 1) report('alert', `${id} has ${times} rows`)
    if (!alertsPublished.has(id)) report('alert', `${id} has its row and was never published`)
    if (!tainted.has(underlying) && !reference.alerts.has(id)) report('alert', `${id} is none of an undisturbed run`)
  }
  for (const [id, { underlying }] of alertsPublished)
    if (!alertRows.has(id) && !tainted.has(underlying)) report('alert', `${id} was published and has no row`)
  for (const [id, underlying] of reference.alerts)
    if (!alertRows.has(id) && !tainted.has(underlying)) report('alert', `${id} of an undisturbed run is missing`)
}

function checkDerived({ sums, reference }: History, report: Report, tainted: ReadonlySet<string>): void {
  for (const key of new Set([...sums.keys(), ...reference.sums.keys()])) {
    const [found, wanted] = [sums.get(key) ?? 'nothing', reference.sums.get(key) ?? 'nothing']
    if (found !== wanted && !tainted.has(key.split(' ')[1] ?? ''))
      report('derived', `${key}: ${found}; an undisturbed run has ${wanted}`)
  }
}

function checkArchive({ archived, archiveProblems, acked, extra }: History, report: Report): void {
  for (const problem of archiveProblems) report('archive', problem)
  if (archived === null) return
  const wanted = [...acked, ...[...extra].filter(([, { isAcked }]) => isAcked).map(([id]) => id)]
  for (const id of wanted) if (!archived.has(id)) report('archive', `${id} was acknowledged and is not in the archive`)
  for (const [id, times] of archived) if (times > 1) report('archive', `${id} is in the archive ${times} times`)
}
