import type { Delivery } from '../../../shared/bus/ordered-source.ts'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import type { OutcomeName } from '../../../shared/model/outcome.ts'
import type { Timers } from '../../../shared/runtime/clock.ts'
import type { Logger } from '../../../shared/runtime/logger.ts'
import type { KeyState, KeyStates, SnapshotKey, Standing } from '../key-states.ts'
import type { DeliveryRules } from './rules.ts'

/*
 * What the delivery core needs from outside. In production these are thin adapters over NATS and ClickHouse; a simulation
 * brings models of them and runs the very same core. Nothing below delivery/ knows a client library, a clock or a process.
 */

/** Tables whose rows belong to a snapshot, in the order they are inserted. The commit rows are not among them: they come last. */
export const rowTables = ['quotes', 'expiries', 'chains', 'rejects', 'alerts', 'states'] as const
export type RowTable = (typeof rowTables)[number]
export type RowCounts = Readonly<Record<RowTable, number>>
export const noRows: RowCounts = { quotes: 0, expiries: 0, chains: 0, rejects: 0, alerts: 0, states: 0 }

/** By partition. */
export type Epochs = ReadonlyMap<number, number>

/** When each server of the sink started, by its name. */
export type Servers = ReadonlyMap<string, number>

export interface ServerStart {
  readonly name: string
  /** Seconds, by the server's own clock; two readings of one life may differ by one. */
  readonly startedS: number
}

/** Under what a flush is written; the sink refuses all of it when either is no longer so. */
export interface Fence {
  /** Of each partition in it: no higher one is known. */
  readonly epochs: Epochs
  /** The servers' lives in which it was decided: the server that gets it has not started again since. */
  readonly servers: Servers
}

/** What the commit row says of a message's way; its payload is not kept. */
export type DeliveryFacts = Pick<Delivery, 'streamSeq' | 'previousSeq' | 'messageId' | 'publishedAtMs' | 'publisher'>

/** One message with what became of it, ready to be written. */
export interface Processed {
  readonly partition: number
  readonly delivery: DeliveryFacts
  readonly outcome: OutcomeName
  /** Empty when it was stored. */
  readonly reason: string
  /** Null when the message could not be read. */
  readonly meta: SnapshotKey | null
  readonly standing: Standing
  /** Rows it has in each table when all are there. */
  readonly counts: RowCounts
  /** What the handler made of it, for the batch; null unless it is stored. */
  readonly content: unknown
}

/** Under which right a message is written. */
export interface Stamp {
  readonly epoch: number
  readonly incarnation: string
}

/** The rows of one flush, growing as messages are processed. Reused: `reset` keeps the memory. */
export interface Batch {
  readonly messages: number
  /** Of the largest table. */
  readonly rows: number
  /** `tables` are those this owner has to write; a dead one may have written the others. */
  add(processed: Processed, stamp: Stamp, tables: readonly RowTable[]): void
  /** Tables that have rows to be inserted. */
  filled(): readonly RowTable[]
  reset(): void
}

/** Where rows go. Every failure is a `WriteFailure`; anything else is a fault of the program and ends the process. */
export interface RowSink<B extends Batch> {
  createBatch(): B
  insertRows(batch: B, table: RowTable, fence: Fence): Promise<void>
  /** One INSERT, in the order of the stream. */
  insertCommits(batch: B, fence: Fence): Promise<void>
}

/**
 * `fenced`: a later owner is there. `busy`: nothing was written, later it may be. `lost`: nobody knows. `slow`: lost by taking too long.
 * `values`: some value does not fit its column, so one message at least can never be stored. `broken`: no repetition helps.
 */
export type WriteFailureKind = 'fenced' | 'busy' | 'lost' | 'slow' | 'values' | 'broken'

export class WriteFailure extends StrikeflowError {
  readonly kind: WriteFailureKind

  constructor(kind: WriteFailureKind, cause: unknown) {
    super(kind === 'fenced' ? 'fenced' : 'store', (cause as Error).message, { cause, retryable: kind !== 'broken' })
    this.name = 'WriteFailure'
    this.kind = kind
  }
}

/** A position in one partition of one incarnation of the stream. */
export interface Place {
  readonly partition: number
  readonly incarnation: string
  /** Everything up to here is committed. */
  readonly cursor: number
}

/** Commit rows of a partition without a hole between them. */
export interface Segment {
  readonly partition: number
  /** `previous_seq` of its first row. */
  readonly previousSeq: number
  readonly lastSeq: number
  /** Message id at `lastSeq`. */
  readonly lastMessageId: string
}

/**
 * What stands before a message. Of messages past the cursor only what was committed under this epoch counts: the others are being
 * decided anew.
 */
export interface Before {
  readonly place: Place
  readonly epoch: number
  readonly streamSeq: number
}

export interface CommittedMessage {
  readonly streamSeq: number
  readonly messageId: string
}

/** A commit row that promises rows the tables do not have. */
export interface DamagedCommit {
  readonly partition: number
  readonly incarnation: string
  readonly streamSeq: number
  readonly previousSeq: number
}

/** What it takes to compute the rows of a stored snapshot once more. */
export interface LostRows {
  /** That do not have all the rows its commit row promises. */
  readonly tables: readonly RowTable[]
  readonly late: boolean
  readonly contentUnchanged: boolean
  /** Whose state it was computed from; null where it was the first of its key. */
  readonly prior: { readonly snapshotId: string; readonly state: KeyState | null } | null
}

export interface StoredState {
  readonly partition: number
  readonly underlying: string
  readonly provider: string
  readonly state: KeyState
}

/** What the sink remembers: commit rows, epochs, states. Reads may fail retryably; none changes anything but `insertEpochs`. */
export interface Ledger {
  /** Which server answers, and since when it has been there. */
  server(): Promise<ServerStart>
  /** By partition; absent where nobody has ever been owner. */
  highestEpochs(partitions: readonly number[]): Promise<ReadonlyMap<number, number>>
  insertEpochs(epochs: Epochs): Promise<void>
  /** Partitions of these that have a later owner, or another one of the same epoch. */
  rivals(epochs: Epochs): Promise<ReadonlySet<number>>
  /** Ids of the fenced inserts the sink is working on now. */
  begunInserts(): Promise<ReadonlySet<string>>
  /** By partition: the newest incarnation of a stream with this creation time that has commit rows. */
  incarnations(created: string, partitions: readonly number[]): Promise<ReadonlyMap<number, string>>
  /** Commit rows from a sequence on, as unbroken segments in order. */
  segments(incarnations: ReadonlyMap<number, string>, fromSeq: number): Promise<readonly Segment[]>
  /** The newest commit row of a partition below a sequence; null when there is none. */
  committedBelow(partition: number, incarnation: string, seq: number): Promise<CommittedMessage | null>
  /** The newest commit rows of a partition, newest first. */
  newestCommits(partition: number, incarnation: string, limit: number): Promise<readonly CommittedMessage[]>
  /** Commit rows whose rows are not all there, of the last so many milliseconds before the newest of each partition. */
  damagedCommits(partitions: readonly number[], windowMs: number): Promise<readonly DamagedCommit[]>
  /** The newest state of each key as of the cursors. */
  states(places: readonly Place[]): Promise<readonly StoredState[]>
  /** True when a partition has any commit row, of whatever incarnation. */
  hasCommits(partitions: readonly number[]): Promise<ReadonlySet<number>>
  /** Rows these snapshots have: of the newest epoch that wrote any, and of this code version only. */
  rowCounts(keys: readonly SnapshotKey[]): Promise<ReadonlyMap<string, RowCounts>>
  /** What a stored snapshot has lost of its rows; null when nothing, when it was committed less than `minAgeMs` ago, or nobody knows what they were computed from. */
  lostRows(key: SnapshotKey, minAgeMs: number): Promise<LostRows | null>
  /** True when a snapshot is committed as stored by a message before this one, or in another incarnation. */
  isStored(snapshotId: string, before: Before): Promise<boolean>
}

export interface KeyValueEntry {
  readonly value: unknown
  readonly revision: number
}

export interface WatchedEntry {
  readonly key: string
  /** Null when the key was deleted. */
  readonly value: unknown
  readonly revision: number
  /** True from the moment on when all that was there at the beginning of the watch has been told. */
  readonly isCurrent: boolean
}

/** A bucket with compare-and-set. A call that rejects may have taken effect all the same. */
export interface KeyValue {
  get(key: string): Promise<KeyValueEntry | null>
  /** The new revision, or null when the key has a value already. */
  create(key: string, value: unknown): Promise<number | null>
  /** The new revision, or null when somebody else wrote since `revision`. */
  update(key: string, value: unknown, revision: number): Promise<number | null>
  /** Deletes unless somebody else wrote since `revision`. */
  remove(key: string, revision: number): Promise<void>
  /** What is there now, then every change, in the order of revisions; ends when the signal aborts. */
  watch(signal: AbortSignal): AsyncIterable<WatchedEntry>
}

export interface StreamFacts {
  /** Changes when the stream is deleted and made anew. */
  readonly created: string
  readonly firstSeq: number
  readonly lastSeq: number
}

export interface OpenStream extends AsyncIterable<Delivery, void, void>, AsyncDisposable {
  /** Messages that can be had without waiting. */
  readonly buffered: number
}

export interface ChainStream {
  facts(): Promise<StreamFacts>
  /** Null where there is no message: discarded, deleted or not yet there. */
  messageIdAt(streamSeq: number): Promise<{ readonly messageId: string } | null>
  /**
   * The messages of a partition after a place, each once and in order. Fails when the stream is not that of the incarnation, or
   * goes back behind what it delivered, `cursorMessageId` at the cursor included (null where that is unknown). Fails retryably:
   * a new beginning finds its place in whatever is there then.
   */
  open(place: Place, cursorMessageId: string | null): Promise<OpenStream>
}

/** What cannot be processed. */
export interface Refused {
  readonly reason: string
  readonly error: unknown
}

export interface Computed {
  readonly content: unknown
  readonly counts: RowCounts
  /** The key's state after this snapshot; null when it touches none. */
  readonly state: KeyState | null
}

export interface Opened {
  readonly meta: SnapshotKey
  /** Pure but for the publishing, and without waiting. */
  compute(standing: Standing, before: KeyState | undefined): Computed | Refused
  /** Sends alerts and the like at once; their acknowledgements are awaited before the commit row. Throws, with nothing sent, what can never be. */
  publish(computed: Computed, standing: Standing): readonly Promise<unknown>[]
}

/** What is done with a message. */
export interface Handler {
  open(delivery: Delivery): Opened | Refused
  /** Keeps a message that cannot be processed, and must not throw; `mayHaveAlerted` when an owner before may have got as far as its alerts. */
  deadLetter(delivery: Delivery, refused: Refused, mayHaveAlerted: boolean): readonly Promise<unknown>[]
}

/** Moments at which a test may end or stop the process. */
export type PointName =
  | 'lease-taken'
  | 'epoch-inserted'
  | 'read-back'
  | 'opening'
  | 'alerts-sent'
  | 'lease-checked'
  | 'mid-body'
  | 'rows-stored'
  | 'acknowledged'
  | 'committed'
  | 'renewing'
  | 'draining'

/** Passes a point; only a promise has to be waited for. */
export type Point = (name: PointName) => Promise<void> | undefined

/** What happens, for metrics. */
export interface Observer<B extends Batch> {
  written(batch: B, seconds: number): void
  /** A write or a reading failed and is tried again. */
  storeFailed(): void
  delivered(partition: number, pendingCount: number): void
  took(partitions: readonly number[]): void
  lost(partitions: readonly number[], reason: string): void
  rewound(partition: number, reason: 'damaged' | 'went back'): void
  /** Everything that this process should own and that is free is being consumed; called the first time and after each change. */
  settled(): void
}

export interface DeliveryOptions {
  /** Unique among live processes; a new boot of the same instance takes over from the one before at once. */
  readonly instance: string
  readonly boot: string
  readonly partitions: number
  readonly ttlMs: number
  readonly renewMs: number
  /** The sink ends an insert that takes longer. */
  readonly insertLimitMs: number
  readonly flushRows: number
  readonly flushMs: number
}

export interface Ports<B extends Batch> {
  readonly timers: Timers
  readonly random: () => number
  /** Leases and members. */
  readonly coord: KeyValue
  /** Ranges in flight. */
  readonly cursors: KeyValue
  readonly stream: ChainStream
  readonly ledger: Ledger
  readonly sink: RowSink<B>
  readonly handler: Handler
  readonly rules: DeliveryRules
  readonly point: Point
  readonly observer: Observer<B>
  readonly log: Logger
  /** `isFirst` where nothing was ever committed. */
  readonly createStates: (isFirst: boolean) => KeyStates
}
