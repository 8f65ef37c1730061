import type { Alert } from '../../shared/model/alert.ts'
import type { ComputedChain } from '../../shared/model/features.ts'
import type { Snapshot } from '../../shared/model/snapshot.ts'
import { toAlert } from './alert.ts'
import { detect, type DetectionResult } from './detectors/index.ts'
import type { GateReason } from './detectors/gate.ts'
import { completenessOf } from './features/completeness.ts'
import { computeChain, type FeatureParams } from './features/compute-chain.ts'
import type { KeyState, Standing } from './key-states.ts'

export interface SnapshotResult {
  readonly computed: ComputedChain
  readonly alerts: readonly Alert[]
  /** The key's state after this snapshot; null when it touches none. */
  readonly state: KeyState | null
  readonly failures: DetectionResult['failures']
  /** Why the detectors were not shown it; null when they were, or had nothing to see. */
  readonly refused: GateReason | null
}

/** Computes and detects. Pure: the same snapshot, state and parameters give the same rows and alerts. */
export function processSnapshot(
  snapshot: Snapshot,
  standing: Standing,
  before: KeyState | undefined,
  parameters: FeatureParams,
): SnapshotResult {
  const { meta } = snapshot
  const { carries, ...figures } = computeChain(snapshot, parameters, before?.carries)
  const { completeness, session } = completenessOf(snapshot, before?.session)
  const chain = figures.chain === null ? null : { ...figures.chain, ...completeness }
  const computed = { ...figures, chain }
  const quiet = { computed, alerts: [], failures: [], refused: null }
  if (standing.late) return { ...quiet, state: null }
  const after = { marketTimeMs: meta.marketTimeMs, contentHash: meta.contentHash, carries, session }
  // The same content under a later time is no news: it raises nothing and must not count as a quiet interval either.
  if (chain === null || meta.spot === null || standing.contentUnchanged) {
    return { ...quiet, state: { ...after, detectors: before?.detectors ?? {} } }
  }
  const { states, detections, failures, refused } = detect(
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
  const alerts = detections.map((detection) => toAlert(snapshot, detection, chain))
  return { computed, alerts, state: { ...after, detectors: states }, failures, refused }
}
