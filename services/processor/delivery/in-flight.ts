import { StrikeflowError } from '../../../shared/model/errors.ts'
import type { KeyValue, Place } from './ports.ts'
import { inFlightOf, type InFlightRecord } from './records.ts'
import type { DeliveryRules } from './rules.ts'

export interface InFlightDeps {
  readonly cursors: KeyValue
  readonly rules: DeliveryRules
  readonly boot: string
  /** One message at risk at a time in the whole process, or an innocent one would be blamed with the guilty. */
  readonly atRisk: Lock
  /** Repeats a call to the bucket for as long as the partition is ours. */
  readonly patiently: <T>(call: () => Promise<T>) => Promise<T>
}

/** The record was changed by somebody else: the partition has another owner. */
export class ClaimLostError extends StrikeflowError {
  constructor(partition: number) {
    super('fenced', `The range in flight of partition ${partition} was written by another owner`)
    this.name = 'ClaimLostError'
  }
}

/** So many sequences are claimed with one writing; after an unclean end the next owner goes through them message by message. */
const claimAhead = 256

export interface TakenPlace extends Place {
  readonly committedTo: number
  /** Of the stream, when the partition was taken. */
  readonly lastSeq: number
  readonly epoch: number
  /** True when somebody was owner before, so that rows may be there. */
  readonly hadOwner: boolean
}

/**
 * The range of a partition that this owner may have touched, and how often one died over a message in it. After an unclean end the
 * next owner goes message by message through the range, and gives up, unread, the message it keeps dying over.
 */
export class InFlight {
  readonly #key: string
  readonly #partition: number
  readonly #deps: InFlightDeps
  #record: InFlightRecord
  #revision: number
  #survived: number
  /** Rows may be there of messages up to here. */
  readonly doubtfulTo: number

  private constructor(place: TakenPlace, deps: InFlightDeps, record: InFlightRecord, revision: number) {
    this.#partition = place.partition
    this.#key = keyOf(place.partition)
    this.#deps = deps
    this.#record = record
    this.#revision = revision
    this.#survived = place.cursor
    this.doubtfulTo = record.to
  }

  /** Reads what the owner before left, and writes that the range is ours: from then on his own writing fails. */
  static async open(place: TakenPlace, deps: InFlightDeps): Promise<InFlight> {
    const entry = await deps.cursors.get(keyOf(place.partition))
    const record = begin(place, inFlightOf(entry?.value), deps.boot)
    const revision =
      entry === null
        ? await deps.cursors.create(keyOf(place.partition), record)
        : await deps.cursors.update(keyOf(place.partition), record, entry.revision)
    if (revision === null) throw new ClaimLostError(place.partition)
    return new InFlight(place, deps, record, revision)
  }

  /** Makes sure that it is written down before a message is touched, and every now and then how far it went well. */
  async claim(streamSeq: number): Promise<void> {
    const from = this.#survived
    if (streamSeq > this.#record.to) await this.#write({ to: streamSeq + claimAhead, from })
    else if (from >= (this.#record.from ?? 0) + claimAhead) await this.#write({ from })
  }

  /** A message is opened and computed, and this process still lives. */
  survived(streamSeq: number): void {
    this.#survived = streamSeq
  }

  isGivenUp(streamSeq: number): boolean {
    return this.#deps.rules.isGivenUp(this.#record.deaths[streamSeq] ?? 0)
  }

  /** Notes that a message is given up: what owners before computed after it may rest on it. */
  async giveUp(streamSeq: number): Promise<void> {
    const { outdated } = this.#record
    const [from, to] = [Math.min(streamSeq, outdated?.from ?? streamSeq), Math.max(this.doubtfulTo, outdated?.to ?? 0)]
    if (outdated?.from !== from || outdated.to !== to) await this.#write({ outdated: { from, to } })
  }

  /** True when rows that are there of a message are those this owner would write. */
  isUpToDate(streamSeq: number): boolean {
    const { outdated } = this.#record
    return outdated === null || outdated === undefined || streamSeq < outdated.from || streamSeq > outdated.to
  }

  /** Runs something that might be the end of the process, with the message's name written down where one has died before. */
  async atRisk<T>(streamSeq: number, run: () => T): Promise<T> {
    await this.claim(streamSeq)
    const { suspectFrom = 0, suspectTo } = this.#record
    if (streamSeq <= suspectFrom || streamSeq > suspectTo) return run()
    return this.#deps.atRisk(async () => {
      await this.#write({ at: streamSeq })
      const result = run()
      await this.#write({ at: null })
      return result
    })
  }

  /**
   * Notes a clean end, everything up to `reached` being committed. Nothing is in doubt then, unless this owner has not come to the
   * end of what the one before left: that is the next one's to look at.
   */
  async clear(reached: number): Promise<void> {
    const isThrough = reached >= this.doubtfulTo
    await this.#write(isThrough ? { to: reached, suspectTo: 0, at: null, deaths: {}, outdated: null } : { at: null })
  }

  async #write(change: Partial<InFlightRecord>): Promise<void> {
    const { cursors, patiently, boot } = this.#deps
    const record = { ...this.#record, ...change }
    const revision = await patiently(async () => {
      const written = await cursors.update(this.#key, record, this.#revision)
      if (written !== null) return written
      // A call whose answer was lost may have been ours.
      const entry = await cursors.get(this.#key)
      if (entry === null || inFlightOf(entry.value)?.boot !== boot) return null
      return cursors.update(this.#key, record, entry.revision)
    })
    if (revision === null) throw new ClaimLostError(this.#partition)
    this.#record = record
    this.#revision = revision
  }
}

const keyOf = (partition: number): string => `p${partition}`

function begin(place: TakenPlace, before: InFlightRecord | null, boot: string): InFlightRecord {
  const { incarnation, cursor, committedTo, lastSeq, hadOwner, epoch } = place
  const isKnown = before !== null && before.incarnation === incarnation
  // Nothing written down about this incarnation: any message that is there may have been touched, if ever there was an owner.
  const knownTo = isKnown ? before.to : hadOwner ? lastSeq : 0
  // A later owner is there already, and does not know yet that this is being written: what he touches is in no `lastSeq` read before.
  const isOutrun = isKnown && (before.epoch ?? 0) > epoch
  const touchedTo = isOutrun ? knownTo : Math.min(knownTo, lastSeq)
  const outdated = isKnown ? (before.outdated ?? null) : null
  const newest = Math.max(epoch, before?.epoch ?? 0)
  const to = Math.max(cursor, committedTo, touchedTo)
  const record = { boot, epoch: newest, incarnation, to, from: cursor, at: null, outdated }
  if (!isKnown) return { ...record, suspectTo: 0, deaths: {} }
  // The same process going on after a lost connection has not died over anything.
  if (before.boot === boot) {
    return { ...record, suspectFrom: before.suspectFrom ?? 0, suspectTo: before.suspectTo, deaths: before.deaths }
  }
  const deaths = { ...before.deaths }
  if (before.at !== null) deaths[before.at] = (deaths[before.at] ?? 0) + 1
  const open = Object.entries(deaths).filter(([seq]) => Number(seq) > cursor)
  return { ...record, suspectFrom: before.from ?? 0, suspectTo: touchedTo, deaths: Object.fromEntries(open) }
}

export type Lock = <T>(run: () => Promise<T>) => Promise<T>

/** One at a time, in the order of asking. */
export function createLock(): Lock {
  let last: Promise<unknown> = Promise.resolve()
  return (run) => {
    const mine = last.then(run, run)
    last = mine.catch(() => {})
    return mine
  }
}
