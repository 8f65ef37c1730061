/**
 * The question of each field: is 0 a value of the market, or the provider's word for "none"? Where it is the latter, one of
 * these turns it into missing.
 */

/** 0 becomes missing. */
export const nonZero = (values: Float64Array): Float64Array => values.map((value) => (value === 0 ? NaN : value))

/** Whatever is below the least real value becomes missing. */
export const atLeast = (least: number, values: Float64Array): Float64Array =>
  values.map((value) => (value < least ? NaN : value))

/** Missing becomes 0, for a field that the provider leaves out to say 0. */
export const absentIsZero = (values: Float64Array): Float64Array =>
  values.map((value) => (Number.isNaN(value) ? 0 : value))

/** A price that must be above 0 to be one. */
export const positiveOrNull = (value: number | null): number | null =>
  value !== null && Number.isFinite(value) && value > 0 ? value : null
