import type { Severity } from '../../../shared/model/alert.ts'
import type { ChainFeatures } from '../../../shared/model/features.ts'

/** What a detector sees of one snapshot: features as stored (already rounded), never the contracts' raw floats. */
export interface Observation {
  readonly underlying: string
  readonly provider: string
  readonly snapshotId: string
  readonly marketTimeMs: number
  readonly sessionDate: string
  readonly spot: number
  readonly features: ChainFeatures
}

export interface Finding {
  readonly severity: Severity
  /** 0..100. */
  readonly score: number
  readonly message: string
  readonly evidence: Readonly<Record<string, number | string | null>>
  /** Snapshots it rests on, newest first. */
  readonly inputs: readonly string[]
}

export interface Verdict<State> {
  /** Plain JSON: it is stored with the snapshot and read back after a restart. */
  readonly state: State
  readonly finding: Finding | null
}

/**
 * Watches one underlying at one provider, snapshot after snapshot in market time. Pure: the same state and observation
 * give the same verdict, so a replay raises the same alerts.
 */
export interface Detector<State = unknown> {
  readonly name: string
  /** Raised when the rule changes in a way that changes findings. */
  readonly version: number
  /** The rule's thresholds; their hash goes with every alert. */
  readonly parameters: Readonly<Record<string, number>>
  observe(observation: Observation, state: State | undefined): Verdict<State>
}
