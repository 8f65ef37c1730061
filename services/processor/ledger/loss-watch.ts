import { messageAt } from '../../../shared/bus/messages.ts'
import { streamInfo } from '../../../shared/bus/streams.ts'
import { parseRawSubject, partitionOfUnderlying } from '../../../shared/bus/subjects.ts'
import {
  type CollectorBoot,
  committedNumbers,
  type CommittedSlot,
  commitsAt,
  type PendingSlot,
  pendingSlots,
} from '../../../shared/store/queries/ledger.ts'
import { horizonMs, type LedgerDeps } from './ports.ts'
import { settle } from './losses.ts'
import { storeFacts } from './slot-rows.ts'
import { tellGaps } from './tell-gaps.ts'

const maxPending = 1_000
/** Pending slots are looked for this far behind the newest pass, or the oldest one still open, once older ones are settled. */
const lookBackMs = 30 * 60_000
const holesEveryMs = 60_000
/** Collectors whose newest report is no older than this beside the newest of all are at work. */
const reportingMs = 10 * 60_000

/** Of those who reported last: a market that was set back (a simulation begun anew) goes on from where it was set to. */
function newestPassMs(boots: readonly CollectorBoot[]): number {
  const lastReportMs = Math.max(...boots.map(({ reportedAtMs }) => reportedAtMs))
  const reporting = boots.filter(({ reportedAtMs }) => reportedAtMs > lastReportMs - reportingMs)
  return Math.min(...reporting.map(({ lastStartedMs }) => lastStartedMs))
}

/**
 * Finds messages that the stream acknowledged and that were never stored: deleted, discarded, dead-lettered, or gone with the end of
 * a stream that went back. The collector's report names the sequence of each, so that also the last ones of all show.
 */
export class LossWatch {
  readonly #deps: LedgerDeps
  readonly #settledBefore = new Map<string, number>()
  /** Where a provider's next look goes on: a thousand chains that nobody reads must not hide what was lost behind them. */
  readonly #lookedTo = new Map<string, PendingSlot>()
  #holesAtMs = -Infinity
  #settledAtMs = -Infinity

  constructor(deps: LedgerDeps) {
    this.#deps = deps
  }

  async look(boots: readonly CollectorBoot[]): Promise<void> {
    const { settings, clock } = this.#deps
    // A day of a large universe is half a million slots to look through.
    if (clock() - this.#settledAtMs < settings.ledgerSettleMs / 2) return
    this.#settledAtMs = clock()
    let pendingCount = 0
    for (const [provider, ofProvider] of Map.groupBy(boots, (boot) => boot.provider)) {
      pendingCount += await this.#settle(provider, ofProvider)
    }
    this.#deps.metrics.pending.set(pendingCount)
    await this.#countHoles(boots)
  }

  async #settle(provider: string, boots: readonly CollectorBoot[]): Promise<number> {
    const { store, settings } = this.#deps
    const newestMs = newestPassMs(boots)
    const oldestMs = Math.min(...boots.map(({ plannedFromMs }) => plannedFromMs)) - horizonMs
    const lookedTo = this.#lookedTo.get(provider)
    const fromMs = lookedTo?.slotMs ?? this.#settledBefore.get(provider) ?? oldestMs
    const from = { fromMs, fromSeq: lookedTo?.streamSeq ?? 0 }
    const pending = await pendingSlots(store.query, {
      provider,
      ...from,
      settleMs: settings.ledgerSettleMs,
      limit: maxPending,
    })
    const left = await this.#settleEach(pending)
    if (lookedTo === undefined)
      this.#settledBefore.set(provider, Math.min(left[0]?.slotMs ?? Infinity, newestMs) - lookBackMs)
    const last = pending.length < maxPending ? undefined : pending.at(-1)
    if (last === undefined) this.#lookedTo.delete(provider)
    else this.#lookedTo.set(provider, last)
    return left.length
  }

  /** Returns those whose message still waits. */
  async #settleEach(pending: readonly PendingSlot[]): Promise<readonly PendingSlot[]> {
    if (pending.length === 0) return []
    const { bus, store, settings, metrics } = this.#deps
    // First the stream and then the commit log: what is stored in between is found there.
    const { created, firstSeq, lastSeq } = await streamInfo(bus, 'CHAINS')
    const gone = await this.#goneFrom(pending.filter(({ streamSeq }) => streamSeq >= firstSeq && streamSeq <= lastSeq))
    const commits = await this.#commitsOf(pending, created)
    const evidence = { createdMs: Date.parse(created), commits, firstSeq, lastSeq, gone }
    const facts = pending.map((slot) => settle(slot, evidence, settings.slotGraceMs))
    const settled = facts.filter((fact) => fact !== null)
    await tellGaps(
      this.#deps,
      settled.filter(({ state }) => state === 'missing'),
    )
    await storeFacts(store, settled)
    for (const { state, reason } of settled) metrics.facts.inc({ state, reason })
    return pending.filter((_, i) => facts[i] === null)
  }

  async #commitsOf(pending: readonly PendingSlot[], created: string): Promise<ReadonlyMap<number, CommittedSlot>> {
    const { store, settings } = this.#deps
    // A stream that has gone back gives a sequence anew, and not always to the same partition.
    const partitions = new Map(
      pending.map(({ streamSeq, underlying }) => [streamSeq, partitionOfUnderlying(underlying, settings.partitions)]),
    )
    const found = await commitsAt(store.query, created, [...partitions.keys()])
    const own = found.filter(({ streamSeq, partition }) => partitions.get(streamSeq) === partition)
    return new Map(own.map((commit) => [commit.streamSeq, commit]))
  }

  async #goneFrom(pending: readonly PendingSlot[]): Promise<ReadonlySet<number>> {
    const gone = new Set<number>()
    for (const { streamSeq, provider, underlying } of pending) {
      const message = await messageAt(this.#deps.bus, 'CHAINS', streamSeq)
      const address = message === null ? null : parseRawSubject(message.subject)
      if (address?.underlying !== underlying || address.provider !== provider) gone.add(streamSeq)
    }
    return gone
  }

  /** By numbers alone: a check on everything above, and on reports that were lost themselves. */
  async #countHoles(boots: readonly CollectorBoot[]): Promise<void> {
    const { store, clock, metrics } = this.#deps
    if (clock() - this.#holesAtMs < holesEveryMs) return
    this.#holesAtMs = clock()
    let holes = 0
    for (const { instance, boot, lastAcked, duplicates } of boots) {
      const committed = await committedNumbers(store.query, `${instance}/${boot}`, lastAcked)
      holes += Math.max(0, lastAcked - duplicates - committed)
    }
    metrics.holes.set(holes)
  }
}
