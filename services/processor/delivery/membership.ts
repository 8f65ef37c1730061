import { StrikeflowError } from '../../../shared/model/errors.ts'
import { pause, type Timers } from '../../../shared/runtime/clock.ts'
import type { Logger } from '../../../shared/runtime/logger.ts'
import { assign } from './assignment.ts'
import type { KeyValue, Point, WatchedEntry } from './ports.ts'
import { type LeaseRecord, leaseOf, type MemberRecord, memberOf } from './records.ts'
import type { DeliveryRules } from './rules.ts'

interface Seen<T> {
  readonly record: T
  readonly revision: number
  seenMs: number
}

export interface MembershipOptions {
  readonly coord: KeyValue
  readonly timers: Timers
  readonly log: Logger
  readonly point: Point
  readonly rules: DeliveryRules
  readonly instance: string
  readonly boot: string
  readonly partitions: number
  readonly ttlMs: number
  readonly renewMs: number
  /** Called whenever the assignment may have changed, and when writing is allowed again. */
  readonly onChange: () => void
}

/**
 * Who is alive and who owns what, by compare-and-set in a bucket. A member is dead when its record's revision has not changed for
 * the time to live by this process's own clock: no two clocks are ever compared. This decides only who tries; that two never
 * write the same partition is the epoch's work, in the sink.
 */
export class Membership {
  readonly #options: MembershipOptions
  readonly #me: MemberRecord
  #members = new Map<string, Seen<MemberRecord>>()
  #leases = new Map<number, Seen<LeaseRecord>>()
  readonly #leaving = new AbortController()
  readonly #superseded = Promise.withResolvers<never>()
  #revision = 0
  #renewedMs = -Infinity
  #loops: Promise<unknown> = Promise.resolve()
  #isCurrent = false
  #currentSinceMs = 0
  #lastView = ''

  constructor(options: MembershipOptions) {
    this.#options = options
    this.#me = { instance: options.instance, boot: options.boot }
    this.#superseded.promise.catch(() => {})
  }

  /** Rejects when another process has started under this instance's name; never resolves. */
  get superseded(): Promise<never> {
    return this.#superseded.promise
  }

  /** Makes this process known and reads who else is there; rejects when the bucket does not answer. */
  async join(): Promise<void> {
    const { coord } = this.#options
    const key = memberKey(this.#me.instance)
    const askedMs = this.#options.timers.nowMs()
    // Whatever an earlier start of this instance left is no longer alive from now on.
    const before = await coord.get(key)
    const revision =
      before === null ? await coord.create(key, this.#me) : await coord.update(key, this.#me, before.revision)
    if (revision === null)
      throw new StrikeflowError('bus', 'Another process joins under the same name', { retryable: true })
    this.#renewed(revision, askedMs)
    this.#loops = Promise.all([this.#watch(), this.#renew(), this.#lookOut()])
  }

  /** False when others may take this process for dead soon: nothing may be begun that lasts. */
  mayWrite(): boolean {
    const { timers, ttlMs, renewMs } = this.#options
    return timers.nowMs() - this.#renewedMs < ttlMs - Math.max(renewMs, ttlMs / 4)
  }

  /** True when all that the bucket holds has been seen: an assignment made of half of it would be wrong. */
  get isCurrent(): boolean {
    return this.#isCurrent
  }

  /** Partitions this process should own. */
  desired(): readonly number[] {
    const { partitions } = this.#options
    const live = [...this.#members.values()]
      .filter((member) => this.#isLive(member))
      .map(({ record }) => record.instance)
    const members = [...new Set([...live, this.#me.instance])].toSorted()
    return assign(partitions, members).flatMap((owner, partition) => (owner === this.#me.instance ? [partition] : []))
  }

  isMine(partition: number): boolean {
    return this.#leases.get(partition)?.record.owner?.boot === this.#me.boot
  }

  /** Partitions whose leases are in this process's name, whether it works on them or not. */
  leased(): readonly number[] {
    return [...this.#leases.keys()].filter((partition) => this.isMine(partition))
  }

  /** True when nobody alive but this process holds it. */
  isFree(partition: number): boolean {
    const { timers, ttlMs } = this.#options
    const owner = this.#leases.get(partition)?.record.owner ?? null
    if (owner === null || owner.boot === this.#me.boot) return true
    const member = this.#members.get(owner.instance)
    // Unknown is not dead: a record written anew while the watch began is told a little later.
    if (member === undefined) return timers.nowMs() - this.#currentSinceMs > ttlMs
    return member.record.boot !== owner.boot || !this.#isLive(member)
  }

  /** The highest epoch a lease of this partition had; 0 when there was none. */
  epochOf(partition: number): number {
    return this.#leases.get(partition)?.record.epoch ?? 0
  }

  /** Takes a lease, or renews one under a higher epoch; false when somebody else was faster. */
  takeLease(partition: number, epoch: number): Promise<boolean> {
    return this.#writeLease(partition, { owner: this.#me, epoch })
  }

  async releaseLease(partition: number): Promise<void> {
    if (this.isMine(partition)) await this.#writeLease(partition, { owner: null, epoch: this.epochOf(partition) })
  }

  async #writeLease(partition: number, record: LeaseRecord): Promise<boolean> {
    const { coord, timers, rules } = this.#options
    // Of this watch: an answer that comes when the bucket was made anew says nothing of the new one.
    const leases = this.#leases
    const known = leases.get(partition)
    const key = leaseKey(partition)
    const revision =
      known === undefined ? await coord.create(key, record) : await coord.update(key, record, known.revision)
    if (revision === null) return false
    // Written over what was told, it would hide the later owner for ever: nobody tells of him a second time.
    if (rules.isOverwritten(revision, leases.get(partition)?.revision ?? 0)) return false
    leases.set(partition, { record, revision, seenMs: timers.nowMs() })
    return true
  }

  /** Ends the watch and takes this process's record away. */
  async leave(): Promise<void> {
    this.#leaving.abort()
    await this.#loops
    await this.#options.coord.remove(memberKey(this.#me.instance), this.#revision)
  }

  #isLive({ record, seenMs }: Seen<MemberRecord>): boolean {
    const { timers, ttlMs } = this.#options
    return record.boot === this.#me.boot || timers.nowMs() - seenMs <= ttlMs
  }

  #renewed(revision: number, askedMs: number): void {
    const couldWrite = this.mayWrite()
    this.#revision = revision
    this.#renewedMs = askedMs
    // Late and renewed between two looks: nobody else would notice, and who waits for it would wait for ever.
    if (this.#options.rules.endsWaiting(couldWrite)) this.#options.onChange()
  }

  async #renew(): Promise<void> {
    const { timers, renewMs, log } = this.#options
    const { signal } = this.#leaving
    await pause(timers, renewMs, signal)
    while (!signal.aborted) {
      try {
        await this.#renewOnce()
      } catch (err) {
        log.warn({ err }, 'cannot renew the leases yet')
      }
      await pause(timers, renewMs, signal)
    }
  }

  async #renewOnce(): Promise<void> {
    const { coord, timers, point } = this.#options
    const key = memberKey(this.#me.instance)
    const askedMs = timers.nowMs()
    const revision = await coord.update(key, this.#me, this.#revision)
    await point('renewing')
    if (revision !== null) return this.#renewed(revision, askedMs)
    const entry = await coord.get(key)
    const other = memberOf(entry?.value)
    if (other !== null && other.boot !== this.#me.boot) {
      this.#superseded.reject(
        new StrikeflowError(
          'config',
          `Another processor has started as ${this.#me.instance}: give each its own PROCESSOR_INSTANCE`,
        ),
      )
      return
    }
    // Ours all the same, its answer was lost; or somebody has taken us for dead, or the bucket was made anew.
    const again = entry === null ? await coord.create(key, this.#me) : await coord.update(key, this.#me, entry.revision)
    if (again !== null) this.#renewed(again, askedMs)
  }

  /** Notices what no message tells: that others have gone silent, or that we have. */
  async #lookOut(): Promise<void> {
    const { timers, ttlMs, renewMs } = this.#options
    const { signal } = this.#leaving
    while (!signal.aborted) {
      await pause(timers, ttlMs / 8, signal)
      const nowMs = timers.nowMs()
      // Who is not heard himself cannot judge the silence of others.
      if (nowMs - this.#renewedMs > 1.5 * renewMs) for (const member of this.#members.values()) member.seenMs = nowMs
      if (this.#isCurrent) this.#tellChanges()
      await this.#sweep(nowMs)
    }
  }

  /** Takes away the records of the long dead. */
  async #sweep(nowMs: number): Promise<void> {
    const { coord, ttlMs } = this.#options
    for (const [instance, { record, revision, seenMs }] of this.#members) {
      if (record.boot === this.#me.boot || nowMs - seenMs < 10 * ttlMs) continue
      await coord.remove(memberKey(instance), revision).catch(() => {})
    }
  }

  #tellChanges(): void {
    const view = JSON.stringify([
      this.mayWrite(),
      [...this.#members.values()].map((member) => [member.record.boot, this.#isLive(member)]),
      [...this.#leases].map(([partition, { record }]) => [partition, record.owner?.boot, this.isFree(partition)]),
    ])
    if (view === this.#lastView) return
    this.#lastView = view
    this.#options.onChange()
  }

  async #watch(): Promise<void> {
    const { coord, timers, log } = this.#options
    const { signal } = this.#leaving
    while (!signal.aborted) {
      // The bucket may have been made anew, and its revisions with it.
      this.#isCurrent = false
      this.#members = new Map()
      this.#leases = new Map()
      try {
        for await (const entry of coord.watch(signal)) {
          this.#note(entry)
          if (entry.isCurrent && !this.#isCurrent) {
            this.#isCurrent = true
            this.#currentSinceMs = timers.nowMs()
          }
          if (this.#isCurrent) this.#tellChanges()
        }
      } catch (err) {
        log.warn({ err }, 'cannot watch the leases yet')
      }
      await pause(timers, 250, signal)
    }
  }

  #note({ key, value, revision }: WatchedEntry): void {
    const seenMs = this.#options.timers.nowMs()
    const [kind, ...rest] = key.split('.')
    if (kind === 'member') note(this.#members, rest.join('.'), memberOf(value), revision, seenMs)
    else if (kind === 'lease')
      note(this.#leases, Number(key.slice('lease.p'.length)), value === null ? null : leaseOf(value), revision, seenMs)
  }
}

/** Our own writing is known before the watch tells of it: what is older than that is no news. */
function note<K, T>(seen: Map<K, Seen<T>>, key: K, record: T | null, revision: number, seenMs: number): void {
  if (revision < (seen.get(key)?.revision ?? 0)) return
  if (record === null) seen.delete(key)
  else if (revision !== seen.get(key)?.revision) seen.set(key, { record, revision, seenMs })
}

const leaseKey = (partition: number): string => `lease.p${partition}`

/** Bucket keys are letters, digits, `-`, `_`, `.`, `=` and `/`. */
const memberKey = (instance: string): string => `member.${instance}`
