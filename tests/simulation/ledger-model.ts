import {
  type Before,
  type CommittedMessage,
  type DamagedCommit,
  type Ledger,
  noRows,
  type Place,
  type RowCounts,
  rowTables,
  type Segment,
  type StoredState,
} from '../../services/processor/delivery/ports.ts'
import type { KeyState, SnapshotKey } from '../../services/processor/key-states.ts'
import { StrikeflowError } from '../../shared/model/errors.ts'
import { exchange, type ExchangeOptions } from './exchange.ts'
import type { Host } from './host.ts'
import type { SinkModel } from './sink-model.ts'
import type { Commit, Row } from './sink-rows.ts'
import type { World } from './world.ts'

/** What the statements of shared/store/queries answer, over the model's tables. */
export function createLedgerModel(world: World, sink: SinkModel, host: Host): Ledger {
  const options: ExchangeOptions = {
    isUp: () => sink.isUp,
    failure: (message) => new StrikeflowError('store', `the store ${message}`, { retryable: true }),
    lost: 'reading failed',
    answerLost: 'reading failed',
    slow: 'reading slow',
    probability: 0.007,
  }
  const ask = <T>(answer: () => T): Promise<T> => exchange(world, host, answer, options)
  /** Of tables that may not be there. */
  const read = <T>(answer: () => T): Promise<T> =>
    ask(() => {
      if (sink.isBroken) throw new StrikeflowError('store', 'no such table')
      return answer()
    })
  const owner = `${host.instance}/${host.boot}`
  return {
    server: () => ask(() => sink.server),
    highestEpochs: (partitions) =>
      ask(() => new Map(partitions.map((p) => [p, sink.highestEpoch(p)] as const).filter(([, epoch]) => epoch > 0))),
    insertEpochs: (epochs) =>
      exchange(
        world,
        host,
        () => {
          const part = sink.newPart('epochs')
          for (const [partition, epoch] of epochs) sink.epochs.push({ partition, epoch, owner, part })
        },
        { ...options, lost: 'store request lost', answerLost: 'store answer lost', late: 'insert late' },
      ),
    rivals: (epochs) =>
      ask(() => {
        const isRival = ({ partition, epoch, owner: other }: (typeof sink.epochs)[number]): boolean => {
          const mine = epochs.get(partition)
          return mine !== undefined && (epoch > mine || (epoch === mine && other !== owner))
        }
        const rivals = sink.epochs.filter((row) => !row.part.isLost && isRival(row))
        return new Set(rivals.map(({ partition }) => partition))
      }),
    begunInserts: () => ask(() => sink.begun),
    incarnations: (created, partitions) => read(() => newestIncarnations(sink, created, partitions)),
    segments: (incarnations, fromSeq) =>
      read(() => [...incarnations].flatMap(([partition, name]) => segmentsOf(sink, partition, name, fromSeq))),
    committedBelow: (partition, incarnation, seq) =>
      read(() => newest(sink, partition, incarnation).find(({ streamSeq }) => streamSeq < seq) ?? null),
    newestCommits: (partition, incarnation, limit) => read(() => newest(sink, partition, incarnation).slice(0, limit)),
    damagedCommits: (partitions, windowMs) => read(() => partitions.flatMap((p) => damagedOf(sink, p, windowMs))),
    states: (places) => read(() => places.flatMap((place) => statesOf(sink, place))),
    hasCommits: (partitions) => read(() => new Set(partitions.filter((p) => commitsOf(sink, p).length > 0))),
    rowCounts: (keys) => read(() => countRows(sink, keys)),
    // Everything in a run is younger than the audit at taking reaches back.
    lostRows: () => ask(() => null),
    isStored: (snapshotId, before) => read(() => isStored(sink, snapshotId, before)),
  }
}

/** As SELECT … FINAL: of each sequence the row of the highest epoch, in order. */
export function commitsOf(sink: SinkModel, partition: number, incarnation?: string): readonly Commit[] {
  const final = new Map<string, Commit>()
  for (const commit of sink.commits.get(partition) ?? []) {
    if (commit.part.isLost || (incarnation !== undefined && commit.incarnation !== incarnation)) continue
    const key = `${commit.incarnation}/${commit.streamSeq}`
    if ((final.get(key)?.epoch ?? 0) <= commit.epoch) final.set(key, commit)
  }
  return [...final.values()].toSorted((a, b) => a.streamSeq - b.streamSeq)
}

const numberOf = (incarnation: string): number => Number(/#(\d+)/.exec(incarnation)?.[1] ?? 0)

function newestIncarnations(
  sink: SinkModel,
  created: string,
  partitions: readonly number[],
): ReadonlyMap<number, string> {
  const newest = new Map<number, string>()
  for (const partition of partitions) {
    for (const { incarnation } of commitsOf(sink, partition)) {
      if (incarnation !== created && !incarnation.startsWith(`${created}#`)) continue
      const known = newest.get(partition)
      if (known === undefined || numberOf(incarnation) > numberOf(known)) newest.set(partition, incarnation)
    }
  }
  return newest
}

function segmentsOf(sink: SinkModel, partition: number, incarnation: string, fromSeq: number): readonly Segment[] {
  const segments: Segment[] = []
  for (const { streamSeq, previousSeq, messageId } of commitsOf(sink, partition, incarnation)) {
    if (streamSeq < fromSeq) continue
    const last = segments.at(-1)
    const isContinued = last !== undefined && last.lastSeq === previousSeq
    const begin = isContinued ? last.previousSeq : previousSeq
    if (isContinued) segments.pop()
    segments.push({ partition, previousSeq: begin, lastSeq: streamSeq, lastMessageId: messageId })
  }
  return segments
}

const newest = (sink: SinkModel, partition: number, incarnation: string): readonly CommittedMessage[] =>
  commitsOf(sink, partition, incarnation)
    .toReversed()
    .map(({ streamSeq, messageId }) => ({ streamSeq, messageId }))

/** Rows of a snapshot in one table by the epoch that wrote them. */
export function byEpoch(rows: readonly Row[] | undefined): ReadonlyMap<number, Row[]> {
  const epochs = new Map<number, Row[]>()
  for (const row of rows ?? []) {
    if (row.part.isLost) continue
    const own = epochs.get(row.epoch)
    if (own === undefined) epochs.set(row.epoch, [row])
    else own.push(row)
  }
  return epochs
}

export function damagedOf(sink: SinkModel, partition: number, windowMs: number): readonly DamagedCommit[] {
  const commits = commitsOf(sink, partition)
  const sinceMs = Math.max(...commits.map(({ part }) => part.atMs)) - windowMs
  return commits
    .filter(({ outcome, part }) => outcome === 'stored' && part.atMs >= sinceMs)
    .filter(({ snapshotId, counts }) =>
      rowTables.some((table) => {
        const [newest] = [...byEpoch(sink.rows.get(table)?.get(snapshotId ?? ''))].toSorted(([a], [b]) => b - a)
        return (newest?.[1].length ?? 0) < counts[table]
      }),
    )
    .map(({ incarnation, streamSeq, previousSeq }) => ({ partition, incarnation, streamSeq, previousSeq }))
}

function statesOf(sink: SinkModel, { partition, incarnation, cursor }: Place): readonly StoredState[] {
  const touching = new Map<string, Commit>()
  for (const commit of commitsOf(sink, partition)) {
    if (commit.outcome !== 'stored' || commit.late) continue
    if (commit.incarnation === incarnation && commit.streamSeq > cursor) continue
    const key = `${commit.underlying}/${commit.provider}`
    if ((touching.get(key)?.marketTimeMs ?? -1) < commit.marketTimeMs) touching.set(key, commit)
  }
  return [...touching.values()].flatMap(({ underlying, provider, snapshotId }) => {
    const rows = (sink.rows.get('states')?.get(snapshotId ?? '') ?? []).filter(({ part }) => !part.isLost)
    const state = rows.toSorted((a, b) => b.epoch - a.epoch)[0]
    if (state === undefined) return []
    return [{ partition, underlying, provider, state: JSON.parse(state.content) as KeyState }]
  })
}

function countRows(sink: SinkModel, keys: readonly SnapshotKey[]): ReadonlyMap<string, RowCounts> {
  const found = new Map<string, RowCounts>()
  const times = keys.map(({ marketTimeMs }) => marketTimeMs)
  const [from, to] = [Math.min(...times), Math.max(...times)]
  for (const { snapshotId } of keys) {
    for (const table of rowTables) {
      const rows = sink.rows.get(table)?.get(snapshotId)
      const near = rows?.filter(({ marketTimeMs }) => marketTimeMs >= from && marketTimeMs <= to)
      const newest = [...byEpoch(near)].toSorted(([a], [b]) => b - a)[0]
      if (newest !== undefined)
        found.set(snapshotId, { ...(found.get(snapshotId) ?? noRows), [table]: newest[1].length })
    }
  }
  return found
}

function isStored(sink: SinkModel, snapshotId: string, { place, epoch, streamSeq }: Before): boolean {
  for (const partition of sink.commits.keys()) {
    for (const commit of commitsOf(sink, partition)) {
      if (commit.snapshotId !== snapshotId || commit.outcome !== 'stored') continue
      const isLater =
        commit.incarnation === place.incarnation &&
        commit.partition === place.partition &&
        (commit.streamSeq >= streamSeq || (commit.streamSeq > place.cursor && commit.epoch < epoch))
      if (!isLater) return true
    }
  }
  return false
}
