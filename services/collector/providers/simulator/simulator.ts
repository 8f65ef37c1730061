import { StrikeflowError } from '../../../../shared/model/errors.ts'
import { type Clock, systemClock } from '../../../../shared/runtime/clock.ts'
import { createPace } from '../pace.ts'
import { type OptionChainProvider, type Pass, type PassItem, refused } from '../provider.ts'
import { type EventPlan, type InjectedEvent, quietPasses } from './events.ts'
import { type Fault, faultAt, isSkipped } from './faults.ts'
import { createGroundTruthLog } from './ground-truth-log.ts'
import { createMarket, type Market, type MarketStep } from './market.ts'
import { firstStepAt, sessionAfter, stepMsOf } from './trading-time.ts'
import { maxUnderlyings, profileOf, sizeFactor, tickersOf, type UnderlyingProfile } from './universe.ts'

/*
 * A deterministic option market. It consumes nothing and produces passes over whole chains.
 *
 * - The market is a function of (seed, pass interval, events): where a run starts, how fast it goes and which underlyings are
 *   asked for change nothing in what any one snapshot holds. Only `contractsTotal` makes chains depend on the universe.
 * - A run that continues an earlier one best starts at the open after it: then no event is cut in half.
 * - The clock is the market's own. It runs through sessions of New York and jumps from the close to the next open.
 * - Spot: geometric Brownian motion with a U-shaped session, a common factor, and a weak pull back to its base, so that an
 *   endless run stays among its strikes. Vol: a level that falls when the spot rises, under a smile with skew, curvature
 *   and term slope. Prices: Black 1976 in calendar time, rates 4 %; quotes go outward to the tick.
 * - Noise per pass of a minute: volume of an underlying lognormal, sd at most 0.35 around its U-shape (plus the sampling noise
 *   1/sqrt(n) in names that trade only n contracts a minute; the default universe trades 100 and more); 30-day at-the-money
 *   vol sd at most 0.2 vol points, 0.25 with the rounding of quotes. Overnight: vol sd at most 0.8 vol points; volume is 0
 *   at the open's pass, so that the next one shows a minute's volume and no jump.
 * - Events stand out from that: volume passes of at least 14 times the norm of the minute and some 600 contracts; vol of 7 to
 *   14 points on all expiries within one pass, halving every six passes and gone after thirty. None in the first 20 passes of
 *   a session, at least 48 passes between the starts of two of one underlying, none that runs past the close. Measured over
 *   100,000 chains: volume against the median of the ten passes before reaches 4.3 without an event and is at least 11 with
 *   one; vol rises by at most 0.75 points within a session, 2 overnight, and by at least 6.6 with an event.
 */

export interface SimulatorOptions {
  /** @default 1 */
  readonly seed?: number
  /** How many of the catalogue, at most 6,000, or which tickers; an unknown ticker is made up. @default 25 */
  readonly underlyings?: number | readonly string[]
  /** About how many contracts all chains together list. @default what the universe has: 29 thousand for 25, 1.56 million for 6,000 */
  readonly contractsTotal?: number
  /** Simulated instant of the first pass, or the next step of the market after it. @default Monday 2026-11-16 09:30 New York */
  readonly startAtMs?: number
  /** Simulated milliseconds from pass to pass. @default 60,000 */
  readonly passIntervalMs?: number
  /** Simulated milliseconds per real one once warmed up; 0 is as fast as possible. @default 12 */
  readonly speed?: number
  /** Intervals of history that come as fast as possible before the pace begins. The default ends right before the first events. @default 20 */
  readonly warmUpPasses?: number
  /** @default 'default' */
  readonly events?: EventPlan
  /** What goes wrong on purpose. @default nothing */
  readonly faults?: readonly Fault[]
  /** Ends after so many passes. @default never */
  readonly passes?: number
  /** File to which each event is appended as NDJSON when it first shows. */
  readonly groundTruthPath?: string
  /** The wall's clock, for the pace only. */
  readonly clock?: Clock
}

export interface Simulator extends OptionChainProvider {
  readonly tickers: readonly string[]
  /** What was put into the passes handed out so far, in order. */
  groundTruth(): readonly InjectedEvent[]
}

const defaultStartMs = Date.UTC(2026, 10, 16, 14, 30)
const minPassIntervalMs = 1000
const maxPassIntervalMs = 3_600_000

/** Creates the simulator. Throws StrikeflowError `config` for settings that can never work. */
export function createSimulator(options: SimulatorOptions = {}): Simulator {
  const { seed = 1, passIntervalMs = 60_000, events = 'default', faults = [], passes: limit = null } = options
  if (!(passIntervalMs >= minPassIntervalMs && passIntervalMs <= maxPassIntervalMs && passIntervalMs % 1000 === 0)) {
    throw new StrikeflowError(
      'config',
      `Expected a pass interval of whole seconds up to an hour, was ${passIntervalMs} ms`,
    )
  }
  const profiles = universeOf(options, seed)
  const market = createMarket({ seed, stepMs: passIntervalMs, profiles, events })
  const start = firstStepAt(options.startAtMs ?? defaultStartMs, passIntervalMs)
  const log = options.groundTruthPath === undefined ? undefined : createGroundTruthLog(options.groundTruthPath)
  const time = createMarketClock(options, passIntervalMs, stepMsOf(start.session, start.step))
  const truth: InjectedEvent[] = []

  async function* passes(signal: AbortSignal): AsyncGenerator<Pass> {
    let at: MarketStep = start
    /** Where the market stood at each pass that a fault may show again. */
    const steps = new Map<number, MarketStep>()
    for (let index = 0; index !== limit; index++) {
      await time.due(index, signal)
      if (signal.aborted) return
      time.set(stepMsOf(at.session, at.step))
      for (const event of market.eventsAt(at)) {
        truth.push(event)
        log?.(event)
      }
      if (faults.some(({ kind, from }) => kind === 'unchanged' && index === from - 1)) steps.set(index, at)
      if (!isSkipped(faults, index)) {
        const fetched = { at, faults, before: (fault: Fault) => steps.get(fault.from - 1) ?? at }
        yield passOf(market, profiles, fetched, { index, total: limit })
      }
      at = next(at)
    }
  }

  return {
    name: 'simulator',
    exchangeZone: 'America/New_York',
    schedule: { intervalMs: passIntervalMs, delayMs: 0 },
    capabilities: { live: false, maxConcurrency: 1, givesGreeks: true },
    tickers: profiles.map(({ ticker }) => ticker),
    now: time.now,
    passes,
    groundTruth: () => truth,
  }
}

const next = ({ session, step }: MarketStep): MarketStep =>
  step < session.lastStep ? { session, step: step + 1 } : { session: sessionAfter(session), step: 0 }

interface FetchedAt {
  readonly at: MarketStep
  readonly faults: readonly Fault[]
  /** Where the market stood before a fault began. */
  readonly before: (fault: Fault) => MarketStep
}

function passOf(
  market: Market,
  profiles: readonly UnderlyingProfile[],
  { at, faults, before }: FetchedAt,
  position: Pass['position'],
): Pass {
  const items = profiles.map((profile): PassItem => ({
    underlying: profile.ticker,
    async fetch({ scanId, signal }) {
      signal.throwIfAborted()
      const fault = faultAt(faults, profile.ticker, position.index)
      if (fault === undefined || fault.kind === 'skipped') {
        return { kind: 'snapshot', snapshot: market.snapshot(profile, at, scanId) }
      }
      if (fault.kind !== 'unchanged') return refused(fault.kind, 'planned fault')
      return { kind: 'snapshot', snapshot: market.snapshot(profile, before(fault), scanId) }
    },
  }))
  return { provider: 'simulator', startedAtMs: stepMsOf(at.session, at.step), items, position }
}

/** In order of publication: by ticker. */
function universeOf(
  { underlyings = 25, contractsTotal }: SimulatorOptions,
  seed: number,
): readonly UnderlyingProfile[] {
  const tickers = typeof underlyings === 'number' ? tickersOf(checkedCount(underlyings)) : [...new Set(underlyings)]
  if (tickers.length === 0 || !tickers.every((ticker) => /^[A-Z][A-Z0-9.]{0,5}$/.test(ticker))) {
    throw new StrikeflowError('config', 'Expected underlyings as tickers of 1 to 6 capital letters, digits and dots')
  }
  const sorted = tickers.toSorted()
  const natural = sorted.map((ticker) => profileOf(seed, ticker))
  if (contractsTotal === undefined) return natural
  const factor = sizeFactor(
    natural.map(({ targetContracts }) => targetContracts),
    contractsTotal,
  )
  return sorted.map((ticker) => profileOf(seed, ticker, factor))
}

function checkedCount(count: number): number {
  if (Number.isInteger(count) && count >= 1 && count <= maxUnderlyings) return count
  throw new StrikeflowError('config', `Expected 1 to ${maxUnderlyings} underlyings, was ${count}`)
}

/** Runs at the pace of the wall between passes and stands still where the next pass is late. */
function createMarketClock(options: SimulatorOptions, stepMs: number, startMs: number) {
  const { speed = 12, warmUpPasses = quietPasses, clock = systemClock } = options
  const pace = createPace(speed, clock)
  let current = { marketMs: startMs, wallMs: clock() }
  return {
    /** Waits until a pass is due. Closed hours take no time, so passes are counted and not the hours between them. */
    async due(index: number, signal: AbortSignal): Promise<void> {
      if (index >= warmUpPasses) await pace.until((index - warmUpPasses) * stepMs, signal)
    },
    set(marketMs: number): void {
      current = { marketMs, wallMs: clock() }
    },
    now: (): number =>
      Math.floor(current.marketMs + Math.min(stepMs - 1, Math.max(0, (clock() - current.wallMs) * speed))),
  }
}
