import type { Delivery } from '../../shared/bus/ordered-source.ts'
import {
  type Batch,
  type ChainStream,
  type Fence,
  type Handler,
  type KeyValue,
  type Ledger,
  noRows,
  type Processed,
  type RowCounts,
  type RowSink,
  type RowTable,
  rowTables,
  type Segment,
  type Stamp,
  type WatchedEntry,
  WriteFailure,
} from '../../services/processor/delivery/ports.ts'

/*
 * Small models of what delivery stands on, without faults: enough to run the core under a clock of the test's own. What survives
 * a process lies in `World`; each life of a process gets its own ports over it.
 */

interface StoredMessage {
  readonly partition: number
  readonly streamSeq: number
  readonly messageId: string
}

interface StoredRow {
  readonly table: RowTable
  readonly snapshotId: string
  readonly epoch: number
}

export interface StoredCommit extends Stamp {
  readonly partition: number
  readonly streamSeq: number
  readonly previousSeq: number
  readonly messageId: string
  readonly outcome: Processed['outcome']
}

/** What all processes share. */
export class World {
  readonly messages: StoredMessage[] = []
  readonly rows: StoredRow[] = []
  readonly commits: StoredCommit[] = []
  readonly epochs = new Map<number, number>()
  readonly coord = new BucketModel()
  readonly cursors = new BucketModel()
  readonly #listeners = new Set<() => void>()

  publish(partition: number, messageId: string): void {
    this.messages.push({ partition, streamSeq: this.messages.length + 1, messageId })
    for (const listener of this.#listeners) listener()
  }

  onMessage(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

class BucketModel implements KeyValue {
  readonly #entries = new Map<string, { readonly value: unknown; readonly revision: number }>()
  readonly #watchers = new Set<(entry: WatchedEntry) => void>()
  #revision = 0

  get(key: string) {
    const entry = this.#entries.get(key)
    return Promise.resolve(entry === undefined || entry.value === null ? null : entry)
  }

  create(key: string, value: unknown) {
    return Promise.resolve((this.#entries.get(key)?.value ?? null) === null ? this.#write(key, value) : null)
  }

  update(key: string, value: unknown, revision: number) {
    return Promise.resolve(this.#entries.get(key)?.revision === revision ? this.#write(key, value) : null)
  }

  remove(key: string, revision: number) {
    if (this.#entries.get(key)?.revision === revision) this.#write(key, null)
    return Promise.resolve()
  }

  #write(key: string, value: unknown): number {
    this.#revision += 1
    const entry = { value, revision: this.#revision }
    this.#entries.set(key, entry)
    for (const watcher of this.#watchers) watcher({ key, ...entry, isCurrent: true })
    return this.#revision
  }

  async *watch(signal: AbortSignal): AsyncGenerator<WatchedEntry, void, void> {
    const queue: WatchedEntry[] = [...this.#entries].map(([key, entry], i) => ({
      key,
      ...entry,
      isCurrent: i === this.#entries.size - 1,
    }))
    let wake = ignore
    const watcher = (entry: WatchedEntry): void => {
      queue.push(entry)
      wake()
    }
    this.#watchers.add(watcher)
    signal.addEventListener('abort', () => wake())
    while (!signal.aborted) {
      yield* queue.splice(0)
      // oxlint-disable-next-line no-loop-func
      if (queue.length === 0 && !signal.aborted) await new Promise<void>((resolve) => (wake = resolve))
    }
    this.#watchers.delete(watcher)
  }
}

export interface ModelBatch extends Batch {
  readonly added: { readonly processed: Processed; readonly stamp: Stamp; readonly tables: readonly RowTable[] }[]
}

/** A sink that fences each insert as it begins and writes it whole. */
export function createSinkModel(world: World): RowSink<ModelBatch> {
  const fenced = ({ epochs }: Fence): void => {
    for (const [partition, epoch] of epochs) {
      if ((world.epochs.get(partition) ?? 0) > epoch) throw new WriteFailure('fenced', new Error('a later owner'))
    }
  }
  return {
    createBatch: createModelBatch,
    async insertRows({ added }, table, fence) {
      fenced(fence)
      for (const { processed, stamp, tables } of added) {
        if (!tables.includes(table)) continue
        const row = { table, snapshotId: processed.meta?.snapshotId ?? '', epoch: stamp.epoch }
        for (let i = 0; i < processed.counts[table]; i += 1) world.rows.push(row)
      }
      await Promise.resolve()
    },
    async insertCommits({ added }, fence) {
      fenced(fence)
      for (const { processed, stamp } of added) {
        const { streamSeq, previousSeq, messageId } = processed.delivery
        const { partition, outcome } = processed
        world.commits.push({ ...stamp, partition, streamSeq, previousSeq, messageId: messageId ?? '', outcome })
      }
      await Promise.resolve()
    },
  }
}

function createModelBatch(): ModelBatch {
  const added: ModelBatch['added'] = []
  return {
    added,
    get messages() {
      return added.length
    },
    get rows() {
      return added.reduce((sum, { processed }) => sum + processed.counts.quotes, 0)
    },
    add: (processed, stamp, tables) => void added.push({ processed, stamp, tables }),
    filled: () => rowTables.filter((table) => added.some(({ tables }) => tables.includes(table))),
    reset: () => void (added.length = 0),
  }
}

export function createLedgerModel(world: World): Ledger {
  const commitsOf = (partition: number, incarnation: string): readonly StoredCommit[] => {
    const newest = new Map<number, StoredCommit>()
    for (const commit of world.commits) {
      if (commit.partition === partition && commit.incarnation === incarnation) newest.set(commit.streamSeq, commit)
    }
    return [...newest.values()].toSorted((a, b) => a.streamSeq - b.streamSeq)
  }
  return {
    server: async () => ({ name: 'model', startedS: 0 }),
    highestEpochs: async (partitions) =>
      new Map([...world.epochs].filter(([partition]) => partitions.includes(partition))),
    insertEpochs: async (epochs) => {
      for (const [partition, epoch] of epochs) {
        world.epochs.set(partition, Math.max(epoch, world.epochs.get(partition) ?? 0))
      }
    },
    rivals: async (epochs) =>
      new Set([...epochs].flatMap(([p, epoch]) => ((world.epochs.get(p) ?? 0) > epoch ? [p] : []))),
    begunInserts: async () => new Set(),
    incarnations: async (_, partitions) =>
      new Map(
        world.commits
          .filter(({ partition }) => partitions.includes(partition))
          .map((c) => [c.partition, c.incarnation]),
      ),
    segments: async (incarnations, fromSeq) =>
      [...incarnations].flatMap(([partition, incarnation]) =>
        segmentsOf(commitsOf(partition, incarnation).filter(({ streamSeq }) => streamSeq >= fromSeq)),
      ),
    committedBelow: async (partition, incarnation, seq) =>
      commitsOf(partition, incarnation).findLast(({ streamSeq }) => streamSeq < seq) ?? null,
    newestCommits: async (partition, incarnation, limit) =>
      commitsOf(partition, incarnation).toReversed().slice(0, limit),
    damagedCommits: async () => [],
    states: async () => [],
    hasCommits: async () => new Set(world.commits.map(({ partition }) => partition)),
    rowCounts: async (keys) => {
      const found = new Map<string, RowCounts>()
      for (const { snapshotId } of keys) {
        const own = world.rows.filter((row) => row.snapshotId === snapshotId)
        const count = (table: RowTable): number => {
          const rows = own.filter((row) => row.table === table)
          const epoch = Math.max(...rows.map((row) => row.epoch))
          return rows.filter((row) => row.epoch === epoch).length
        }
        found.set(snapshotId, Object.fromEntries(rowTables.map((table) => [table, count(table)])) as RowCounts)
      }
      return found
    },
    lostRows: async () => null,
    isStored: async (snapshotId, { place, streamSeq }) =>
      world.commits.some(
        (commit) =>
          commit.messageId === snapshotId &&
          commit.outcome === 'stored' &&
          !(commit.partition === place.partition && commit.streamSeq >= streamSeq),
      ),
  }
}

function segmentsOf(commits: readonly StoredCommit[]): readonly Segment[] {
  const segments: Segment[] = []
  for (const { partition, streamSeq, previousSeq, messageId } of commits) {
    const last = segments.at(-1)
    const row = { partition, lastSeq: streamSeq, lastMessageId: messageId }
    if (last !== undefined && last.lastSeq === previousSeq) segments[segments.length - 1] = { ...last, ...row }
    else segments.push({ ...row, previousSeq })
  }
  return segments
}

export function createStreamModel(world: World): ChainStream {
  return {
    facts: async () => ({ created: 'stream', firstSeq: 1, lastSeq: world.messages.length }),
    messageIdAt: async (seq) => world.messages[seq - 1] ?? null,
    async open({ partition, cursor }) {
      const closing = new AbortController()
      const { signal } = closing
      let wake = ignore
      const release = world.onMessage(() => wake())
      async function* deliver(): AsyncGenerator<Delivery, void, void> {
        let previousSeq = cursor
        for (let seq = cursor + 1; !signal.aborted; seq += 1) {
          // oxlint-disable-next-line no-loop-func
          while (!signal.aborted && seq > world.messages.length) await new Promise<void>((resolve) => (wake = resolve))
          const message = world.messages[seq - 1]
          if (signal.aborted || message === undefined) return
          if (message.partition !== partition) continue
          const pendingCount = world.messages.slice(seq).filter((each) => each.partition === partition).length
          yield toDelivery(message, previousSeq, pendingCount)
          previousSeq = seq
        }
      }
      const messages = deliver()
      return {
        buffered: 0,
        [Symbol.asyncIterator]: () => messages,
        async [Symbol.asyncDispose]() {
          closing.abort()
          release()
          wake()
        },
      }
    },
  }
}

const ignore = (): void => {}

const toDelivery = (
  { streamSeq, messageId, partition }: StoredMessage,
  previousSeq: number,
  pendingCount: number,
): Delivery => ({
  subject: `chains.raw.${partition}.test.T`,
  streamSeq,
  previousSeq,
  messageId,
  headers: new Map(),
  payload: new Uint8Array(),
  publishedAtMs: 0,
  publisher: null,
  storedAtMs: 0,
  pendingCount,
})

/** Two rows of quotes and a state for every message; the time of the market is the sequence. */
export const identityHandler: Handler = {
  open: ({ messageId, streamSeq, subject }) => ({
    meta: {
      snapshotId: messageId ?? '',
      underlying: subject,
      provider: 'test',
      marketTimeMs: streamSeq,
      contentHash: messageId ?? '',
      timeKind: 'market',
    },
    compute: () => ({
      content: messageId,
      counts: { ...noRows, quotes: 2, states: 1 },
      state: { marketTimeMs: streamSeq, contentHash: messageId ?? '', detectors: {} },
    }),
    publish: () => [],
  }),
  deadLetter: () => [],
}
