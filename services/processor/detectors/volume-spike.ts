import { type Baseline, emptyBaseline, roundTo, updated } from './baseline.ts'
import type { Detector, Finding, Observation, Verdict } from './detector.ts'

interface VolumeState {
  readonly sessionDate: string
  readonly marketTimeMs: number
  readonly snapshotId: string
  /** Contracts traded in the session so far, calls and puts. */
  readonly volume: number
  /** Of ln(contracts a minute). */
  readonly level: Baseline
  /** No second finding before this market time. */
  readonly quietUntilMs: number
}

const parameters = {
  /** Times the usual rate. */
  ratio: 5,
  minContracts: 200,
  /** Rates seen before anything is said. */
  warmUp: 8,
  weight: 0.1,
  quietMinutes: 15,
} as const

/**
 * Trading in the whole chain far above its usual rate since the last snapshot. The rate is contracts a minute of the
 * session's running volume; its level is learnt on a log scale, without the spikes themselves. The first snapshot of a
 * session only sets the starting point: what traded before it has no known duration.
 */
export const volumeSpike: Detector<VolumeState> = {
  name: 'volume_spike',
  version: 1,
  parameters,
  observe(now, before) {
    const { callVolume, putVolume } = now.features
    const volume = (callVolume ?? 0) + (putVolume ?? 0)
    const level = before?.level ?? emptyBaseline
    const start = { ...point(now, volume), level, quietUntilMs: before?.quietUntilMs ?? 0 }
    // Where a provider gives no volume there is nothing to watch: its absence is no quiet interval.
    if (callVolume === null && putVolume === null) return { state: before ?? start, finding: null }
    // A total that fell is a provider's correction: a new starting point, never a negative volume.
    if (before === undefined || before.sessionDate !== now.sessionDate || volume < before.volume) {
      return { state: start, finding: null }
    }
    return judge(now, before, volume, start)
  },
}

const point = (now: Observation, volume: number): Omit<VolumeState, 'level' | 'quietUntilMs'> => ({
  sessionDate: now.sessionDate,
  marketTimeMs: now.marketTimeMs,
  snapshotId: now.snapshotId,
  volume,
})

function judge(now: Observation, before: VolumeState, volume: number, start: VolumeState): Verdict<VolumeState> {
  const minutes = (now.marketTimeMs - before.marketTimeMs) / 60_000
  const traded = volume - before.volume
  const rate = traded / minutes
  const usual = Math.exp(before.level.mean)
  const spike =
    before.level.n >= parameters.warmUp && traded >= parameters.minContracts && rate >= parameters.ratio * usual
  // A spike must not become the new normal, or the next one would go unseen.
  if (!spike)
    return {
      state: { ...start, level: updated(before.level, Math.log(Math.max(rate, 1)), parameters.weight) },
      finding: null,
    }
  if (now.marketTimeMs < before.quietUntilMs) return { state: start, finding: null }
  return {
    state: { ...start, quietUntilMs: now.marketTimeMs + parameters.quietMinutes * 60_000 },
    finding: finding(now, before, { traded, minutes, rate, usual }),
  }
}

interface Trading {
  readonly traded: number
  readonly minutes: number
  readonly rate: number
  readonly usual: number
}

function finding(now: Observation, before: VolumeState, { traded, minutes, rate, usual }: Trading): Finding {
  const ratio = roundTo(rate / usual, 2)
  return {
    severity: ratio >= 4 * parameters.ratio ? 'critical' : 'warning',
    score: roundTo(Math.min(100, 50 + 25 * Math.log2(ratio / parameters.ratio)), 1),
    message: `${now.underlying}: ${traded} contracts in ${roundTo(minutes, 1)} min, ${ratio} times the usual rate`,
    evidence: {
      contracts_traded: traded,
      minutes: roundTo(minutes, 3),
      contracts_per_minute: roundTo(rate, 3),
      usual_contracts_per_minute: roundTo(usual, 3),
      ratio,
      pcr_volume: now.features.pcrVolume,
    },
    inputs: [now.snapshotId, before.snapshotId],
  }
}
