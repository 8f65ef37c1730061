import { snapshotId } from '../../../../shared/model/identity.ts'
import type { Snapshot } from '../../../../shared/model/snapshot.ts'
import { openBook, type SessionBook } from './book.ts'
import { columnsHash } from './columns-hash.ts'
import { type EventPlan, type InjectedEvent, scheduleOf, truthOf } from './events.ts'
import { createPaths } from './paths.ts'
import { quoteChain } from './quotes.ts'
import { stepMsOf, type TradingSession } from './trading-time.ts'
import type { UnderlyingProfile } from './universe.ts'

/** A moment of the market. */
export interface MarketStep {
  readonly session: TradingSession
  readonly step: number
}

export interface Market {
  /** Returns an underlying's chain at a step: the same whenever and in whatever order it is asked for. */
  snapshot(profile: UnderlyingProfile, at: MarketStep, scanId: string): Snapshot
  /** Events that first show at a step, over all underlyings. */
  eventsAt(at: MarketStep): readonly InjectedEvent[]
}

export interface MarketOptions {
  readonly seed: number
  readonly stepMs: number
  readonly profiles: readonly UnderlyingProfile[]
  readonly events: EventPlan
}

/** A market as a function of seed and time. It keeps one session's book per underlying, whatever the run's length. */
export function createMarket({ seed, stepMs, profiles, events }: MarketOptions): Market {
  const paths = createPaths(seed, stepMs)
  const books = new Map<UnderlyingProfile, SessionBook>()
  let schedule: { readonly day: number; readonly byTime: ReadonlyMap<number, readonly InjectedEvent[]> } | undefined

  function bookOf(profile: UnderlyingProfile, session: TradingSession): SessionBook {
    const known = books.get(profile)
    if (known?.session.day === session.day) return known
    const book = openBook({
      profile,
      session,
      path: paths.pathOf(profile, session),
      events: scheduleOf(events, seed, profile, session),
      volumeShape: paths.volumeShape(session),
    })
    books.set(profile, book)
    return book
  }

  function scheduled(session: TradingSession): ReadonlyMap<number, readonly InjectedEvent[]> {
    if (schedule?.day !== session.day) {
      const all = profiles.flatMap((profile) =>
        scheduleOf(events, seed, profile, session).map((event) => truthOf(event, profile, session)),
      )
      schedule = { day: session.day, byTime: Map.groupBy(all, ({ atMs }) => atMs) }
    }
    return schedule.byTime
  }

  return {
    snapshot(profile, { session, step }, scanId) {
      const { spot, columns } = quoteChain(bookOf(profile, session), step)
      const marketTimeMs = stepMsOf(session, step)
      const identity = {
        provider: 'simulator',
        underlying: profile.ticker,
        timeKind: 'market' as const,
        providerTimeMs: marketTimeMs,
        sessionDate: session.date,
        contentHash: columnsHash(spot, columns),
      }
      const meta = {
        ...identity,
        snapshotId: snapshotId(identity),
        scanId,
        spot,
        delayMs: 0,
        marketTimeMs,
        receivedAtMs: marketTimeMs,
        exchangeZone: 'America/New_York',
        multiplier: 100,
        listed: columns.length,
        rejects: [],
      }
      return { meta, columns }
    },
    eventsAt: ({ session, step }) => scheduled(session).get(stepMsOf(session, step)) ?? [],
  }
}
