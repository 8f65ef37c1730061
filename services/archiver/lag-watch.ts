import type { Bus } from '../../shared/bus/connect.ts'
import { type Lag, type LagLevel, readLag } from '../../shared/bus/lag-guard.ts'
import type { Clock } from '../../shared/runtime/clock.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import type { ArchiverSettings } from './config.ts'
import type { ArchiverMetrics } from './metrics.ts'

export interface LagWatchDeps {
  readonly bus: Bus
  readonly stream: string
  readonly settings: Pick<ArchiverSettings, 'lagNearShare'>
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: ArchiverMetrics
}

/** Looks now and then how far the archive is behind, tells it as metrics and a change for the worse as a log line. */
export class LagWatch {
  readonly #deps: LagWatchDeps
  #lag: Lag | null = null

  constructor(deps: LagWatchDeps) {
    this.#deps = deps
  }

  /** Null before the first look. */
  get messages(): number | null {
    return this.#lag?.messages ?? null
  }

  reasons(): readonly string[] {
    if (this.#lag === null || this.#lag.level === 'ok') return []
    return [lagText(this.#deps.stream, this.#lag)]
  }

  async look(cursorSeq: number): Promise<void> {
    const { bus, stream, settings, clock, log, metrics } = this.#deps
    try {
      const before: LagLevel = this.#lag?.level ?? 'ok'
      const lag = await readLag(bus, stream, cursorSeq, clock(), settings.lagNearShare)
      this.#lag = lag
      metrics.lagMessages.set(lag.messages)
      metrics.lagBytesRatio.set(lag.bytesShare)
      metrics.lagAgeRatio.set(lag.ageShare)
      if (lag.level === before) return
      const { level, messages, bytesShare, ageShare, lost } = lag
      const facts = { messages, bytesShare, ageShare, ...(lost === null ? {} : lost) }
      if (level === 'near') log.warn(facts, 'stream is about to discard messages that are not archived')
      else if (level === 'overtaken') log.error(facts, 'stream has discarded messages that are not archived')
      else log.info(facts, 'archive is no longer in danger of being overtaken')
    } catch (err) {
      log.warn({ err }, 'cannot read how far the archive is behind')
    }
  }
}

function lagText(stream: string, { level, bytesShare, ageShare, lost }: Lag): string {
  if (level === 'overtaken' && lost !== null)
    return `${stream} has discarded messages ${lost.fromSeq} to ${lost.toSeq} before they were archived`
  const share = Math.round(100 * Math.max(bytesShare, ageShare))
  return `${stream} is about to discard messages that are not archived: ${share} % of its retention used up`
}
