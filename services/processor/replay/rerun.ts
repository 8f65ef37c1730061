import type { Delivery } from '../../../shared/bus/ordered-source.ts'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import type { OutcomeName } from '../../../shared/model/outcome.ts'
import type { Store } from '../../../shared/store/connect.ts'
import { isStoredBefore } from '../../../shared/store/queries/commits.ts'
import { isStoredBeforeRange, type RangeRow } from '../../../shared/store/queries/replay.ts'
import type { ProcessorSettings } from '../config.ts'
import { type Ledger, noRows } from '../delivery/ports.ts'
import type { Flush } from '../flush.ts'
import { KeyStates } from '../key-states.ts'
import { Lane } from './lane.ts'
import { type Plan, placeKey } from './plan.ts'
import { createProgram, type Program } from './program.ts'

export interface RerunDeps {
  readonly main: Store
  readonly scratch: Store
  readonly settings: ProcessorSettings
}

export interface Tally {
  readonly outcomes: Readonly<Record<string, number>>
  readonly contracts: number
  readonly alerts: number
  readonly readFrom: Readonly<Record<string, number>>
}

/** The partitions of a range as they are run again, side by side, each in the order of the stream. */
export class Rerun {
  readonly #plan: Plan
  readonly #deps: RerunDeps
  readonly #programs: ReadonlyMap<string, Program>
  readonly #lanes = new Map<number, Lane>()
  readonly #states = new Map<number, KeyStates>()
  readonly #outcomes = new Map<OutcomeName, number>()
  readonly #readFrom = new Map<string, number>()
  #contracts = 0
  #alerts = 0

  constructor(plan: Plan, deps: RerunDeps) {
    this.#plan = plan
    this.#deps = deps
    const onWritten = (flush: Flush): void => this.#onWritten(flush)
    const settings = { ...deps.settings, partitions: plan.partitions }
    this.#programs = new Map(
      plan.known.map((known) => [known.codeVersion, createProgram(deps.scratch, known, settings, onWritten)]),
    )
  }

  get tally(): Tally {
    return {
      outcomes: Object.fromEntries(this.#outcomes),
      contracts: this.#contracts,
      alerts: this.#alerts,
      readFrom: Object.fromEntries(this.#readFrom),
    }
  }

  /** Takes the next message; resolves when there is room for another one. */
  async handle(row: RangeRow, delivery: Delivery, from: string): Promise<void> {
    this.#readFrom.set(from, (this.#readFrom.get(from) ?? 0) + 1)
    const lane = await this.#laneOf(row)
    if (row.outcome === 'dropped') this.#drop(row, delivery, lane.program)
    else await lane.push(delivery, () => this.#place(row))
  }

  /** Resolves when everything is written. */
  async close(): Promise<void> {
    // Side by side: a flush that is shared is waited for once.
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()))
  }

  /** Other code or another stream: what was before is written first, and its states stay. */
  async #laneOf({ partition, incarnation, codeVersion }: RangeRow): Promise<Lane> {
    const open = this.#lanes.get(partition)
    if (open?.program.codeVersion === codeVersion && open.incarnation === incarnation) return open
    await open?.close()
    const program = this.#programs.get(codeVersion)
    if (program === undefined) throw new TypeError(`No parameters for ${codeVersion}`)
    const own = this.#plan.rows.filter((row) => row.partition === partition && row.incarnation === incarnation)
    const diedOf = (reason: string): readonly number[] =>
      own.filter((row) => row.reason === reason).map(({ streamSeq }) => streamSeq)
    const lane = await Lane.open({
      partition,
      incarnation,
      program,
      states: this.#statesOf(partition),
      isStored: (snapshotId, at) => this.#isStored(snapshotId, at),
      givenUp: diedOf('crashed_processor'),
      unstorable: diedOf('unstorable'),
    })
    this.#lanes.set(partition, lane)
    return lane
  }

  #statesOf(partition: number): KeyStates {
    const states = this.#states.get(partition) ?? new KeyStates(false)
    this.#states.set(partition, states)
    return states
  }

  /** Puts the stored states in their place that the message begins from. */
  #place(row: RangeRow): void {
    for (const { state, ...key } of this.#plan.states.get(placeKey(row)) ?? []) {
      this.#statesOf(row.partition).set(key, state)
    }
  }

  /** Committed by this replay, or before the range. */
  async #isStored(
    snapshotId: string,
    { place, epoch, streamSeq }: Parameters<Ledger['isStored']>[1],
  ): Promise<boolean> {
    const { main, scratch } = this.#deps
    const { databases, incarnations } = this.#plan
    const { incarnation, partition, cursor } = place
    const at = { incarnation, partition, cursor, epoch, streamSeq }
    try {
      if (await isStoredBefore(scratch.query, snapshotId, at)) return true
      return await isStoredBeforeRange(main.query, databases, snapshotId, { incarnation, streamSeq, incarnations })
    } catch (cause) {
      // A processor asks for as long as it takes; whoever waits for a replay wants to know.
      throw new StrikeflowError('store', (cause as Error).message, { cause })
    }
  }

  /** What was passed over is passed over again: only its commit row says so. */
  #drop({ partition, incarnation, reason }: RangeRow, delivery: Delivery, { handler, flusher }: Program): void {
    const opened = handler.open(delivery)
    const meta = 'meta' in opened ? opened.meta : null
    const standing = { late: false, contentUnchanged: false, mayBeStored: false }
    const processed = { partition, delivery, outcome: 'dropped', reason, meta, standing, counts: noRows, content: null }
    flusher.add({
      processed: processed as typeof processed & { outcome: 'dropped' },
      stamp: { epoch: 1, incarnation },
      tables: [],
      publishes: [],
    })
  }

  #onWritten(flush: Flush): void {
    for (const [outcome, count] of flush.outcomes) {
      this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + count)
    }
    this.#contracts += flush.quotes.length
    this.#alerts += flush.alerts.length
  }
}
