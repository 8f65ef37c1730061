import { deadLetters } from '../../shared/bus/dead-letters.ts'
import type { Bus } from '../../shared/bus/connect.ts'
import { openOrderedSource } from '../../shared/bus/ordered-source.ts'
import { streamInfo } from '../../shared/bus/streams.ts'
import { readArchive } from '../../shared/archive/reader.ts'
import { verifyArchive } from '../../shared/archive/verify.ts'
import { uuidOf } from '../../shared/model/uuid.ts'
import type { Query } from '../../shared/store/queries/query.ts'
import type { AlertCount, CommitRow, History, RowProblem, Taking } from './checker.ts'
import { readJournals } from './journal.ts'
import { type Reference, sumsOf } from './reference.ts'
import type { ExtraMessage } from './scene.ts'

export interface HistorySources {
  readonly bus: Bus
  readonly query: Query
  readonly attempts: Attempts
  readonly extra?: ReadonlyMap<string, ExtraMessage>
  /** Null where there was no archiver. */
  readonly archive?: string | null
  readonly violations?: readonly string[]
  readonly isFinal?: boolean
}

/** The id `chainMessage` gives. */
export const messageIdOf = (underlying: string, step: number): string =>
  uuidOf('test', 'test', underlying, String(step))

export interface Attempts {
  readonly attempted: ReadonlyMap<string, readonly string[]>
  readonly acked: ReadonlySet<string>
}

export function attemptsIn(journals: readonly string[]): Attempts {
  const { attempted, acked } = readJournals(journals)
  return {
    attempted: new Map([...attempted].map(([name, steps]) => [name, steps.map((step) => messageIdOf(name, step))])),
    acked: new Set([...acked].flatMap(([name, steps]) => [...steps].map((step) => messageIdOf(name, step)))),
  }
}

/** Steps of each underlying that are stored, in order: what an undisturbed run has to be given. */
export async function storedSteps(
  query: Query,
  journals: readonly string[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const rows = await query.rows<{ id: string }>(
    `SELECT DISTINCT message_id AS id FROM snapshots_v1 WHERE outcome = 'stored'`,
  )
  const stored = new Set(rows.map(({ id }) => id))
  const { attempted } = readJournals(journals)
  return new Map(
    [...attempted].map(([name, steps]) => [name, steps.filter((step) => stored.has(messageIdOf(name, step)))]),
  )
}

/** Reads everything that is there in the end. */
export async function readHistory(sources: HistorySources, reference: Reference): Promise<History> {
  const { bus, query, attempts, extra = new Map(), archive = null, violations = [], isFinal = false } = sources
  const letters = await Array.fromAsync(deadLetters(bus))
  return {
    ...attempts,
    extra,
    commits: await commitsIn(query),
    takings: await takingsIn(query),
    rowProblems: await rowProblemsIn(query, isFinal),
    alertRows: await alertRowsIn(query, isFinal),
    alertsPublished: await alertsOn(bus),
    deadLetters: new Set(letters.map(({ messageId }) => messageId ?? '')),
    ...(await archiveIn(archive)),
    sums: await sumsOf(query, { isFinal }),
    reference,
    violations,
  }
}

const commitsIn = (query: Query): Promise<readonly CommitRow[]> =>
  query.rows<CommitRow>(
    `SELECT incarnation, partition, stream_seq AS seq, previous_seq AS previousSeq, message_id AS messageId,
       toString(outcome) AS outcome, reason, underlying, epoch, toUnixTimestamp64Milli(stored_at) AS storedAtMs
     FROM snapshots_v1 ORDER BY partition, seq`,
  )

const takingsIn = (query: Query): Promise<readonly Taking[]> =>
  query.rows<Taking>(
    `SELECT partition, epoch, toUnixTimestamp64Milli(taken_at) AS takenAtMs FROM partition_epochs_v1 ORDER BY partition, epoch`,
  )

/** Tables, and how many rows of them a commit row promises: written down here once more, independent of the product. */
export const promises = [
  ['option_quotes_v1', 'n_quotes'],
  ['expiry_features_v1', 'n_expiries'],
  ['chain_features_v1', 'n_chains'],
  ['alerts_v1', 'n_alerts'],
  ['quote_rejects_v1', 'n_rejects'],
  ['detector_states_v1', 'if(late, 0, 1)'],
] as const

/** Snapshots that have other than the promised number of rows, and rows of snapshots nobody stored. */
export async function rowProblemsIn(query: Query, isFinal: boolean): Promise<readonly RowProblem[]> {
  const problems: RowProblem[] = []
  for (const [table, column] of promises) {
    const rows = await query.rows<Omit<RowProblem, 'table'>>(
      `SELECT toString(snapshot_id) AS snapshotId, max(promised) AS promised, sum(n) AS found FROM (
         SELECT snapshot_id, max(${column}) AS promised, 0 AS n FROM snapshots_v1 WHERE outcome = 'stored' GROUP BY snapshot_id
         UNION ALL
         SELECT snapshot_id, 0 AS promised, count() AS n FROM ${table} ${isFinal ? 'FINAL' : ''} GROUP BY snapshot_id)
       GROUP BY snapshot_id HAVING promised != found LIMIT 1000`,
    )
    problems.push(...rows.map((row) => ({ ...row, table })))
  }
  return problems
}

export async function alertRowsIn(query: Query, isFinal: boolean): Promise<ReadonlyMap<string, AlertCount>> {
  const rows = await query.rows<AlertCount & { id: string }>(
    `SELECT toString(alert_id) AS id, any(underlying) AS underlying, count() AS times
     FROM (SELECT alert_id, underlying FROM alerts_v1 ${isFinal ? 'FINAL' : ''}) GROUP BY id`,
  )
  return new Map(rows.map(({ id, underlying, times }) => [id, { underlying, times }]))
}

/** Message ids on `alerts.>`, how often each; retractions are not alerts. */
async function alertsOn(bus: Bus): Promise<ReadonlyMap<string, AlertCount>> {
  const published = new Map<string, AlertCount>()
  const { lastSeq, messages } = await streamInfo(bus, 'ALERTS')
  if (messages === 0) return published
  await using source = await openOrderedSource(bus, { stream: 'ALERTS', filterSubject: 'alerts.>', fromSeq: 1 })
  for await (const { messageId, subject, streamSeq } of source) {
    const id = messageId ?? ''
    const underlying = subject.split('.')[3] ?? ''
    if (!subject.startsWith('alerts.info.retraction.'))
      published.set(id, { underlying, times: (published.get(id)?.times ?? 0) + 1 })
    if (streamSeq >= lastSeq) break
  }
  return published
}

async function archiveIn(directory: string | null): Promise<Pick<History, 'archived' | 'archiveProblems'>> {
  if (directory === null) return { archived: null, archiveProblems: [] }
  const { damaged, breaks, unlisted, missingMessages } = await verifyArchive(directory)
  const archived = new Map<string, number>()
  for await (const { headers } of readArchive({ directory, onDamage: () => {} })) {
    const id = headers.get('Nats-Msg-Id') ?? ''
    archived.set(id, (archived.get(id) ?? 0) + 1)
  }
  const archiveProblems = [
    ...damaged.map(({ path, problem }) => `${path}: ${problem}`),
    ...breaks,
    ...unlisted.map((path) => `${path} has no entry`),
    ...(missingMessages > 0 ? [`${missingMessages} messages were discarded before they were archived`] : []),
  ]
  return { archived, archiveProblems }
}
