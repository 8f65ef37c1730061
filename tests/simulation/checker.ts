import { type RowTable, rowTables } from '../../services/processor/delivery/ports.ts'
import { committedSeqs, type Scene } from './disturbances.ts'
import { byEpoch, commitsOf } from './ledger-model.ts'
import { type Expected, expectedOf, incarnationOrder, type Reference } from './reference.ts'
import type { Commit } from './sink-rows.ts'

/** A rule that does not hold. */
export interface Violation {
  readonly rule: string
  readonly text: string
}

/** The table of a run: what happened to the messages. */
export interface Tally {
  published: number
  commits: number
  stored: number
  duplicate: number
  deadLettered: number
  alerts: number
  rows: number
}

export interface Verdict {
  readonly violations: readonly Violation[]
  readonly tally: Tally
}

export interface History {
  /** By partition, incarnation and sequence: how often an owner died over it, by the record in the bucket. */
  readonly deaths: ReadonlyMap<string, number>
  /** Partitions in which a message was given up: what had been computed after it is written once more, without it. */
  readonly rewritten: ReadonlySet<number>
}

/** Looks at everything that is there in the end, and compares it with one undisturbed pass over the same messages. */
export function check(scene: Scene, history: History): Verdict {
  const violations: Violation[] = []
  const report = (rule: string, text: string): void => void violations.push({ rule, text })
  const tally: Tally = {
    published: scene.publisher.published.size,
    commits: 0,
    stored: 0,
    duplicate: 0,
    deadLettered: 0,
    alerts: scene.backends.alerts.alerts.size,
    rows: 0,
  }
  const stored = new Map<string, Expected>()
  const context = { scene, history, report, tally, stored }
  checkLost(context)
  for (let partition = 0; partition < scene.partitions; partition += 1) checkPartition(context, partition)
  checkStrayRows(context)
  checkAlerts(context)
  return { violations, tally }
}

interface Context {
  readonly scene: Scene
  readonly history: History
  readonly report: (rule: string, text: string) => void
  readonly tally: Tally
  /** What should be there, by snapshot. */
  readonly stored: Map<string, Expected>
}

function checkLost({ scene, report }: Context): void {
  const committed = committedSeqs(scene)
  for (const { streamSeq, messageId, partition } of scene.backends.stream.all()) {
    if (!committed.has(streamSeq))
      report('lost', `${messageId} at ${streamSeq} of partition ${partition}: no commit row`)
  }
}

function checkPartition(context: Context, partition: number): void {
  const { scene, report } = context
  const commits = commitsOf(scene.backends.sink, partition).toSorted(
    (a, b) => incarnationOrder(a.incarnation) - incarnationOrder(b.incarnation) || a.streamSeq - b.streamSeq,
  )
  const reference: Reference = { states: new Map(), stored: context.stored }
  let before: Commit | null = null
  for (const commit of commits) {
    const isSame = before?.incarnation === commit.incarnation
    if (isSame && before !== null && commit.previousSeq !== before.streamSeq)
      report(
        'chain',
        `${commit.streamSeq} of ${commit.incarnation} names ${commit.previousSeq}, not ${before.streamSeq}`,
      )
    before = commit
    checkCommit(context, commit, reference)
  }
}

function checkCommit(context: Context, commit: Commit, reference: Reference): void {
  const { scene, report, tally, history } = context
  const { messageId, streamSeq, outcome, partition, incarnation, reason } = commit
  const at = `${messageId} at ${streamSeq} of partition ${partition} (${incarnation})`
  tally.commits += 1
  tally[outcome === 'dead-lettered' ? 'deadLettered' : outcome === 'stored' ? 'stored' : 'duplicate'] += 1
  const published = scene.publisher.published.get(messageId)
  if (published === undefined) return report('unexpected', `${at} was never published`)
  // The same content fetched again has the same id under another time.
  const body = commit.outcome === 'dead-lettered' ? published : { ...published, marketTimeMs: commit.marketTimeMs }
  const isGivenUp = reason === 'crashed_processor'
  if (isGivenUp && (history.deaths.get(`${incarnation}/${partition}/${streamSeq}`) ?? 0) < 2)
    report('given up', `${at} was given up before two deaths over it`)
  const expected = expectedOf(body, isGivenUp, reference)
  if (expected.outcome !== outcome) {
    const rule = expected.outcome === 'stored' ? 'lost' : outcome === 'stored' ? 'doubled' : 'outcome'
    return report(rule, `${at} is ${outcome}, expected ${expected.outcome}`)
  }
  if (outcome === 'dead-lettered' && body.kind !== 'unkeepable') checkDeadLetter(context, commit, at)
  if (expected.outcome === 'stored') checkStored(context, commit, expected, at)
}

function checkDeadLetter({ scene, report }: Context, { messageId, streamSeq }: Commit, at: string): void {
  const kept = scene.backends.alerts.deadLetters.get(messageId) ?? []
  if (!kept.some((letter) => letter.startsWith(`${streamSeq} `))) report('dead letter', `${at} was not kept`)
}

function checkStored(context: Context, commit: Commit, expected: Expected, at: string): void {
  const { scene, report, tally, history } = context
  const isTainted = hasNoReference(context, commit.partition, expected.key)
  const alertId = `alert-${commit.snapshotId}`
  if (commit.counts.alerts > 0 && !scene.backends.alerts.alerts.has(alertId))
    report('alert', `${alertId} of ${at} has its row and was never published`)
  for (const table of rowTables) {
    const rows = scene.backends.sink.rows.get(table)?.get(commit.snapshotId ?? '')
    const epochs = byEpoch(rows)
    const promised = commit.counts[table]
    const final = new Map<number, { epoch: number; content: string }>()
    for (const [epoch, own] of epochs) {
      tally.rows += own.length
      if (new Set(own.map(({ ordinal }) => ordinal)).size !== own.length)
        report('doubled', `${at}: ${table} has a row twice in epoch ${epoch}`)
      for (const { ordinal, content } of own)
        if ((final.get(ordinal)?.epoch ?? 0) <= epoch) final.set(ordinal, { epoch, content })
    }
    const wholes = [...epochs.values()].filter((own) => own.length >= promised && promised > 0)
    if (wholes.length > 1 && !isTainted && !history.rewritten.has(commit.partition))
      report('doubled', `${at}: ${table} is there whole in epochs ${wholes.map((own) => own[0]?.epoch).join(' and ')}`)
    if (final.size < promised) report('torn', `${at}: ${table} has ${final.size} of ${promised} rows`)
    if (isTainted) continue
    const contents = [...final].toSorted(([a], [b]) => a - b).map(([, { content }]) => content)
    const wanted = expected.content?.[table] ?? []
    // Writing once more takes nothing away: an alert that rested on what was given up has been retracted, and keeps its row.
    if (wanted.length === 0 && history.rewritten.has(commit.partition)) continue
    if (contents.join('\n') !== wanted.join('\n'))
      report(ruleOf(table), `${at}: ${table} has ${contents.join(' | ')}, expected ${wanted.join(' | ')}`)
  }
}

/** True where nobody can say what an undisturbed pass would have made of what is there. */
function hasNoReference({ scene, history }: Context, partition: number, key: string): boolean {
  // Who forgets that a message was given up counts it in again: with its commit row, or with the range in flight.
  const mayForget = scene.past.hadPowerCut || scene.backends.cursors.generation > 1
  return (history.rewritten.has(partition) && mayForget) || scene.tainted.has(key)
}

const ruleOf = (table: RowTable): string => (table === 'states' || table === 'chains' ? 'state' : 'rows')

/** Rows nobody answers for: of snapshots that are not stored, while their message is there and can be read. */
function checkStrayRows({ scene, report, stored }: Context): void {
  const { sink, stream } = scene.backends
  const there = new Map(stream.all().map(({ body }) => [body.snapshotId, body]))
  for (const [table, snapshots] of sink.rows) {
    for (const [snapshotId, rows] of snapshots) {
      if (stored.has(snapshotId) || byEpoch(rows).size === 0) continue
      const body = there.get(snapshotId)
      const isDead = scene.backends.alerts.deadLetters.has(snapshotId)
      if (body !== undefined && !isDead) report('unexpected', `${table} has rows of ${snapshotId}, which is not stored`)
    }
  }
}

/** What was published of an alert is always the same, and what an undisturbed pass raises; that it was, `checkStored` sees. */
function checkAlerts(context: Context): void {
  const { scene, report, stored } = context
  const { rewritten } = context.history
  const { alerts } = scene.backends.alerts
  const { partitionOf } = scene.publisher
  for (const { content, key } of stored.values()) {
    if (hasNoReference(context, partitionOf(key), key)) continue
    for (const wanted of content?.alerts ?? []) {
      const id = wanted.slice(0, wanted.indexOf(' '))
      const isRewritten = rewritten.has(partitionOf(key))
      const other = isRewritten ? undefined : alerts.get(id)?.find((each) => each !== wanted)
      if (other !== undefined) report('alert', `${id} was published as ${other}, expected ${wanted}`)
    }
  }
  for (const id of alerts.keys()) {
    const snapshotId = id.slice('alert-'.length)
    const expected = stored.get(snapshotId)
    if (expected === undefined || scene.tainted.has(expected.key) || rewritten.has(partitionOf(expected.key))) continue
    if (expected.content?.alerts.some((wanted) => wanted.startsWith(`${id} `)) !== true)
      report('alert', `${id} was published, but an undisturbed run raises no such alert`)
  }
}
