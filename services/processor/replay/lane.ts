import type { Delivery } from '../../../shared/bus/ordered-source.ts'
import { systemTimers } from '../../../shared/runtime/clock.ts'
import { createLock, InFlight } from '../delivery/in-flight.ts'
import { Partition, type PartitionPorts } from '../delivery/partition.ts'
import { beginOf } from '../delivery/place.ts'
import type { Ledger, OpenStream } from '../delivery/ports.ts'
import { deliveryRules } from '../delivery/rules.ts'
import { createTurns } from '../delivery/turns.ts'
import type { Flush } from '../flush.ts'
import type { KeyStates } from '../key-states.ts'
import { memoryBucket } from './discard.ts'
import type { Program } from './program.ts'

export interface LaneOptions {
  readonly partition: number
  readonly incarnation: string
  readonly program: Program
  readonly states: KeyStates
  readonly isStored: Ledger['isStored']
  /** Messages that were given up unread: they would kill this process as well. */
  readonly givenUp: readonly number[]
  /** Messages whose values the tables refused. */
  readonly unstorable: readonly number[]
}

/** Messages that may wait in a lane. */
const longestQueue = 64

interface Queued {
  readonly delivery: Delivery
  /** Called when all before it are done. */
  readonly before: () => void
}

/**
 * The replayed messages of one partition in one incarnation of the stream and of one code version, worked off by delivery's own
 * `Partition` as when they came from the stream.
 */
export class Lane {
  readonly program: Program
  readonly incarnation: string
  readonly #queue: Queued[] = []
  readonly #partition: Partition<Flush>
  #isClosed = false
  #failure: { readonly error: unknown } | null = null
  #pushed: PromiseWithResolvers<void> | null = null
  #taken: PromiseWithResolvers<void> | null = null

  private constructor(options: LaneOptions, inFlight: InFlight) {
    const { partition, incarnation, program, states } = options
    this.program = program
    for (const streamSeq of options.unstorable) program.flusher.unstorable.refuse({ partition, incarnation, streamSeq })
    this.incarnation = incarnation
    const fail = (error: unknown): void => {
      this.#failure ??= { error }
      this.#wake()
    }
    program.failed.catch(fail)
    const place = { partition, incarnation, cursor: beginOf(incarnation) }
    this.#partition = new Partition<Flush>(
      { place, epoch: 1, cursorMessageId: null, states, inFlight },
      {
        ports: portsOf(options, () => this.#stream()),
        flusher: program.flusher,
        turn: createTurns(systemTimers),
        onFailed: fail,
        onFault: fail,
      },
    )
    this.#partition.start()
  }

  static async open(options: LaneOptions): Promise<Lane> {
    return new Lane(options, await openInFlight(options))
  }

  /** Resolves when there is room for more. */
  async push(delivery: Delivery, before: () => void): Promise<void> {
    // What was dropped is lost to this replay: nothing after it is worth computing.
    this.#throwIfFailed()
    this.#queue.push({ delivery, before })
    this.#pushed?.resolve()
    while (this.#queue.length >= longestQueue) await this.#untilTaken()
  }

  /** Works off what is queued and waits until all of it is written. */
  async close(): Promise<void> {
    // The partition asks for the next message only when it is done with the one before.
    while (!this.#isIdle) await this.#untilTaken()
    this.#isClosed = true
    this.#pushed?.resolve()
    this.#partition.halt()
    await this.#partition.ended
    await this.program.settled(this.#partition.number)
  }

  get #isIdle(): boolean {
    return this.#queue.length === 0 && this.#pushed !== null
  }

  async #untilTaken(): Promise<void> {
    this.#throwIfFailed()
    this.#taken ??= Promise.withResolvers()
    await this.#taken.promise
    this.#throwIfFailed()
  }

  #throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure.error
  }

  #stream(): OpenStream {
    return {
      // Nothing here is in doubt, so nobody asks how much could be looked up together.
      buffered: 0,
      [Symbol.asyncIterator]: () => ({ next: () => this.#next() }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  }

  async #next(): Promise<IteratorResult<Delivery, void>> {
    while (this.#queue.length === 0) {
      if (this.#isClosed) return { done: true, value: undefined }
      this.#pushed = Promise.withResolvers()
      this.#wake()
      await this.#pushed.promise
      this.#pushed = null
    }
    const { delivery, before } = this.#queue.shift() as Queued
    before()
    this.#wake()
    return { done: false, value: delivery }
  }

  #wake(): void {
    this.#taken?.resolve()
    this.#taken = null
  }
}

function portsOf({ program, isStored }: LaneOptions, open: () => OpenStream): PartitionPorts {
  return {
    timers: systemTimers,
    handler: program.handler,
    rules: deliveryRules,
    point: () => undefined,
    observer: { delivered: () => {}, storeFailed: () => {} },
    stream: { open: () => Promise.resolve(open()) },
    ledger: { isStored, rowCounts: () => Promise.resolve(new Map()), lostRows: () => Promise.resolve(null) },
  }
}

/** What is written down of messages that kill: each that was given up counts as such again. */
function openInFlight({ partition, incarnation, givenUp }: LaneOptions): Promise<InFlight> {
  const boot = 'replay'
  const deaths = Object.fromEntries(givenUp.map((streamSeq) => [streamSeq, 3]))
  const record = { boot, epoch: 1, incarnation, to: 0, suspectTo: 0, at: null, deaths }
  const place = { partition, incarnation, cursor: beginOf(incarnation), committedTo: 0, lastSeq: 0, epoch: 1 }
  return InFlight.open(
    { ...place, hadOwner: false },
    {
      cursors: memoryBucket({ [`p${partition}`]: record }),
      rules: deliveryRules,
      boot,
      atRisk: createLock(),
      patiently: (call) => call(),
    },
  )
}
