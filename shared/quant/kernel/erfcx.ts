import { erfcxShape, erfcxTable } from './erfcx-table.ts'

const { shift, numerator, intervals } = erfcxShape
const scale = numerator * intervals

/** Doubles an interval: centre, scale and eight coefficients. */
const stride = 10

/**
 * exp(x^2) erfc(x) for x > -2 by table: one division and some ten multiply-adds. Small enough for the compiler to inline it
 * into the passes, which is what makes them fast. The offset in the interval is y - y0 = y (x0 - x) / (shift + x0), since the
 * rounding of y itself would cost a digit.
 */
export function tableErfcx(x: number): number {
  const y = scale / (shift + x)
  const c = (y | 0) * stride
  const t = y * (erfcxTable[c]! - x) * erfcxTable[c + 1]!
  const square = t * t
  const low = erfcxTable[c + 2]! + t * erfcxTable[c + 3]! + square * (erfcxTable[c + 4]! + t * erfcxTable[c + 5]!)
  const high = erfcxTable[c + 6]! + t * erfcxTable[c + 7]! + square * (erfcxTable[c + 8]! + t * erfcxTable[c + 9]!)
  return low + square * square * high
}
