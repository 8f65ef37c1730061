import type { FeatureSpec } from '../../../shared/model/feature-registry.ts'

const powersOfTen = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent)

/** Rounds to the stored scale; NaN for what is missing or no finite number. */
export function atScale(value: number, decimals: number): number {
  if (!Number.isFinite(value)) return NaN
  const power = powersOfTen[decimals] ?? 1
  const scaled = value * power
  // Beyond 2^53 there are no decimals left to round. Adding 0 turns a rounded -0 into 0.
  return Math.abs(scaled) < 2 ** 53 ? Math.round(scaled) / power + 0 : value
}

/** Returns a function that gives the figures of a registry at their stored scale, in its order, and nothing else. */
export function atStoredScale<Name extends string>(
  specs: Readonly<Record<Name, FeatureSpec>>,
): (figures: Readonly<Record<Name, number>>) => Float64Array {
  const names = Object.keys(specs) as Name[]
  const decimals = names.map((name) => specs[name].decimals)
  return (figures) => {
    const rounded = new Float64Array(names.length)
    for (let i = 0; i < names.length; i++) rounded[i] = atScale(figures[names[i] as Name], decimals[i] ?? 0)
    return rounded
  }
}

/** The figures of `atStoredScale` by their names, null for what is missing. */
export function byName<Name extends string>(
  specs: Readonly<Record<Name, unknown>>,
  figures: Float64Array,
): Record<Name, number | null> {
  const entries = Object.keys(specs).map((name, i) => {
    const value = figures[i] ?? NaN
    return [name, Number.isNaN(value) ? null : value] as const
  })
  return Object.fromEntries(entries) as Record<Name, number | null>
}
