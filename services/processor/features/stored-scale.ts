import type { FeatureSpec } from '../../../shared/model/feature-registry.ts'

const powersOfTen = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent)

/** Rounds to the stored scale; null for what is missing or no finite number. */
export function atScale(value: number, decimals: number): number | null {
  if (!Number.isFinite(value)) return null
  const scaled = value * (powersOfTen[decimals] ?? 1)
  // Beyond 2^53 there are no decimals left to round. Adding 0 turns a rounded -0 into 0.
  return Math.abs(scaled) < 2 ** 53 ? Math.round(scaled) / (powersOfTen[decimals] ?? 1) + 0 : value
}

/** Returns the figures of a registry at their stored scale, and nothing else. */
export function atStoredScale<Name extends string>(
  figures: Readonly<Record<Name, number>>,
  specs: Readonly<Record<Name, FeatureSpec>>,
): Record<Name, number | null> {
  const rounded: Partial<Record<Name, number | null>> = {}
  for (const name in specs) rounded[name] = atScale(figures[name], specs[name].decimals)
  return rounded as Record<Name, number | null>
}
