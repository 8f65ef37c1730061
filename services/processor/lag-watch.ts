import type { Bus } from '../../shared/bus/connect.ts'
import { publishDiscarded } from '../../shared/bus/gaps.ts'
import { assessLag, type Lag } from '../../shared/bus/lag-guard.ts'
import { nextMessage } from '../../shared/bus/messages.ts'
import type { Publisher } from '../../shared/bus/publisher.ts'
import { type StreamInfo, streamInfo } from '../../shared/bus/streams.ts'
import { rawFilter } from '../../shared/bus/subjects.ts'
import type { Clock } from '../../shared/runtime/clock.ts'
import { pause, type Timers } from '../../shared/runtime/clock.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import { type SequenceRun, uncommittedRuns } from '../../shared/store/queries/lost-messages.ts'
import type { Query } from '../../shared/store/queries/query.ts'
import type { Position } from './delivery/status.ts'
import type { ProcessorSettings } from './config.ts'
import type { ProcessorMetrics } from './metrics.ts'

export interface LagWatchDeps {
  readonly bus: Bus
  readonly query: Query
  readonly publisher: Pick<Publisher, 'publish'>
  readonly settings: Pick<ProcessorSettings, 'lagCheckMs' | 'lagNearShare'>
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Logger
  readonly metrics: Pick<ProcessorMetrics, 'lagMessages' | 'lagBytesRatio' | 'lagAgeRatio' | 'discarded'>
}

const stream = 'CHAINS'
const asReader = { service: 'processor', participle: 'processed', reason: 'retention' } as const
const maxRuns = 100
/** Discarded messages keep the processor's readiness degraded for so long after they were noticed. */
const shownMs = 5 * 60_000

/**
 * Looks now and then how much of the stream's retention the owned partitions still need, and what it has discarded before anybody
 * had read it. The slots of lost chains are the gap ledger's to tell; this tells of the messages, reports or none.
 */
export class LagWatch {
  readonly #deps: LagWatchDeps
  #lag: Lag | null = null
  #lostAtMs = -Infinity
  #lostCount = 0
  /** Of the stream this was looked at for. */
  #created = ''
  /** Sequences below have their commit rows, or were told as lost. */
  #checkedBelow = 0
  #firstSeq = 0

  constructor(deps: LagWatchDeps) {
    this.#deps = deps
  }

  /** Why the processor is degraded; empty when it is not. */
  problems(): readonly string[] {
    const isNear = this.#lag !== null && this.#lag.level !== 'ok'
    const share = Math.round(100 * Math.max(this.#lag?.bytesShare ?? 0, this.#lag?.ageShare ?? 0))
    return [
      ...(isNear
        ? [`${stream} is about to discard messages that are not processed: ${share} % of its retention used up`]
        : []),
      ...(this.#deps.clock() - this.#lostAtMs < shownMs
        ? [`${stream} has discarded ${this.#lostCount} messages before they were processed`]
        : []),
    ]
  }

  async run(positions: () => readonly Position[], signal: AbortSignal): Promise<void> {
    const { timers, settings, log } = this.#deps
    while (!signal.aborted) {
      await this.look(positions()).catch((err: unknown) => log.warn({ err }, 'cannot read how far behind'))
      await pause(timers, settings.lagCheckMs, signal)
    }
  }

  async look(positions: readonly Position[]): Promise<void> {
    if (positions.length === 0) return
    const info = await streamInfo(this.#deps.bus, stream)
    await this.#lookAhead(info, positions)
    await this.#lookBehind(info, positions)
  }

  async #lookAhead(info: StreamInfo, positions: readonly Position[]): Promise<void> {
    const { bus, clock, settings, metrics, log } = this.#deps
    const unread = await Promise.all(
      positions.map(({ partition, reached }) =>
        nextMessage(bus, stream, Math.max(reached + 1, info.firstSeq), rawFilter(partition)),
      ),
    )
    const oldest = unread.filter((message) => message !== null).toSorted((a, b) => a.streamSeq - b.streamSeq)[0]
    const cursorSeq = oldest === undefined ? info.lastSeq : oldest.streamSeq - 1
    const oldestUnreadAtMs = oldest?.publishedAtMs ?? null
    const lag = assessLag({ stream: info, cursorSeq, oldestUnreadAtMs, nowMs: clock() }, settings.lagNearShare)
    const before = this.#lag?.level ?? 'ok'
    this.#lag = lag
    metrics.lagMessages.set(lag.messages)
    metrics.lagBytesRatio.set(lag.bytesShare)
    metrics.lagAgeRatio.set(lag.ageShare)
    if (lag.level === before) return
    const { messages, bytesShare, ageShare } = lag
    if (lag.level === 'ok')
      log.info({ messages, bytesShare, ageShare }, 'processing is no longer in danger of being overtaken')
    else log.warn({ messages, bytesShare, ageShare }, 'stream is about to discard messages that are not processed')
  }

  /** Sequences that were gone from the stream at the last look, and have no commit row of any partition. */
  async #lookBehind({ created, firstSeq }: StreamInfo, positions: readonly Position[]): Promise<void> {
    // What was discarded since the last look may still be in somebody's hands.
    const belowSeq = created === this.#created ? this.#firstSeq : 0
    // A partition that never had a message says nothing of when this began.
    const cursors = positions.map(({ cursor }) => cursor).filter((cursor) => cursor > 0)
    // Of an empty stream the first sequence may be 0.
    if (created !== this.#created)
      this.#checkedBelow = Math.max(1, Math.min(firstSeq, ...cursors.map((cursor) => cursor + 1)))
    this.#created = created
    this.#firstSeq = firstSeq
    if (belowSeq <= this.#checkedBelow) return
    const range = { fromSeq: this.#checkedBelow, belowSeq }
    const runs = await uncommittedRuns(this.#deps.query, created, range, maxRuns)
    for (const run of runs) {
      await this.#tell(created, run)
      // Where telling the next one fails, this one is not told and counted again.
      this.#checkedBelow = run.toSeq + 1
    }
    const last = runs.length === maxRuns ? runs.at(-1) : undefined
    this.#checkedBelow = last === undefined ? belowSeq : last.toSeq + 1
  }

  async #tell(created: string, { fromSeq, toSeq }: SequenceRun): Promise<void> {
    const { publisher, clock, log, metrics } = this.#deps
    const messages = toSeq - fromSeq + 1
    await publishDiscarded(publisher, asReader, { stream, created, fromSeq, toSeq, noticedAtMs: clock() })
    // Counted once it is told: what could not be told is looked at anew.
    log.error({ fromSeq, toSeq, messages }, 'stream has discarded messages before they were processed')
    metrics.discarded.inc(messages)
    if (clock() - this.#lostAtMs >= shownMs) this.#lostCount = 0
    this.#lostCount += messages
    this.#lostAtMs = clock()
  }
}
