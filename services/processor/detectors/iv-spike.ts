import { type Baseline, emptyBaseline, roundTo, updated } from './baseline.ts'
import type { Detector, Finding, Observation } from './detector.ts'

interface IvState {
  readonly snapshotId: string
  /** Of the 30-day ATM IV, in vol points. */
  readonly level: Baseline
  /** Of the absolute distance from the level, in vol points. */
  readonly noise: Baseline
  /** True from a finding until the figure is back near its level: one rise, one alert. */
  readonly raised: boolean
}

const parameters = {
  /** Rise above the level, vol points. */
  points: 3,
  /** And so many times the usual distance. */
  timesNoise: 6,
  warmUp: 8,
  weight: 0.15,
} as const

/** The 30-day at-the-money implied volatility far above its own recent level. */
export const ivSpike: Detector<IvState> = {
  name: 'iv_spike',
  version: 1,
  parameters,
  observe(now, before) {
    const iv = now.features.atmIv30d
    if (iv === null) return { state: before ?? initial(now), finding: null }
    const points = roundTo(iv * 100, 5)
    const { level, noise, raised } = before ?? initial(now)
    const rise = level.n === 0 ? 0 : points - level.mean
    const threshold = Math.max(parameters.points, parameters.timesNoise * noise.mean)
    const spike = level.n >= parameters.warmUp && rise >= threshold
    if (spike) {
      // The level stays what it was before the rise; the figure has to come back, or time make it the new level.
      const state = {
        snapshotId: now.snapshotId,
        level: updated(level, points, parameters.weight / 5),
        noise,
        raised: true,
      }
      return {
        state,
        finding: raised ? null : finding(now, before?.snapshotId, { points, rise, level: level.mean, threshold }),
      }
    }
    return {
      state: {
        snapshotId: now.snapshotId,
        level: updated(level, points, parameters.weight),
        noise: level.n === 0 ? noise : updated(noise, Math.min(Math.abs(rise), threshold), parameters.weight),
        raised: raised && rise > threshold / 2,
      },
      finding: null,
    }
  },
}

const initial = (now: Observation): IvState => ({
  snapshotId: now.snapshotId,
  level: emptyBaseline,
  noise: emptyBaseline,
  raised: false,
})

interface Rise {
  readonly points: number
  readonly rise: number
  readonly level: number
  readonly threshold: number
}

function finding(now: Observation, previousId: string | undefined, { points, rise, level, threshold }: Rise): Finding {
  return {
    severity: rise >= 3 * threshold ? 'critical' : 'warning',
    score: roundTo(Math.min(100, 50 + 25 * Math.log2(rise / threshold)), 1),
    message: `${now.underlying}: 30-day IV ${roundTo(points, 1)} %, ${roundTo(rise, 1)} points above its level`,
    evidence: {
      atm_iv_30d: now.features.atmIv30d,
      level_vol_points: roundTo(level, 3),
      rise_vol_points: roundTo(rise, 3),
      threshold_vol_points: roundTo(threshold, 3),
      spot: now.spot,
    },
    inputs: previousId === undefined ? [now.snapshotId] : [now.snapshotId, previousId],
  }
}
