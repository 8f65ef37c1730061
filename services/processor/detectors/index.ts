import type { Detector, Finding, Observation } from './detector.ts'
import { type GateReason, refusalOf } from './gate.ts'
import { ivSpike } from './iv-spike.ts'
import { volumeSpike } from './volume-spike.ts'

/** Every detector, in the order they look. */
export const detectors: readonly Detector[] = [volumeSpike, ivSpike]

/** By detector name; plain JSON. */
export type DetectorStates = Readonly<Record<string, unknown>>

export interface Detection {
  readonly detector: Detector
  readonly finding: Finding
}

export interface DetectionResult {
  readonly states: DetectorStates
  readonly detections: readonly Detection[]
  /** Detectors that threw; their state stays as it was and the others go on. */
  readonly failures: readonly { readonly detector: string; readonly error: unknown }[]
  /** Why none of them was shown it; null when they were. */
  readonly refused: GateReason | null
}

/** Shows one snapshot to every detector; none that is below the floor: it raises nothing, and nothing is learnt from it. */
export function detect(observation: Observation, before: DetectorStates): DetectionResult {
  const refused = refusalOf(observation.features)
  if (refused !== null) return { states: before, detections: [], failures: [], refused }
  const states: Record<string, unknown> = { ...before }
  const detections: Detection[] = []
  const failures: { detector: string; error: unknown }[] = []
  for (const detector of detectors) {
    try {
      const { state, finding } = detector.observe(observation, before[detector.name])
      states[detector.name] = state
      if (finding !== null) detections.push({ detector, finding })
    } catch (error) {
      failures.push({ detector: detector.name, error })
    }
  }
  return { states, detections, failures, refused: null }
}
