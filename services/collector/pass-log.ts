import type { PassReport } from '../../shared/model/pass-report.ts'
import type { StoredAck } from './publish.ts'
import type { Schedule } from './schedule.ts'
import type { ItemResult } from './tally.ts'

/** Who collects: every start of an instance is another boot. */
export interface Collecting {
  readonly instance: string
  readonly boot: string
  readonly live: boolean
  readonly schedule: Schedule
}

interface Sent {
  readonly underlying: string
  readonly number: number
  ack: StoredAck | null
}

/** What a provider said can be long; the ledger keeps a sentence. */
const maxDetail = 200
/** A report is one message, though every chain of a large universe is refused. */
const maxDetails = 200_000

/**
 * Keeps what became of each item of a pass and makes the report of it, from which the gap ledger knows what was expected, what
 * came and what was acknowledged.
 */
export class PassLog {
  readonly #who: Collecting
  readonly #planned = new Set<string>()
  #plannedFromMs: number | null = null
  #startedAtMs = 0
  #previousStartedAtMs: number | null = null
  #lastAcked = 0
  #duplicates = 0
  #sent: Sent[] = []
  #repeated: string[] = []
  #refused: PassReport['refused'] = []

  constructor(who: Collecting) {
    this.#who = who
  }

  /** Returns true for the first pass of this start. */
  begin(underlyings: readonly string[], startedAtMs: number): boolean {
    const isFirst = this.#plannedFromMs === null
    this.#previousStartedAtMs = isFirst ? null : this.#startedAtMs
    this.#plannedFromMs ??= startedAtMs
    this.#startedAtMs = startedAtMs
    for (const underlying of underlyings) this.#planned.add(underlying)
    this.#sent = []
    this.#repeated = []
    this.#refused = []
    return isFirst
  }

  /** A message on its way; `acked` of one that fails ends the collector. */
  sent(underlying: string, number: number, acked: Promise<StoredAck>): void {
    const sent: Sent = { underlying, number, ack: null }
    this.#sent.push(sent)
    acked.then(
      (ack) => (sent.ack = ack),
      () => {},
    )
  }

  done(underlying: string, result: ItemResult): void {
    if (result.kind === 'repeated') this.#repeated.push(underlying)
    if (result.kind === 'refused') this.#refused.push([underlying, result.reason, result.detail.slice(0, maxDetail)])
  }

  /** Says what will be fetched, before the first pass: a collector that dies in it still had a plan. */
  announcement(provider: string): PassReport {
    return { ...this.#head(provider), scanId: null, published: [], repeated: [], refused: [] }
  }

  /** Of the pass that is over; every message of it is acknowledged. */
  report(provider: string, scanId: string): PassReport {
    for (const { number, ack } of this.#sent) {
      if (ack?.duplicate === true) this.#duplicates += 1
      this.#lastAcked = Math.max(this.#lastAcked, number)
    }
    const published = this.#sent.map(({ underlying, number, ack }): PassReport['published'][number] => [
      underlying,
      ack?.duplicate === true ? 0 : number,
      ack?.streamSeq ?? 0,
    ])
    const length = Math.floor(maxDetails / Math.max(1, this.#refused.length))
    const refused = this.#refused.map(([name, reason, detail]): PassReport['refused'][number] => [
      name,
      reason,
      detail.slice(0, length),
    ])
    return { ...this.#head(provider), scanId, published, repeated: this.#repeated, refused }
  }

  /** Null when there was no pass at all. */
  ended(provider: string): PassReport | null {
    return this.#plannedFromMs === null ? null : { ...this.announcement(provider), ended: true }
  }

  #head(provider: string): Omit<PassReport, 'scanId' | 'published' | 'repeated' | 'refused'> {
    const { instance, boot, live, schedule } = this.#who
    return {
      provider,
      instance,
      boot,
      live,
      exchangeZone: schedule.zone,
      intervalMs: schedule.intervalMs,
      delayMs: schedule.delayMs,
      plannedFromMs: this.#plannedFromMs ?? this.#startedAtMs,
      startedAtMs: this.#startedAtMs,
      previousStartedAtMs: this.#previousStartedAtMs,
      underlyings: [...this.#planned],
      ownIntervalsMs: schedule.ownIntervalsMs,
      lastAcked: this.#lastAcked,
      duplicates: this.#duplicates,
      ended: false,
    }
  }
}
