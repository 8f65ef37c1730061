import { createRandom, hashText, mix } from './random.ts'
import { firstStepAt, stepMsOf, type TradingSession } from './trading-time.ts'
import type { UnderlyingProfile } from './universe.ts'

const eventKinds = ['volume_spike', 'iv_spike'] as const
type EventKind = (typeof eventKinds)[number]

/** Something put into the market on purpose: what a detector has to find, and all it may find. */
export interface InjectedEvent {
  readonly id: string
  readonly kind: EventKind
  readonly underlying: string
  /** Market time of the first snapshot that shows it. */
  readonly atMs: number
  /** Market time of the last snapshot that shows it. */
  readonly untilMs: number
  /** `volume_spike`: volume of each of its passes over the norm of that minute. `iv_spike`: vol points at its first pass. */
  readonly magnitude: number
}

/** An event asked for by name; it shows in the first pass at or after `atMs`. */
interface PlannedEvent {
  readonly kind: EventKind
  readonly underlying: string
  readonly atMs: number
  readonly magnitude: number
}

export type EventPlan = 'default' | 'none' | readonly PlannedEvent[]

/** An event on the grid of one session. */
export interface ScheduledEvent {
  readonly kind: EventKind
  readonly step: number
  /** Passes in which it shows. */
  readonly passes: number
  readonly magnitude: number
}

/** Passes after the open without any event, so that whoever learns a norm has learned it. */
export const quietPasses = 20
/** An IV spike halves every six passes and is gone after thirty. */
const ivPasses = 30
const ivHalfLifePasses = 6
/** Between two events of one underlying; well over the thirty passes an IV spike lasts. */
const slotPasses = 60
const slotJitterPasses = 11
const slotShare = 0.35
/** Every so many-th underlying has an event right after the quiet passes, a different set each session. */
const openingEvery = 5
const minEventContracts = 600
const minute = 60_000

/** Vol points on top of the smile `passes` after an IV spike began, per vol point of its magnitude. */
export function ivShape(passes: number): number {
  return passes < 0 || passes >= ivPasses ? 0 : 2 ** (-passes / ivHalfLifePasses) * (1 - passes / ivPasses)
}

/** Returns the events of one underlying in one session, in order. */
export function scheduleOf(
  plan: EventPlan,
  seed: number,
  profile: UnderlyingProfile,
  session: TradingSession,
): readonly ScheduledEvent[] {
  if (plan === 'none') return []
  if (plan === 'default') return drawn(seed, profile, session)
  return plan.flatMap((planned) => {
    const at = firstStepAt(planned.atMs, session.stepMs)
    if (planned.underlying !== profile.ticker || at.session.day !== session.day) return []
    const passes = planned.kind === 'iv_spike' ? ivPasses : 1
    return [{ kind: planned.kind, step: at.step, passes, magnitude: planned.magnitude }]
  })
}

function drawn(seed: number, profile: UnderlyingProfile, session: TradingSession): readonly ScheduledEvent[] {
  const random = createRandom(mix(mix(profile.key, session.day), hashText('events')))
  const opening = (profile.ordinal + mix(seed, session.day)) % openingEvery === 0
  // With passes closer than a minute the pace of events stays that of the minute.
  const spacing = Math.max(slotPasses, Math.round((slotPasses * minute) / session.stepMs))
  const events: ScheduledEvent[] = []
  for (let slot = 0, from = quietPasses + 1; from + ivPasses < session.lastStep; slot++, from += spacing) {
    const happens = random.uniform() < slotShare
    const kind = random.uniform() < 0.5 ? 'volume_spike' : 'iv_spike'
    const jitter = Math.floor(random.uniform() * (slot === 0 ? 2 : slotJitterPasses))
    const strength = random.uniform()
    const passes = kind === 'iv_spike' ? ivPasses : 1 + Math.floor(random.uniform() * 2)
    const step = from + jitter
    if (!(slot === 0 ? opening : happens) || step + ivPasses > session.lastStep) continue
    const magnitude = kind === 'iv_spike' ? round1(7 + 7 * strength) : volumeMagnitude(strength, profile, session)
    events.push({ kind, step, passes, magnitude })
  }
  return events
}

/** Over the norm, and some hundreds of contracts at least: in a name that trades one a minute 14 would be nothing. */
function volumeMagnitude(strength: number, { dailyVolume }: UnderlyingProfile, { lastStep }: TradingSession): number {
  return round1(Math.max(14 + 16 * strength, (minEventContracts * lastStep) / dailyVolume))
}

const round1 = (value: number): number => Math.round(value * 10) / 10

/** States a scheduled event as ground truth. */
export function truthOf(event: ScheduledEvent, profile: UnderlyingProfile, session: TradingSession): InjectedEvent {
  const atMs = stepMsOf(session, event.step)
  const lastStep = Math.min(event.step + event.passes - 1, session.lastStep)
  return {
    id: `${event.kind}:${profile.ticker}:${new Date(atMs).toISOString()}`,
    kind: event.kind,
    underlying: profile.ticker,
    atMs,
    untilMs: stepMsOf(session, lastStep),
    magnitude: event.magnitude,
  }
}
