import type { Alert } from '../../shared/model/alert.ts'
import type { ComputedChain } from '../../shared/model/features.ts'
import type { Snapshot } from '../../shared/model/snapshot.ts'
import { toAlert } from './alert.ts'
import { detect, type DetectionResult } from './detectors/index.ts'
import { computeChain, type FeatureParams } from './features/compute-chain.ts'
import type { KeyState, Standing } from './key-states.ts'

export interface SnapshotResult {
  readonly computed: ComputedChain
  readonly alerts: readonly Alert[]
  /** The key's state after this snapshot; null when it touches none. */
  readonly state: KeyState | null
  readonly failures: DetectionResult['failures']
}

/** Computes and detects. Pure: the same snapshot, state and parameters give the same rows and alerts. */
export function processSnapshot(
  snapshot: Snapshot,
  standing: Standing,
  before: KeyState | undefined,
  parameters: FeatureParams,
): SnapshotResult {
  const { carries, ...computed } = computeChain(snapshot, parameters, before?.carries)
  if (standing.late) return { computed, alerts: [], state: null, failures: [] }
  const { meta } = snapshot
  const after = { marketTimeMs: meta.marketTimeMs, contentHash: meta.contentHash, carries }
  const { chain } = computed
  // The same content under a later time is no news: it raises nothing and must not count as a quiet interval either.
  if (chain === null || meta.spot === null || standing.contentUnchanged) {
    return { computed, alerts: [], state: { ...after, detectors: before?.detectors ?? {} }, failures: [] }
  }
  const { states, detections, failures } = detect(
    {
      underlying: meta.underlying,
      provider: meta.provider,
      snapshotId: meta.snapshotId,
      marketTimeMs: meta.marketTimeMs,
      sessionDate: meta.sessionDate,
      spot: meta.spot,
      features: chain,
    },
    before?.detectors ?? {},
  )
  const alerts = detections.map((detection) => toAlert(snapshot, detection, chain.quality ?? 0))
  return { computed, alerts, state: { ...after, detectors: states }, failures }
}
