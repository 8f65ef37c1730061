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
import { type Batch, type Processed, type RowCounts, type RowTable, rowTables, type Stamp } from './delivery/ports.ts'
import type { Standing } from './key-states.ts'

/** What the handler made of a stored message. */
export interface ChainContent {
  readonly snapshot: Snapshot
  readonly computed: ComputedChain
  readonly alerts: readonly Alert[]
  /** JSON of the key's state after this snapshot; null when it touches none. */
  readonly state: string | null
}

/** Who writes, but for the epoch: that belongs to the partition. */
export type FlushWriter = Omit<Writer, 'epoch'>

/** A message that is done, waiting for its commit row. */
interface PendingCommit extends Pick<
  Processed,
  'partition' | 'delivery' | 'outcome' | 'reason' | 'standing' | 'counts'
> {
  readonly meta: SnapshotMeta | null
  readonly stamp: Stamp
}

/** So many rows a flush may have when the sink is slow: grown to that by doubling, it would be copied time and again. */
const quotesRoom = 2 ** 19

/** The rows of one flush, growing as messages are processed. Reused: `reset` keeps the memory. */
export class Flush implements Batch {
  readonly quotes = new TableBuffer(optionQuotes, quotesRoom)
  readonly expiries = new TableBuffer(expiryFeatures)
  readonly chains = new TableBuffer(chainFeatures)
  readonly rejects = new TableBuffer(quoteRejects)
  readonly alerts = new TableBuffer(alertRows)
  readonly states = new TableBuffer(detectorStates)
  readonly commits = new TableBuffer(commitRows)
  readonly #writer: FlushWriter
  readonly #pendingCommits: PendingCommit[] = []

  constructor(writer: FlushWriter) {
    this.#writer = writer
  }

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

  get rows(): number {
    return this.quotes.length
  }

  /** Figures that did not fit their column. */
  get outOfRange(): number {
    return rowTables.reduce((sum, table) => sum + this[table].outOfRange, 0)
  }

  filled(): readonly RowTable[] {
    return rowTables.filter((table) => this[table].length > 0)
  }

  add(processed: Processed, stamp: Stamp, tables: readonly RowTable[]): void {
    const content = processed.content as ChainContent | null
    // Delivery knows only the part of it that decides; the handler has opened it whole.
    const meta = processed.meta as SnapshotMeta | null
    const writer = { ...this.#writer, epoch: stamp.epoch }
    if (content !== null) for (const table of tables) this.#append(table, content, processed.standing, writer)
    // Not the snapshot itself: its columns are large, and a slow sink may keep thousands of messages waiting.
    const { delivery, partition, outcome, reason, standing, counts } = processed
    this.#pendingCommits.push({ delivery, partition, outcome, reason, standing, meta, counts, stamp })
  }

  #append(table: RowTable, content: ChainContent, standing: Standing, writer: Writer): void {
    const { snapshot, computed, alerts, state } = content
    const { meta } = snapshot
    switch (table) {
      case 'quotes':
        return appendQuotes(this.quotes, snapshot, computed.contracts, writer)
      case 'expiries':
        return appendExpiries(this.expiries, meta, computed.expiries, writer)
      case 'chains':
        return computed.chain ? appendChain(this.chains, meta, computed.chain, standing, writer) : undefined
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

  /** Fills the commit rows, in the order of the stream, when nothing more is added. */
  seal(): void {
    if (this.commits.length > 0) return
    const inOrder = this.#pendingCommits.toSorted((a, b) => a.delivery.streamSeq - b.delivery.streamSeq)
    for (const commit of inOrder) this.#appendCommit(commit)
  }

  #appendCommit({ delivery, meta, counts, stamp, ...commit }: PendingCommit): void {
    const { columns } = this.commits
    columns.incarnation.appendText(stamp.incarnation)
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
    columns.epoch.append(stamp.epoch)
    columns.code_version.appendText(this.#writer.codeVersion)
  }

  reset(): void {
    for (const table of rowTables) this[table].reset()
    this.commits.reset()
    this.#pendingCommits.length = 0
  }
}

function tally<T>(values: readonly T[]): ReadonlyMap<T, number> {
  const counts = new Map<T, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

const nilUuid = '00000000-0000-0000-0000-000000000000'

/** The rows a stored message has in each table when all are there. */
export const countsOf = ({ snapshot, computed, alerts, state }: ChainContent): RowCounts => ({
  quotes: snapshot.columns.length,
  expiries: computed.expiries.length,
  chains: computed.chain === null ? 0 : 1,
  rejects: snapshot.meta.rejects.length,
  alerts: alerts.length,
  states: state === null ? 0 : 1,
})
