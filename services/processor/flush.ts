import type { Delivery } from '../../shared/bus/ordered-source.ts'
import { type Alert, severities } from '../../shared/model/alert.ts'
import { type OutcomeName, outcomes } from '../../shared/model/outcome.ts'
import type { Snapshot, SnapshotMeta } from '../../shared/model/snapshot.ts'
import { TableBuffer } from '../../shared/store/table-buffer.ts'
import {
  alertRows,
  chainFeatures,
  commitRows,
  detectorStates,
  expiryFeatures,
  optionQuotes,
  quoteRejects,
} from '../../shared/store/tables.ts'
import type { ComputedChain } from '../../shared/model/features.ts'
import { appendPublication } from './publication.ts'
import { appendChain, appendExpiries, appendKey, appendQuotes, type Writer } from './rows.ts'
import type { Standing } from './key-states.ts'

/** What the commit row says of a message's way; its payload is not kept. */
export type DeliveryFacts = Pick<Delivery, 'streamSeq' | 'previousSeq' | 'messageId' | 'publishedAtMs' | 'publisher'>

/** One message with what became of it, ready to be written. */
export interface Processed {
  readonly delivery: DeliveryFacts
  readonly partition: number
  readonly outcome: OutcomeName
  /** Empty when it was stored. */
  readonly reason: string
  readonly snapshot: Snapshot | null
  readonly standing: Standing
  readonly computed: ComputedChain | null
  readonly alerts: readonly Alert[]
  /** JSON of the key's state after this snapshot; null when it touches none. */
  readonly state: string | null
}

/** Tables whose rows belong to a snapshot, in the order they are inserted. The commit rows are not among them: they come last. */
export const rowTables = ['quotes', 'expiries', 'chains', 'rejects', 'alerts', 'states'] as const
export type RowTable = (typeof rowTables)[number]
export type RowCounts = Readonly<Record<RowTable, number>>

/** A message that is done, waiting for its commit row. */
interface PendingCommit extends Pick<Processed, 'delivery' | 'partition' | 'outcome' | 'reason' | 'standing'> {
  readonly meta: SnapshotMeta | null
  readonly counts: RowCounts
}

/** The rows of one flush, growing as messages are processed. Reused: `reset` keeps the memory. */
export class Flush {
  readonly quotes = new TableBuffer(optionQuotes)
  readonly expiries = new TableBuffer(expiryFeatures)
  readonly chains = new TableBuffer(chainFeatures)
  readonly rejects = new TableBuffer(quoteRejects)
  readonly alerts = new TableBuffer(alertRows)
  readonly states = new TableBuffer(detectorStates)
  readonly commits = new TableBuffer(commitRows)
  /** Snapshots this flush stores. */
  readonly stored = new Set<string>()
  /** By table: the rows of each snapshot that this flush writes. What a dead owner wrote already is not among them. */
  readonly appended: Readonly<Record<RowTable, Map<string, number>>> = {
    quotes: new Map(),
    expiries: new Map(),
    chains: new Map(),
    rejects: new Map(),
    alerts: new Map(),
    states: new Map(),
  }
  /** Publishes that must be acknowledged before the commit rows. */
  readonly publishes: Promise<unknown>[] = []
  /** Earliest and latest market time of its rows, to find them again. */
  marketTimesMs: { from: number; to: number } = { from: Infinity, to: -Infinity }
  readonly #pendingCommits: PendingCommit[] = []

  get messages(): number {
    return this.#pendingCommits.length
  }

  /** Messages by what became of them. */
  get outcomes(): ReadonlyMap<OutcomeName, number> {
    return tally(this.#pendingCommits.map(({ outcome }) => outcome))
  }

  /** Refused contract rows of the stored snapshots by reason. */
  get rejectReasons(): ReadonlyMap<string, number> {
    const stored = this.#pendingCommits.filter(({ outcome }) => outcome === 'stored')
    return tally(stored.flatMap(({ meta }) => (meta?.rejects ?? []).map(({ reason }) => reason)))
  }

  /**
   * Adds a processed message. `present` are rows of it that a dead owner already wrote: a table that holds all of them is
   * left alone, one that holds some is written whole again and the higher epoch wins.
   */
  add(processed: Processed, writer: Writer, present: RowCounts | undefined): void {
    const counts = countsOf(processed)
    if (processed.outcome === 'stored' && processed.snapshot !== null) {
      const { snapshotId, marketTimeMs } = processed.snapshot.meta
      this.stored.add(snapshotId)
      this.marketTimesMs.from = Math.min(this.marketTimesMs.from, marketTimeMs)
      this.marketTimesMs.to = Math.max(this.marketTimesMs.to, marketTimeMs)
      for (const table of rowTables) {
        if (counts[table] === 0 || present?.[table] === counts[table]) continue
        this.#append(table, processed, processed.snapshot, writer)
        this.appended[table].set(snapshotId, counts[table])
      }
    }
    // Not the snapshot itself: its columns are large, and a slow sink may keep thousands of messages waiting.
    const { delivery, partition, outcome, reason, standing, snapshot } = processed
    this.#pendingCommits.push({ delivery, partition, outcome, reason, standing, meta: snapshot?.meta ?? null, counts })
  }

  #append(table: RowTable, processed: Processed, snapshot: Snapshot, writer: Writer): void {
    const { computed, alerts, state, standing } = processed
    const { meta } = snapshot
    switch (table) {
      case 'quotes':
        return computed === null ? undefined : appendQuotes(this.quotes, snapshot, computed.contracts, writer)
      case 'expiries':
        return appendExpiries(this.expiries, meta, computed?.expiries ?? [], writer)
      case 'chains':
        return computed?.chain ? appendChain(this.chains, meta, computed.chain, standing, writer) : undefined
      case 'rejects':
        return this.#appendRejects(meta, writer)
      case 'alerts':
        for (const alert of alerts) this.#appendAlert(meta, alert, writer)
        return undefined
      case 'states':
        return state === null ? undefined : this.#appendState(meta, state, writer)
    }
  }

  #appendRejects(meta: SnapshotMeta, writer: Writer): void {
    const { columns } = this.rejects
    meta.rejects.forEach(({ symbol, reason, detail }, ordinal) => {
      appendKey(columns, meta, writer)
      columns.ordinal.append(ordinal)
      columns.symbol.appendText(symbol)
      columns.reason.appendText(reason)
      columns.detail.appendText(detail)
    })
  }

  #appendAlert(meta: SnapshotMeta, { id, data }: Alert, writer: Writer): void {
    const { columns } = this.alerts
    appendKey(columns, meta, writer)
    columns.alert_id.appendText(id)
    columns.scan_id.appendText(data.scanId)
    columns.detector.appendText(data.detector)
    columns.detector_version.append(data.detectorVersion)
    columns.parameters_hash.appendText(data.parametersHash)
    columns.severity.append(severities.indexOf(data.severity) + 1)
    columns.score.append(data.score)
    columns.message.appendText(data.message)
    columns.evidence.appendText(JSON.stringify(data.evidence))
    columns.inputs.appendText(data.inputs.join(','))
    columns.quality.append(data.quality)
    columns.contract_completeness.append(data.contractCompleteness)
    columns.slot_completeness.append(data.slotCompleteness)
    columns.staleness_s.append(data.stalenessS)
    columns.replayed.append(Number(data.replayed))
  }

  #appendState(meta: SnapshotMeta, state: string, writer: Writer): void {
    appendKey(this.states.columns, meta, writer)
    this.states.columns.state.appendText(state)
  }

  /** Fills the commit rows, in the order of the stream. Called once, when nothing more is added. */
  seal(incarnation: string, writer: Writer): void {
    const inOrder = this.#pendingCommits.toSorted((a, b) => a.delivery.streamSeq - b.delivery.streamSeq)
    for (const commit of inOrder) this.#appendCommit(commit, incarnation, writer)
  }

  #appendCommit({ delivery, meta, counts, ...commit }: PendingCommit, incarnation: string, writer: Writer): void {
    const { columns } = this.commits
    columns.incarnation.appendText(incarnation)
    columns.partition.append(commit.partition)
    columns.stream_seq.append(delivery.streamSeq)
    columns.previous_seq.append(delivery.previousSeq)
    columns.message_id.appendText(delivery.messageId ?? '')
    columns.outcome.append(outcomes[commit.outcome])
    columns.reason.appendText(commit.reason)
    columns.snapshot_id.appendText(meta?.snapshotId ?? nilUuid)
    columns.content_hash.appendText(meta?.contentHash ?? '')
    columns.provider.appendText(meta?.provider ?? '')
    columns.underlying.appendText(meta?.underlying ?? '')
    columns.scan_id.appendText(meta?.scanId ?? '')
    columns.market_time.append(meta?.marketTimeMs ?? 0)
    columns.received_at.append(meta?.receivedAtMs ?? 0)
    columns.published_at.append(delivery.publishedAtMs)
    columns.content_unchanged.append(Number(commit.standing.contentUnchanged))
    columns.late.append(Number(commit.standing.late))
    columns.n_quotes.append(counts.quotes)
    columns.n_expiries.append(counts.expiries)
    columns.n_chains.append(counts.chains)
    columns.n_alerts.append(counts.alerts)
    columns.n_rejects.append(counts.rejects)
    appendPublication(columns, delivery.publisher, meta)
    columns.epoch.append(writer.epoch)
    columns.code_version.appendText(writer.codeVersion)
  }

  reset(): void {
    for (const table of rowTables) this[table].reset()
    this.commits.reset()
    this.stored.clear()
    for (const table of rowTables) this.appended[table].clear()
    this.publishes.length = 0
    this.#pendingCommits.length = 0
    this.marketTimesMs = { from: Infinity, to: -Infinity }
  }
}

function tally<T>(values: readonly T[]): ReadonlyMap<T, number> {
  const counts = new Map<T, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

const nilUuid = '00000000-0000-0000-0000-000000000000'
const none: RowCounts = { quotes: 0, expiries: 0, chains: 0, rejects: 0, alerts: 0, states: 0 }

/** The rows a processed message has in each table when all are there. */
function countsOf({ outcome, snapshot, computed, alerts, state }: Processed): RowCounts {
  if (outcome !== 'stored' || snapshot === null || computed === null) return none
  return {
    quotes: snapshot.columns.length,
    expiries: computed.expiries.length,
    chains: computed.chain === null ? 0 : 1,
    rejects: snapshot.meta.rejects.length,
    alerts: alerts.length,
    states: state === null ? 0 : 1,
  }
}
