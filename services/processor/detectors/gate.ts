import type { ChainFeatures } from '../../../shared/model/features.ts'

/** Below these a chain says nothing that a detector may rest on. Part of every alert's parameters hash. */
export const gateParameters = {
  /** Contracts of those listed in the session. A page lost of a provider's answer looks like a burst of selling. */
  minContractCompleteness: 0.9,
  /** Slots of the session so far. */
  minSlotCompleteness: 0.5,
  /** Seconds of market time behind the slot. */
  maxStalenessS: 900,
} as const

/** Closed set: a metric label. */
export type GateReason = 'incomplete_chain' | 'missing_slots' | 'stale'

/** Returns why detectors must not be shown a chain; null when they may. What is not known refuses nothing. */
export function refusalOf({
  contractCompleteness,
  slotCompleteness,
  stalenessS,
}: Pick<ChainFeatures, 'contractCompleteness' | 'slotCompleteness' | 'stalenessS'>): GateReason | null {
  const { minContractCompleteness, minSlotCompleteness, maxStalenessS } = gateParameters
  if (contractCompleteness !== null && contractCompleteness < minContractCompleteness) return 'incomplete_chain'
  if (stalenessS !== null && stalenessS > maxStalenessS) return 'stale'
  return slotCompleteness !== null && slotCompleteness < minSlotCompleteness ? 'missing_slots' : null
}
