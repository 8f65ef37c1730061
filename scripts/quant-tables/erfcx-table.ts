import { exactly, Precise, preciseErfcx } from './high-precision.ts'
import { interpolate } from './interpolate.ts'

/** Shape of the table: y = numerator / (shift + x) in (0, 1], i.e. x >= numerator - shift, in equal intervals of y. */
export const erfcxShape = { shift: 6, numerator: 4, intervals: 128, terms: 8 } as const

/**
 * For each interval its centre x0 (a double taken as exact), 1 / (shift + x0), and the coefficients of erfcx as a polynomial in
 * t = intervals (y - y0), constant term first. The first interval reaches x = infinity, where erfcx is y / (4 sqrt pi): nothing
 * uses it.
 */
export function erfcxTable(): readonly number[] {
  const { shift, numerator, intervals, terms } = erfcxShape
  const table: number[] = []
  for (let i = 0; i < intervals; i++) {
    const centre = (numerator * intervals) / (i + 0.5) - shift
    const fromShift = exactly(centre).plus(shift)
    const y = new Precise(numerator * intervals).div(fromShift)
    const value = (t: Precise): Precise => preciseErfcx(new Precise(numerator * intervals).div(y.plus(t)).minus(shift))
    table.push(centre, new Precise(1).div(fromShift).toNumber(), ...interpolate(value, terms))
  }
  return table
}
