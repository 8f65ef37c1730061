import { aborted } from '../../../shared/runtime/aborted.ts'
import { pause } from '../../../shared/runtime/clock.ts'
import { Flusher } from './flusher.ts'
import { createLock, type InFlightDeps } from './in-flight.ts'
import { Membership } from './membership.ts'
import { Partition, type Taken } from './partition.ts'
import type { Batch, DeliveryOptions, Ports } from './ports.ts'
import { fenced, isRetryable, Setbacks, startedAgain } from './setbacks.ts'
import { type DeliveryStatus, positionOf, type Position } from './status.ts'
import { StoreWatch } from './store-watch.ts'
import { takeOver } from './take.ts'
import { createTurns } from './turns.ts'
import { createBatchWriter } from './write-batch.ts'

/** A stop waits so long for the flush in hand; what is not written then is the next owner's to find. */
const drainLimitMs = 15_000

/**
 * Delivery of one process: keeps its share of the partitions taken, hands them over when others come and takes over when others
 * go. Every partition goes the same way, whatever happened before: take, read back, consume, and in the end release; after any
 * failure it begins again at taking. Kill it at any moment: what it wrote past the cursor is recognised by the next owner.
 */
export class Delivery<B extends Batch> {
  readonly #options: DeliveryOptions
  readonly #ports: Ports<B>
  readonly #membership: Membership
  readonly #flusher: Flusher<B>
  readonly #inFlight: InFlightDeps
  readonly #setbacks: Setbacks
  readonly #storeWatch: StoreWatch
  readonly #turn: () => Promise<void>
  readonly #partitions = new Map<number, Partition<B>>()
  readonly #failed = new Set<number>()
  readonly #stalled = new Map<number, Position>()
  readonly #fault = Promise.withResolvers<never>()
  #wake = Promise.withResolvers<void>()
  #joining: Promise<void> = Promise.resolve()
  #isJoined = false
  #isEnding = false
  #isOver = false
  #settledAs: string | null = null

  constructor(options: DeliveryOptions, ports: Ports<B>) {
    const { timers, sink, point } = ports
    this.#options = options
    this.#ports = ports
    this.#fault.promise.catch(() => {})
    this.#setbacks = new Setbacks(ports)
    this.#turn = createTurns(timers)
    this.#storeWatch = new StoreWatch({ ports, onStartedAgain: () => this.#onStoreStartedAgain() })
    this.#membership = new Membership({ ...options, ...ports, onChange: () => this.#wake.resolve() })
    this.#flusher = new Flusher<B>({
      createBatch: () => sink.createBatch(),
      write: createBatchWriter({
        sink,
        timers,
        point,
        mayWrite: () => (this.#isOver ? 'no' : this.#membership.mayWrite() ? 'yes' : 'wait'),
        onBusy: (err, attempt) => {
          this.#flusher.stall()
          this.#setbacks.busy(err, attempt)
        },
      }),
      servers: () => this.#storeWatch.servers,
      timers,
      maxRows: options.flushRows,
      maxWaitMs: options.flushMs,
      isHeld: () => !this.#membership.mayWrite(),
      onWritten: (batch, seconds, partitions) => {
        this.#setbacks.over(partitions)
        ports.observer.written(batch, seconds)
      },
      onDropped: (partitions, error) => this.#onDropped(partitions, error),
    })
    this.#inFlight = {
      cursors: ports.cursors,
      rules: ports.rules,
      boot: options.boot,
      atRisk: createLock(),
      patiently: (call) => this.#patiently(call),
    }
  }

  status(): DeliveryStatus {
    const problems: string[] = []
    if (!this.#isJoined) problems.push('not among the members yet')
    else if (!this.#membership.mayWrite()) problems.push('the leases cannot be renewed')
    problems.push(...this.#setbacks.problems())
    const positions = [...this.#stalled.values(), ...[...this.#partitions.values()].map(positionOf)]
    return { owned: [...this.#partitions.keys()], positions, problems }
  }

  /** Runs until the signal aborts, then hands everything over. Rejects when the process should end. */
  async run(stop: AbortSignal): Promise<void> {
    const onStop = (): void => this.#wake.resolve()
    stop.addEventListener('abort', onStop)
    const fatal = Promise.race([this.#fault.promise, this.#membership.superseded])
    fatal.catch(() => {})
    const over = new AbortController()
    try {
      void this.#watchStore(over.signal)
      await Promise.race([this.#loop(stop), aborted(stop), fatal])
    } finally {
      over.abort()
      this.#isEnding = true
      stop.removeEventListener('abort', onStop)
      await this.#end()
    }
  }

  async #loop(stop: AbortSignal): Promise<void> {
    await (this.#joining = this.#join(stop))
    while (!stop.aborted) {
      // Of this round: an alarm that is called off below must not wake the next one, which would never sleep again.
      const wake = Promise.withResolvers<void>()
      this.#wake = wake
      const waitMs = await this.#step()
      if (stop.aborted) return
      const alarm = new AbortController()
      if (waitMs !== null) void pause(this.#ports.timers, waitMs, alarm.signal).then(() => wake.resolve())
      await wake.promise
      alarm.abort()
    }
  }

  async #join(stop: AbortSignal): Promise<void> {
    const { timers, log } = this.#ports
    while (!stop.aborted) {
      try {
        await this.#membership.join()
        this.#isJoined = true
        return
      } catch (err) {
        if (!isRetryable(err)) throw err
        log.warn({ err }, 'cannot join yet')
        await pause(timers, 500, stop)
      }
    }
  }

  /** Brings what is owned closer to what should be. Returns after how long to look again, null when something has to change first. */
  async #step(): Promise<number | null> {
    const membership = this.#membership
    // Nothing is begun until the leases are renewed; whether they are still ours is looked at then.
    if (!membership.mayWrite()) return this.#options.renewMs
    this.#flusher.wake()
    await this.#let([...this.#failed], 'failed')
    // Looked at again in any case: what comes and goes between two looks of the membership is not told.
    if (!membership.isCurrent) return this.#options.renewMs
    const lost = [...this.#partitions.keys()].filter((partition) => !membership.isMine(partition))
    await this.#let(lost, 'another owner')
    const desired = new Set(membership.desired())
    for (const partition of this.#stalled.keys()) if (!desired.has(partition)) this.#stalled.delete(partition)
    this.#setbacks.keep(desired)
    await Promise.all([...this.#partitions.keys()].filter((p) => !desired.has(p)).map((p) => this.#release(p)))
    await this.#giveBack(desired)
    return this.#takeMissing([...desired])
  }

  /** Leases whose taking failed halfway and that are another's to take by now: while this process lives they would be nobody's. */
  async #giveBack(desired: ReadonlySet<number>): Promise<void> {
    const leftOver = this.#membership.leased().filter((p) => !desired.has(p) && !this.#partitions.has(p))
    try {
      await Promise.all(leftOver.map((p) => this.#patiently(() => this.#membership.releaseLease(p))))
    } catch (err) {
      this.#ports.log.warn({ err, partitions: leftOver }, 'leases not given back yet')
    }
  }

  async #takeMissing(desired: readonly number[]): Promise<number | null> {
    const missing = desired.filter((p) => !this.#partitions.has(p) && this.#membership.isFree(p))
    if (missing.length === 0) {
      const owned = [...this.#partitions.keys()].toSorted((a, b) => a - b).join()
      if (owned !== this.#settledAs) this.#ports.observer.settled()
      this.#settledAs = owned
      return null
    }
    const waitsMs = new Map(missing.map((p) => [p, this.#setbacks.waitMs(p)]))
    const due = missing.filter((partition) => (waitsMs.get(partition) ?? 0) <= 0)
    return due.length === 0 ? Math.min(...waitsMs.values()) : this.#take(due)
  }

  async #take(partitions: readonly number[]): Promise<number | null> {
    const { log, observer } = this.#ports
    try {
      // Before anything is read back: what this life of the store holds is what counts from here on.
      await this.#storeWatch.look()
      const { restarts } = this.#storeWatch
      const taken = await takeOver(partitions, {
        ports: this.#ports,
        membership: this.#membership,
        inFlight: this.#inFlight,
        insertLimitMs: this.#options.insertLimitMs,
      })
      // All of it in one life, or what was found whole may have been read half.
      await this.#storeWatch.look()
      if (this.#storeWatch.restarts !== restarts) throw startedAgain()
      const owned = taken.map(({ place }) => place.partition)
      if (owned.length > 0) observer.took(owned)
      log.info(
        { partitions: owned, epochs: taken.map(({ epoch }) => epoch), cursors: taken.map(({ place }) => place.cursor) },
        'partitions taken',
      )
      for (const each of taken) this.#start(each)
      // Again at once: what was not won may be somebody's now, or nobody's.
      return owned.length === partitions.length ? 0 : 50
    } catch (error) {
      this.#noteFailure(partitions, error)
      // Others may be due before these.
      return 0
    }
  }

  #start(taken: Taken): void {
    if (this.#isEnding) return
    const partition: Partition<B> = new Partition(taken, {
      ports: this.#ports,
      flusher: this.#flusher,
      turn: this.#turn,
      onFailed: (error) => void this.#onFailed(partition, error),
      onFault: (error) => this.#fault.reject(error),
    })
    this.#partitions.set(partition.number, partition)
    this.#setbacks.taken(partition.number)
    this.#stalled.delete(partition.number)
    partition.start()
  }

  /** Stops partitions without waiting for their flush to be written; they can be taken anew afterwards. */
  async #let(partitions: readonly number[], reason: string): Promise<void> {
    let numbers = new Set(partitions)
    while (numbers.size > 0) {
      const own = [...numbers].flatMap((number) => this.#partitions.get(number) ?? [])
      for (const partition of own) partition.halt()
      // What is under way of them goes down together with what others have in the same flush.
      await this.#flusher.abandon(numbers, fenced(reason))
      await Promise.all(own.map((partition) => partition.ended))
      for (const partition of own) {
        this.#partitions.delete(partition.number)
        if (reason === 'failed') this.#stalled.set(partition.number, positionOf(partition))
      }
      for (const number of numbers) this.#failed.delete(number)
      if (own.length > 0)
        this.#ports.observer.lost(
          own.map(({ number }) => number),
          reason,
        )
      numbers = new Set(this.#failed)
    }
  }

  /** Hands a partition over: everything of it is written, then its lease is free. */
  async #release(number: number): Promise<void> {
    const { timers, log, point } = this.#ports
    const partition = this.#partitions.get(number)
    if (partition === undefined) return
    partition.halt()
    await partition.ended
    await point('draining')
    const limit = new AbortController()
    const late = pause(timers, drainLimitMs, limit.signal).then(() => false)
    const isWritten = await Promise.race([this.#flusher.settled(number), late])
    limit.abort()
    // What is not on its way yet must never be: should the partition come back, it would go out under the new epoch.
    if (!isWritten) void this.#flusher.abandon(new Set([number]), fenced('released unwritten'))
    try {
      if (isWritten && !this.#failed.has(number)) await partition.taken.inFlight.clear(partition.reached)
      await this.#membership.releaseLease(number)
    } catch (err) {
      log.warn({ err, partition: number }, 'lease not released, it will run out')
    }
    this.#partitions.delete(number)
    this.#failed.delete(number)
    this.#ports.observer.lost([number], 'released')
  }

  /** The end of a run: hands over what can be, in bounded time. */
  async #end(): Promise<void> {
    await Promise.all([...this.#partitions.keys()].map((number) => this.#release(number)))
    this.#isOver = true
    // A stop may come while it joins: left half way, its renewing would never end.
    await this.#joining.catch(() => {})
    if (!this.#isJoined) return
    await this.#membership
      .leave()
      .catch((err: unknown) => this.#ports.log.warn({ err }, 'membership not taken back, it will run out'))
  }

  /** Repeats a call to a bucket until it answers or the process is about to end. */
  async #patiently<T>(call: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await call()
      } catch (error) {
        if (!isRetryable(error) || this.#isEnding) throw error
        await pause(this.#ports.timers, Math.min(1_000, 50 * 2 ** attempt))
      }
    }
  }

  #onDropped(partitions: ReadonlySet<number>, error: unknown): void {
    this.#halt(partitions)
    this.#noteFailure([...partitions], error)
  }

  #halt(partitions: ReadonlySet<number>): void {
    for (const partition of this.#partitions.values().filter(({ number }) => partitions.has(number))) {
      partition.halt()
      this.#failed.add(partition.number)
    }
  }

  async #watchStore(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(this.#ports.timers, this.#options.renewMs, signal)
      // While it does not answer nothing is written either; whoever waits for it says so.
      if (!signal.aborted && this.#partitions.size > 0) await this.#storeWatch.look().catch(() => {})
    }
  }

  /** Everything owned was read back from what may be there no more. What is under way is refused by the sink, or dropped here. */
  #onStoreStartedAgain(): void {
    const owned = new Set(this.#partitions.keys())
    if (owned.size === 0) return
    this.#halt(owned)
    void this.#flusher.abandon(owned, startedAgain())
    this.#noteFailure([...owned], startedAgain())
  }

  /** What it delivered before it failed is good and is written. */
  async #onFailed(partition: Partition<B>, error: unknown): Promise<void> {
    const { number } = partition
    await this.#flusher.settled(number)
    if (this.#partitions.get(number) !== partition) return
    this.#failed.add(number)
    this.#noteFailure([number], error)
  }

  /** Begins again, or ends the process where that mends nothing. */
  #noteFailure(partitions: readonly number[], error: unknown): void {
    if (this.#setbacks.note(partitions, error)) this.#wake.resolve()
    else this.#fault.reject(error)
  }
}
