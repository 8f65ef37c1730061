import {
  type Fence,
  type RowSink,
  type RowTable,
  type ServerStart,
  WriteFailure,
} from '../../services/processor/delivery/ports.ts'
import { rowTables } from '../../services/processor/delivery/ports.ts'
import { unstorableMark } from './compute.ts'
import type { Host } from './host.ts'
import { type Commit, type NewCommit, type NewRow, type Part, type Row, SimulatedBatch } from './sink-rows.ts'
import type { World } from './world.ts'

type Refusal = WriteFailure | null

/** One INSERT, from its sending to its end. */
interface Insert {
  readonly id: string
  readonly host: Host
  readonly fence: Fence
  /** Each writes one block, or says why not. */
  readonly blocks: (() => Refusal)[]
  readonly answer: (failure: WriteFailure | null) => void
  isOver: boolean
}

export interface EpochRow {
  readonly partition: number
  readonly epoch: number
  readonly owner: string
  readonly part: Part
}

/** Tables, and the inserts the server works on: what is true of ClickHouse is true of it, at its worst. */
export class SinkModel {
  readonly rows = new Map<RowTable, Map<string, Row[]>>(rowTables.map((table) => [table, new Map<string, Row[]>()]))
  /** By partition, as they came. */
  readonly commits = new Map<number, Commit[]>()
  readonly epochs: EpochRow[] = []
  readonly parts: Part[] = []
  readonly #world: World
  readonly #limitMs: number
  readonly #begun = new Map<string, Insert>()
  readonly #highestWritten = new Map<number, number>()
  #inserts = 0
  #starts = 1
  isUp = true
  isBroken = false

  constructor(world: World, limitMs: number) {
    this.#world = world
    this.#limitMs = limitMs
  }

  get begun(): ReadonlySet<string> {
    return new Set(this.#begun.keys())
  }

  client(host: Host): RowSink<SimulatedBatch> {
    return {
      createBatch: () => new SimulatedBatch(),
      insertRows: (batch, table, fence) => {
        const rows = batch.rowsOf(table)
        return this.#send(host, `${rows.length} ${table}`, fence, this.#inBlocks(rows))
      },
      insertCommits: (batch, fence) => {
        const commits = batch.commits()
        return this.#send(host, `${commits.length} commits`, fence, [() => this.#writeCommits(commits)])
      },
    }
  }

  newPart(table: Part['table']): Part {
    const part = { id: this.parts.length, atMs: this.#world.time.nowMs, table, isLost: false }
    this.parts.push(part)
    return part
  }

  #inBlocks(rows: readonly NewRow[]): (() => Refusal)[] {
    const { faults, random } = this.#world
    if (rows.length < 2 || !faults.strikes('insert in blocks', 0.35)) return [() => this.#writeRows(rows)]
    const size = Math.ceil(rows.length / random.integer(2, 4))
    const blocks: (() => Refusal)[] = []
    for (let from = 0; from < rows.length; from += size) {
      const block = rows.slice(from, from + size)
      blocks.push(() => this.#writeRows(block))
    }
    return blocks
  }

  /** A block with a value that does not fit is refused as a whole; those before it are there. */
  #writeRows(rows: readonly NewRow[]): Refusal {
    if (rows.some(({ content }) => content.endsWith(unstorableMark)))
      return failed('values', 'unknown element of an enum')
    const part = this.newPart(rows[0]?.table ?? 'quotes')
    for (const row of rows) {
      this.#noteWriter(row.partition, row.epoch)
      const table = this.rows.get(row.table)
      const own = table?.get(row.snapshotId)
      if (own === undefined) table?.set(row.snapshotId, [{ ...row, part }])
      else own.push({ ...row, part })
    }
    return null
  }

  #writeCommits(commits: readonly NewCommit[]): Refusal {
    const part = this.newPart('commits')
    for (const commit of commits) {
      this.#noteWriter(commit.partition, commit.epoch)
      const own = this.commits.get(commit.partition)
      if (own === undefined) this.commits.set(commit.partition, [{ ...commit, part }])
      else own.push({ ...commit, part })
    }
    return null
  }

  #noteWriter(partition: number, epoch: number): void {
    const highest = this.#highestWritten.get(partition) ?? 0
    if (epoch < highest)
      this.#world.violated('fence', `partition ${partition}: rows of epoch ${epoch} after rows of epoch ${highest}`)
    this.#highestWritten.set(partition, Math.max(epoch, highest))
  }

  /** Resolves and rejects in the process, as the client library would tell it. */
  #send(host: Host, what: string, fence: Fence, blocks: (() => Refusal)[]): Promise<void> {
    const { time, random, faults, note } = this.#world
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#inserts += 1
    const id = `i${this.#inserts}`
    const answer = (failure: WriteFailure | null): void => {
      note?.(
        `${host.boot} insert ${id} (${what}): ${failure === null ? 'stored' : `${failure.kind}, ${failure.message}`}`,
      )
      host.later(random.between(0.2, 4), () => (failure === null ? resolve() : reject(failure)))
    }
    const insert: Insert = { id, host, fence, blocks, answer, isOver: false }
    host.run(() => {
      if (faults.strikes('store request lost', 0.01))
        return host.later(random.between(5, 500), () => answer(failed('lost', 'the connection broke')))
      const isLate = faults.strikes('insert late', 0.01)
      if (isLate) host.later(random.between(1, 200), () => reject(failed('lost', 'no answer in time')))
      time.after(isLate ? random.between(100, 2_500) : random.between(0.3, 5), () => {
        if (host.isDead && random.chance(0.5)) return
        this.#arrive(insert)
      })
    })
    return promise
  }

  #arrive(insert: Insert): void {
    const { time, random, faults } = this.#world
    if (!this.isUp) return insert.answer(failed('lost', 'refused the connection'))
    if (this.isBroken) return insert.answer(failed('broken', 'no such column'))
    if (faults.strikes('insert refused', 0.03)) return insert.answer(failed('busy', 'too many parts'))
    this.#begun.set(insert.id, insert)
    time.after(random.between(0, 3), () => this.#checkFence(insert))
  }

  /** Looked at once, when the insert is executed. */
  #checkFence(insert: Insert): void {
    if (insert.isOver) return
    const { epochs, servers } = insert.fence
    const isFenced = [...epochs].some(([partition, epoch]) => this.highestEpoch(partition) > epoch)
    if (isFenced) return this.#end(insert, failed('fenced', 'a partition has a later owner'))
    const { name, startedS } = this.server
    if (startedS > (servers.get(name) ?? Infinity)) return this.#end(insert, failed('fenced', 'started again'))
    const { time, random, faults } = this.#world
    const limitMs = this.#limitMs + random.between(0, 1_200)
    time.after(limitMs, () => this.#end(insert, failed('slow', 'took too long')))
    const isSlow = faults.strikes('insert too slow', 0.04)
    const durationMs = isSlow ? limitMs * random.between(0.9, 2) : random.between(1, 40)
    if (faults.strikes('stopped in mid body', 0.015)) {
      insert.host.stop(random.between(50, 6_000))
      // The second half of the body comes when it goes on.
      insert.host.run(() => this.#execute(insert, durationMs))
    } else this.#execute(insert, durationMs)
  }

  #execute(insert: Insert, durationMs: number): void {
    const { time, random, faults } = this.#world
    const isCutOff = insert.blocks.length > 1 && faults.strikes('insert cut off', 0.1)
    const last = isCutOff ? random.integer(0, insert.blocks.length - 1) : Infinity
    insert.blocks.forEach((block, i) => {
      time.after(((i + 1) / insert.blocks.length) * durationMs, () => {
        if (insert.isOver) return
        const refusal = i >= last ? failed('lost', 'the connection broke') : block()
        if (refusal !== null) this.#end(insert, refusal)
      })
    })
    time.after(durationMs, () => {
      const isLost = faults.strikes('store answer lost', 0.01)
      if (isLost) time.after(random.between(0, 400), () => this.#end(insert, failed('lost', 'its answer was lost')))
      else this.#end(insert, null)
    })
  }

  #end(insert: Insert, failure: WriteFailure | null): void {
    if (insert.isOver) return
    insert.isOver = true
    this.#begun.delete(insert.id)
    insert.answer(failure)
  }

  /** The server stops: what has been written of the inserts under way stays. */
  goAway(): void {
    this.isUp = false
    for (const insert of this.#begun.values()) this.#end(insert, failed('lost', 'the server went away'))
  }

  comeBack(): void {
    this.#starts += 1
    this.isUp = true
  }

  /** Every start is told from the one before. */
  get server(): ServerStart {
    return { name: 'store', startedS: 10 * this.#starts }
  }

  /** Who has the highest epoch. */
  newestOwner(partition: number): string | null {
    const highest = this.highestEpoch(partition)
    return this.epochs.find((row) => row.partition === partition && row.epoch === highest)?.owner ?? null
  }

  highestEpoch(partition: number): number {
    let highest = 0
    for (const row of this.epochs) {
      if (row.partition === partition && !row.part.isLost && row.epoch > highest) highest = row.epoch
    }
    return highest
  }
}

const failed = (kind: WriteFailure['kind'], message: string): WriteFailure => new WriteFailure(kind, new Error(message))
