import { featureParams, processorSettings } from '../../services/processor/config.ts'
import { computeChain } from '../../services/processor/features/compute-chain.ts'
import { passesOf } from './passes.ts'
import { wideChain } from './wide-chain.ts'

const warmUps = 30
const repeats = 101

/** Figures that come of one pass, and what the pass takes over the whole chain. */
export interface FamilyTimes {
  readonly microseconds: number
  /** Columns of `expiry_features_v1` and `chain_features_v1`. */
  readonly features: readonly string[]
}

export interface FeatureTimes {
  readonly contracts: number
  readonly expiries: number
  /** All that is computed of a snapshot, from its columns to the figures at their stored scale: median and quickest. */
  readonly millisecondsPerChain: number
  readonly millisecondsPerChainBest: number
  readonly microsecondsPerContract: number
  readonly families: Readonly<Record<string, FamilyTimes>>
}

/** Measures all features of one wide chain, and each pass that makes some of them by itself. */
export function measureFeatures(): FeatureTimes {
  const snapshot = wideChain()
  const params = featureParams(processorSettings.parse({}))
  const whole = timed(() => computeChain(snapshot, params))
  const { expiries, passes } = passesOf(snapshot, params)
  const families = Object.entries(passes).map(([name, { run, features }]) => {
    const times: FamilyTimes = { microseconds: rounded(1000 * timed(run).medianMs), features }
    return [name, times] as const
  })
  return {
    contracts: snapshot.columns.length,
    expiries,
    millisecondsPerChain: rounded(whole.medianMs),
    millisecondsPerChainBest: rounded(whole.bestMs),
    microsecondsPerContract: rounded((1000 * whole.medianMs) / snapshot.columns.length),
    families: Object.fromEntries(families),
  }
}

const rounded = (value: number): number => Number(value.toPrecision(4))

function timed(run: () => unknown): { readonly medianMs: number; readonly bestMs: number } {
  for (let i = 0; i < warmUps; i++) run()
  const times = Array.from({ length: repeats }, () => {
    const startMs = performance.now()
    run()
    return performance.now() - startMs
  }).toSorted((a, b) => a - b)
  return { medianMs: times[times.length >> 1] ?? NaN, bestMs: times[0] ?? NaN }
}
