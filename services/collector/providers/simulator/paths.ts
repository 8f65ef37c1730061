import { createRandom, hashText, mix, normalOf, type Random } from './random.ts'
import { firstDay, sessionOn, type TradingSession } from './trading-time.ts'
import type { UnderlyingProfile } from './universe.ts'

/** Streams of order flow within an underlying; each contract belongs to one. */
export const flowCount = 4

/** How an underlying moves through one session; every array has one entry per step. */
export interface SessionPath {
  /** Log of spot over base price. */
  readonly logSpot: Float32Array
  /** Log of the vol level over its base. */
  readonly logLevel: Float32Array
  /** Share of the session's volume traded so far, per flow, noise included: 0 at the open, about 1 at the close. */
  readonly flows: readonly Float32Array[]
  /** Contracts this session is expected to trade. */
  readonly sessionVolume: number
  /** Log of spot and level at the close before. */
  readonly previous: MarketState
}

interface MarketState {
  readonly logSpot: number
  readonly logLevel: number
}

/*
 * Noise. Per pass of a minute: volume of an underlying is its U-shaped norm times lognormal noise of sd 0.25 (0.18 common,
 * 0.3 per flow); vol moves by at most 0.08 vol points (sd) of its own and 0.08 (0.12 at the open) with the spot.
 */
const commonFlowSd = 0.18
const ownFlowSd = 0.3
const dayVolumeSd = 0.2
const levelStepSdVolPoints = 0.08
const levelOvernightSdVolPoints = 0.3
/** Share of a day's variance that happens while the market is closed. */
const overnightShare = 0.1
const tradingDays = 252
const minutesPerSession = 390
/** Pull back to the base per day: an endless run must not wander away from the listed strikes. */
const spotPull = 0.25
const levelPull = 0.15

interface DayMove {
  readonly open: MarketState
  readonly close: MarketState
}

/** Returns how an underlying opens and closes on a day, from where it closed the day before. */
function dayMove(profile: UnderlyingProfile, marketKey: number, session: TradingSession, before: MarketState): DayMove {
  const key = mix(profile.key, session.day)
  const marketDay = mix(marketKey, session.day)
  const length = sessionLength(session)
  const daySd = profile.baseVol / Math.sqrt(tradingDays)
  const { correlation, leverage, baseVol } = profile
  const own = Math.sqrt(1 - correlation * correlation)
  const gap =
    Math.sqrt(overnightShare) * daySd * (correlation * normalOf(mix(marketDay, 1)) + own * normalOf(mix(key, 1)))
  const move = intradaySd(daySd, length) * (correlation * normalOf(mix(marketDay, 2)) + own * normalOf(mix(key, 2)))
  const levelGap = (levelOvernightSdVolPoints / 100 / baseVol) * Math.min(1, baseVol / 0.3) * normalOf(mix(key, 3))
  const levelMove = levelStepSd(baseVol) * Math.sqrt(minutesPerSession * length) * normalOf(mix(key, 4))
  const open = {
    logSpot: (1 - spotPull) * before.logSpot + gap,
    logLevel: (1 - levelPull) * before.logLevel - leverage * gap + levelGap,
  }
  return { open, close: { logSpot: open.logSpot + move, logLevel: open.logLevel - leverage * move + levelMove } }
}

const sessionLength = ({ openMs, closeMs }: TradingSession): number => (closeMs - openMs) / (minutesPerSession * 60_000)
const intradaySd = (daySd: number, length: number): number => daySd * Math.sqrt((1 - overnightShare) * length)
/** Of the log level, per minute. */
const levelStepSd = (baseVol: number): number => Math.min(levelStepSdVolPoints / 100 / baseVol, 0.004)

/** Shares of the session's variance, volume and time up to each step. */
interface SessionShape {
  readonly variance: Float64Array
  readonly volume: Float64Array
  readonly even: Float64Array
}

function shapeOf({ lastStep }: TradingSession): SessionShape {
  return {
    even: cumulated(lastStep, () => 1),
    variance: cumulated(lastStep, (x) => 0.7 + 1.6 * Math.exp(-8 * x) + 0.7 * Math.exp(-12 * (1 - x))),
    volume: cumulated(lastStep, (x) => 0.65 + 1.4 * Math.exp(-10 * x) + 0.9 * Math.exp(-12 * (1 - x))),
  }
}

function cumulated(lastStep: number, density: (share: number) => number): Float64Array {
  const sums = new Float64Array(lastStep + 1)
  for (let step = 1; step <= lastStep; step++)
    sums[step] = (sums[step - 1] as number) + density((step - 0.5) / lastStep)
  const total = sums[lastStep] as number
  return total > 0 ? sums.map((sum) => sum / total) : sums
}

export interface PathSource {
  pathOf(profile: UnderlyingProfile, session: TradingSession): SessionPath
  /** Share of the session's volume expected by the end of each step, without noise. */
  volumeShape(session: TradingSession): Float64Array
}

/** Walks all underlyings through the sessions. State is one close per underlying; going back in time starts over. */
export function createPaths(seed: number, stepMs: number): PathSource {
  const marketKey = mix(seed, hashText('market'))
  const closes = new WeakMap<UnderlyingProfile, { readonly day: number; readonly state: MarketState }>()
  const sessions = new Map<number, TradingSession | null>()
  let shape:
    { readonly session: TradingSession; readonly shape: SessionShape; readonly market: Float64Array } | undefined

  function shared(session: TradingSession): NonNullable<typeof shape> {
    if (shape?.session.day !== session.day) {
      const random = createRandom(mix(mix(marketKey, session.day), 3))
      const market = Float64Array.from({ length: session.lastStep + 1 }, () => random.normal())
      shape = { session, shape: shapeOf(session), market }
    }
    return shape
  }

  function sessionKept(day: number): TradingSession | null {
    const known = sessions.get(day)
    if (known !== undefined) return known
    const session = sessionOn(day, stepMs)
    sessions.set(day, session)
    return session
  }

  /** The close of the last session before `day`. */
  function closeBefore(profile: UnderlyingProfile, day: number): MarketState {
    const known = closes.get(profile)
    const resume =
      known !== undefined && known.day < day ? known : { day: firstDay - 1, state: { logSpot: 0, logLevel: 0 } }
    let { state } = resume
    let last = resume.day
    for (let next = resume.day + 1; next < day; next++) {
      const session = sessionKept(next)
      if (session === null) continue
      state = dayMove(profile, marketKey, session, state).close
      last = next
    }
    closes.set(profile, { day: last, state })
    return state
  }

  return {
    pathOf(profile, session) {
      const previous = closeBefore(profile, session.day)
      const move = dayMove(profile, marketKey, session, previous)
      return walk(profile, session, { ...shared(session), move, previous })
    },
    volumeShape: (session) => shared(session).shape.volume,
  }
}

interface Walk {
  readonly shape: SessionShape
  readonly market: Float64Array
  readonly move: DayMove
  readonly previous: MarketState
}

function walk(
  profile: UnderlyingProfile,
  session: TradingSession,
  { shape, market, move, previous }: Walk,
): SessionPath {
  const random = createRandom(mix(mix(profile.key, session.day), 5))
  const { correlation, leverage, baseVol } = profile
  const own = Math.sqrt(1 - correlation * correlation)
  const length = sessionLength(session)
  const moveSd = intradaySd(baseVol / Math.sqrt(tradingDays), length)
  const spot = bridge(shape.variance, moveSd, move.close.logSpot - move.open.logSpot, (step) => {
    return correlation * (market[step] as number) + own * random.normal()
  })
  const levelSd = levelStepSd(baseVol) * Math.sqrt(minutesPerSession * length)
  const levelMove = move.close.logLevel - move.open.logLevel + leverage * (move.close.logSpot - move.open.logSpot)
  const level = bridge(shape.even, levelSd, levelMove, () => random.normal())
  const logSpot = new Float32Array(spot.length)
  const logLevel = new Float32Array(spot.length)
  for (let step = 0; step < spot.length; step++) {
    const moved = spot[step] as number
    logSpot[step] = move.open.logSpot + moved
    logLevel[step] = move.open.logLevel - leverage * moved + (level[step] as number)
  }
  return {
    logSpot,
    logLevel,
    flows: flowsOf(shape.volume, random),
    sessionVolume: profile.dailyVolume * length * Math.exp(dayVolumeSd * random.normal()),
    previous,
  }
}

/** A Brownian path from 0 to `end` whose variance accrues as `shares` say. */
function bridge(shares: Float64Array, sd: number, end: number, normal: (step: number) => number): Float64Array {
  const path = new Float64Array(shares.length)
  for (let step = 1; step < shares.length; step++) {
    const share = (shares[step] as number) - (shares[step - 1] as number)
    path[step] = (path[step - 1] as number) + sd * Math.sqrt(share) * normal(step)
  }
  const miss = (path.at(-1) as number) - end
  return path.map((x, step) => x - (shares[step] as number) * miss)
}

function flowsOf(volume: Float64Array, random: Random): readonly Float32Array[] {
  const common = new Float64Array(volume.length)
  for (let step = 0; step < volume.length; step++) common[step] = lognormal(commonFlowSd, random)
  return Array.from({ length: flowCount }, () => flowOf(volume, common, random))
}

function flowOf(volume: Float64Array, common: Float64Array, random: Random): Float32Array {
  const flow = new Float32Array(volume.length)
  let sum = 0
  for (let step = 1; step < volume.length; step++) {
    const expected = (volume[step] as number) - (volume[step - 1] as number)
    sum += expected * (common[step] as number) * lognormal(ownFlowSd, random)
    flow[step] = sum
  }
  return flow
}

/** Of mean 1. */
const lognormal = (sd: number, random: Random): number => Math.exp(sd * random.normal() - (sd * sd) / 2)
