import { pause } from '../../../shared/runtime/clock.ts'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import type { Delivery } from '../../../shared/bus/ordered-source.ts'
import type { KeyState, KeyStates, Standing } from '../key-states.ts'
import { auditWindowMs } from './audit-window.ts'
import type { Flusher } from './flusher.ts'
import type { InFlight } from './in-flight.ts'
import {
  type Batch,
  type ChainStream,
  type Ledger,
  type LostRows,
  noRows,
  type Observer,
  type Opened,
  type OpenStream,
  type Place,
  type Ports,
  type Processed,
  type Refused,
  type RowCounts,
} from './ports.ts'

/** What the taking of a partition found. */
export interface Taken {
  readonly place: Place
  readonly epoch: number
  readonly cursorMessageId: string | null
  readonly states: KeyStates
  readonly inFlight: InFlight
}

/** What a partition needs of the ports: a replay has no others. */
export type PartitionPorts = Pick<Ports<Batch>, 'timers' | 'handler' | 'rules' | 'point'> & {
  readonly stream: Pick<ChainStream, 'open'>
  readonly ledger: Pick<Ledger, 'isStored' | 'rowCounts' | 'lostRows'>
  readonly observer: Pick<Observer<Batch>, 'delivered' | 'storeFailed'>
}

export interface PartitionDeps<B extends Batch> {
  readonly ports: PartitionPorts
  readonly flusher: Flusher<B>
  /** Gives way to timers and sockets now and then: the leases are renewed on the same thread. */
  readonly turn: () => Promise<void>
  /** Called once when it cannot go on; not when it was halted. */
  readonly onFailed: (error: unknown) => void
  /** For what no new beginning mends: the process has to end. */
  readonly onFault: (error: unknown) => void
}

type Looked = Opened | Refused

/** From so many messages in the stream on a partition is behind. */
const behindMessages = 16

/** Header of a message that was published again on purpose. */
const replayOf = 'Sf-Replay-Of'

/** Messages whose rows are looked up together. */
const lookupBatch = 64

const nothing: Standing = { late: false, contentUnchanged: false, mayBeStored: false }
const givenUp: Refused = { reason: 'crashed_processor', error: new Error('The processor died three times over it') }

/**
 * One owned partition, from its taking to its release: reads on from the cursor, each message in turn, and hands what becomes of
 * it to the joint flush. While messages may have rows already (an owner before had them in flight), those are looked up first.
 */
export class Partition<B extends Batch> {
  readonly taken: Taken
  readonly #deps: PartitionDeps<B>
  readonly #halt = new AbortController()
  #source: OpenStream | null = null
  #ended: Promise<void> = Promise.resolve()
  #reached: number
  /** By key, the last snapshot whose rows were written again: the next may rest on its state, which is not in the table yet. */
  readonly #rewritten = new Map<string, { readonly snapshotId: string; readonly state: KeyState }>()

  constructor(taken: Taken, deps: PartitionDeps<B>) {
    this.taken = taken
    this.#reached = taken.place.cursor
    this.#deps = deps
  }

  get number(): number {
    return this.taken.place.partition
  }

  /** The last message that was handed to a flush. */
  get reached(): number {
    return this.#reached
  }

  start(): void {
    this.#ended = this.#run()
  }

  /** From this moment on nothing of it is added to a flush. */
  halt(): void {
    this.#halt.abort()
    this.#deps.flusher.wake()
    void this.#source?.[Symbol.asyncDispose]()
  }

  /** Resolves when it has come to rest after a halt or a failure. */
  get ended(): Promise<void> {
    return this.#ended
  }

  get #isHalted(): boolean {
    return this.#halt.signal.aborted
  }

  async #run(): Promise<void> {
    const { ports, onFailed } = this.#deps
    try {
      const { place, cursorMessageId } = this.taken
      await using source = await ports.stream.open(place, cursorMessageId)
      this.#source = source
      if (!this.#isHalted) await this.#consume(source)
      if (!this.#isHalted) throw new StrikeflowError('bus', 'The stream ended', { retryable: true })
    } catch (error) {
      if (this.#isHalted) return
      this.#halt.abort()
      onFailed(error)
    }
  }

  async #consume(source: OpenStream): Promise<void> {
    const iterator = source[Symbol.asyncIterator]()
    const { doubtfulTo } = this.taken.inFlight
    while (!this.#isHalted) {
      const deliveries: Delivery[] = []
      let isDoubtful = false
      do {
        const next = await iterator.next()
        if (next.done === true) return
        deliveries.push(next.value)
        isDoubtful = next.value.streamSeq < doubtfulTo && source.buffered > 0
      } while (isDoubtful && deliveries.length < lookupBatch)
      await this.#handle(deliveries)
    }
  }

  async #handle(deliveries: readonly Delivery[]): Promise<void> {
    const { inFlight } = this.taken
    const looked: (readonly [Delivery, Looked])[] = []
    for (const delivery of deliveries) looked.push([delivery, await this.#open(delivery)])
    const doubtful = looked.flatMap(([{ streamSeq }, it]) =>
      isOpen(it) && streamSeq <= inFlight.doubtfulTo ? [it.meta] : [],
    )
    const present =
      doubtful.length === 0 ? noneThere : await this.#untilAnswered(() => this.#deps.ports.ledger.rowCounts(doubtful))
    await this.#deps.ports.point('read-back')
    for (const [delivery, it] of looked) {
      await this.#deps.turn()
      if (!this.#isHalted) await this.#process(delivery, it, present)
      this.#deps.ports.observer.delivered(this.number, delivery.pendingCount)
    }
  }

  async #open(delivery: Delivery): Promise<Looked> {
    const { inFlight, place } = this.taken
    const { streamSeq } = delivery
    const refused = inFlight.isGivenUp(streamSeq)
      ? givenUp
      : this.#deps.flusher.unstorable.refusalOf({ ...place, streamSeq })
    if (refused !== null) {
      await inFlight.giveUp(streamSeq)
      return refused
    }
    const { handler, point } = this.#deps.ports
    return inFlight.atRisk(streamSeq, () => {
      void point('opening')
      return refusing('undecodable', () => handler.open(delivery))
    })
  }

  async #process(delivery: Delivery, it: Looked, present: ReadonlyMap<string, RowCounts>): Promise<void> {
    if (!isOpen(it)) {
      await this.#roomOrHalt()
      if (this.#isHalted) return
      await this.taken.inFlight.atRisk(delivery.streamSeq, () => this.#deadLetter(delivery, it))
      return
    }
    const standing = this.taken.states.standing(it.meta)
    const isDuplicate = await this.#isDuplicate(delivery, it, standing)
    const lost = isDuplicate ? await this.#lostRows(delivery, it) : null
    await this.#roomOrHalt()
    if (this.#isHalted) return
    if (isDuplicate) await this.#addDuplicate(delivery, it, standing, lost)
    else await this.taken.inFlight.atRisk(delivery.streamSeq, () => this.#store(delivery, it, standing, present))
    const sent = this.#deps.ports.point('alerts-sent')
    if (sent !== undefined) await sent
  }

  async #roomOrHalt(): Promise<void> {
    const { flusher } = this.#deps
    while (!flusher.hasRoom && !this.#isHalted) await flusher.roomAgain()
  }

  async #isDuplicate({ streamSeq }: Delivery, { meta }: Opened, { mayBeStored }: Standing): Promise<boolean> {
    const { ports, flusher } = this.#deps
    const { place, epoch } = this.taken
    const before = { place, epoch, streamSeq }
    const isHeld = flusher.holds(meta.snapshotId)
    const isStored =
      !isHeld && mayBeStored && (await this.#untilAnswered(() => ports.ledger.isStored(meta.snapshotId, before)))
    return ports.rules.isDuplicate({ isHeld, isStored })
  }

  /** What is stored and not under way may have lost its rows: the youngest is the audit's at taking, unless somebody asks. */
  async #lostRows({ headers }: Delivery, { meta }: Opened): Promise<LostRows | null> {
    const { ports, flusher } = this.#deps
    if (flusher.holds(meta.snapshotId)) return null
    const minAgeMs = headers.has(replayOf) ? 0 : auditWindowMs
    return this.#untilAnswered(() => ports.ledger.lostRows(meta, minAgeMs))
  }

  async #addDuplicate(delivery: Delivery, it: Opened, standing: Standing, lost: LostRows | null): Promise<void> {
    const { inFlight } = this.taken
    const again = lost && (await inFlight.atRisk(delivery.streamSeq, () => this.#again(it, lost)))
    if (!this.#isHalted) this.#add(delivery, again ?? alreadyStored(it, standing))
  }

  /** The rows a copy's first message has lost, computed as they were then; null where that cannot be. Nothing is published again. */
  #again(it: Opened, { tables, prior, late, contentUnchanged }: LostRows): Done | null {
    const { meta } = it
    const key = `${meta.underlying}/${meta.provider}`
    const last = this.#rewritten.get(key)
    const before = prior?.state ?? (last?.snapshotId === prior?.snapshotId ? last?.state : undefined)
    if (prior !== null && before === undefined) return null
    const standing: Standing = { late, contentUnchanged, mayBeStored: true }
    const computed = it.compute(standing, before)
    if ('reason' in computed) return { outcome: 'duplicate', reason: computed.reason, standing, meta }
    const { state, content } = computed
    if (state !== null) this.#rewritten.set(key, { snapshotId: meta.snapshotId, state })
    return { outcome: 'duplicate', reason: 'rows_written_again', standing, meta, content, tables }
  }

  /** Without waiting from the first look at the key's state to the flush: nothing else may come in between. */
  #store(delivery: Delivery, it: Opened, standing: Standing, present: ReadonlyMap<string, RowCounts>): void {
    if (this.#isHalted) return
    const { states, inFlight } = this.taken
    const computed = it.compute(standing, states.get(it.meta))
    if ('reason' in computed) return this.#deadLetter(delivery, computed)
    const publishes = refusing('unpublishable', () => it.publish(computed, standing))
    if ('reason' in publishes) return this.#deadLetter(delivery, publishes)
    if (computed.state !== null) states.set(it.meta, computed.state)
    const { counts, content } = computed
    const there = inFlight.isUpToDate(delivery.streamSeq) ? present.get(it.meta.snapshotId) : undefined
    this.#add(delivery, {
      outcome: 'stored',
      reason: '',
      standing,
      meta: it.meta,
      counts,
      content,
      tables: this.#deps.ports.rules.tablesToWrite(counts, there),
      publishes,
    })
  }

  /** Whatever it says: the commit row is what lets the partition go on, and names the message that the stream still has. */
  #deadLetter(delivery: Delivery, refused: Refused): void {
    if (this.#isHalted) return
    const mayHaveAlerted = delivery.streamSeq <= this.taken.inFlight.doubtfulTo
    const { handler } = this.#deps.ports
    const kept = refusing(refused.reason, () => handler.deadLetter(delivery, refused, mayHaveAlerted))
    const publishes = 'reason' in kept ? [] : kept
    this.#add(delivery, { outcome: 'dead-lettered', reason: refused.reason, standing: nothing, meta: null, publishes })
  }

  #add(delivery: Delivery, done: Done): void {
    const { streamSeq, previousSeq, messageId, publishedAtMs, publisher, pendingCount } = delivery
    const { place, epoch } = this.taken
    const { tables = [], publishes = [], counts = noRows, content = null, ...rest } = done
    // Not the delivery itself: its payload is large, and a slow sink may keep thousands of messages waiting.
    const facts = { streamSeq, previousSeq, messageId, publishedAtMs, publisher }
    const processed = { ...rest, partition: place.partition, delivery: facts, counts, content }
    try {
      const stamp = { epoch, incarnation: place.incarnation }
      this.#deps.flusher.add({ processed, stamp, tables, publishes, isBehind: pendingCount >= behindMessages })
    } catch (error) {
      // Half a message may be in the flush now. The next life finds it in flight, and gives it up at the third death.
      this.#deps.onFault(error)
      throw error
    }
    this.#reached = streamSeq
    this.taken.inFlight.survived(streamSeq)
  }

  /** Asks until the store answers, for as long as the partition is ours. */
  async #untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
    const { timers, observer } = this.#deps.ports
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await ask()
      } catch (error) {
        if (!(error instanceof StrikeflowError) || !error.retryable) throw error
        observer.storeFailed()
        await pause(timers, Math.min(5_000, 100 * 2 ** attempt), this.#halt.signal)
        if (this.#isHalted) throw error
      }
    }
  }
}

type Done = Pick<Processed, 'outcome' | 'reason' | 'standing' | 'meta'> &
  Partial<Pick<Processed, 'counts' | 'content'>> & {
    readonly tables?: readonly (keyof RowCounts)[]
    readonly publishes?: readonly Promise<unknown>[]
  }

const alreadyStored = ({ meta }: Opened, standing: Standing): Done => ({
  outcome: 'duplicate',
  reason: 'already_stored',
  standing,
  meta,
})

const noneThere: ReadonlyMap<string, RowCounts> = new Map()

/** What a handler throws over a message is that message's own refusal: nobody else waits for it. */
function refusing<T>(reason: string, run: () => T): T | Refused {
  try {
    return run()
  } catch (error) {
    return { reason, error }
  }
}

const isOpen = (it: Looked): it is Opened => 'meta' in it
