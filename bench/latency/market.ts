import type { SimulatorOptions } from '../../services/collector/providers/simulator/simulator.ts'
import { profileOf, tickersOf } from '../../services/collector/providers/simulator/universe.ts'

export interface MarketPlan {
  readonly underlyings: number
  /** Of one pass; null for what so many names list by themselves. */
  readonly contracts: number | null
  /** Passes that are measured, each a minute of the market. */
  readonly minutes: number
}

/** Chains of each name before anything is measured: the detectors learn what is usual from eight intervals. */
export const historyPasses = 10
const seed = 7
/** Monday 2026-11-16 09:30 in New York; an hour with the open's volume would be as good. */
const openMs = Date.UTC(2026, 10, 16, 14, 30)
const minuteMs = 60_000
/** Two events of each name, one of each kind: a third could stand on what is left of the first. */
export const maxMinutes = 20
/** Each name has an event in one of so many minutes, and the next one so much later. */
const eventEveryMinutes = 10
const sessionSteps = 390

/** A market with nothing in it but what is put there: a tenth of all names has an event in each minute, half of them of volume. */
export function simulatorOptions({ underlyings, contracts, minutes }: MarketPlan): SimulatorOptions {
  const tickers = tickersOf(underlyings).toSorted()
  return {
    seed,
    underlyings,
    ...(contracts === null ? {} : { contractsTotal: contracts }),
    startAtMs: openMs,
    passIntervalMs: minuteMs,
    speed: 0,
    passes: historyPasses + minutes,
    events: tickers.flatMap((ticker, index) => eventsOf(ticker, index, minutes)),
  }
}

function eventsOf(underlying: string, index: number, minutes: number) {
  const rounds = Math.ceil((minutes - (index % eventEveryMinutes)) / eventEveryMinutes)
  return Array.from({ length: Math.max(0, rounds) }, (_, round) => {
    const atMs = openMs + (historyPasses + (index % eventEveryMinutes) + round * eventEveryMinutes) * minuteMs
    // In turn: after one of volume its detector stays quiet for a quarter of an hour, and one of volatility takes time to fade.
    const isVolume = (Math.floor(index / eventEveryMinutes) + round) % 2 === 0
    return isVolume
      ? { kind: 'volume_spike' as const, underlying, atMs, magnitude: volumeMagnitude(underlying) }
      : { kind: 'iv_spike' as const, underlying, atMs, magnitude: 10 }
  })
}

/** Over the norm, and some hundreds of contracts at least: in a name that trades one a minute twenty would be nothing. */
const volumeMagnitude = (ticker: string): number =>
  Math.max(20, (600 * sessionSteps) / profileOf(seed, ticker).dailyVolume)
