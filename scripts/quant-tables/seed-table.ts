import { Precise, preciseErfcx, preciseNormalPdf, sqrtTwo } from './high-precision.ts'
import { interpolate } from './interpolate.ts'

/** Intervals by the exponent and the top two mantissa bits of w, from w = 1. */
export const seedShape = { octaves: 56, intervalsPerOctave: 4, terms: 4 } as const

/**
 * Normal volatility over straddle as a function W of w = 1 + d/p (see docs/numerics.md), as cubics in t = (w - left) / width
 * - 1/2, interval after interval.
 */
export function seedTable(): readonly number[] {
  const { octaves, intervalsPerOctave, terms } = seedShape
  const table: number[] = []
  let h = new Precise(0)
  for (let i = 0; i < octaves * intervalsPerOctave; i++) {
    const scale = 2 ** Math.floor(i / intervalsPerOctave)
    const left = scale * (1 + (i % intervalsPerOctave) / intervalsPerOctave)
    const width = scale / intervalsPerOctave
    const value = (t: Precise): Precise => {
      h = solve(new Precise(left).plus(t.plus(0.5).times(width)), h)
      return bachelier(h).ratio
    }
    table.push(...interpolate(value, terms))
  }
  return table
}

/** Everything as functions of h = d / normal volatility: price and straddle are per unit of volatility. */
function bachelier(h: Precise) {
  const density = preciseNormalPdf(h)
  const tail = preciseErfcx(h.div(sqrtTwo)).times(density).times(sqrtTwoPi).div(2)
  const price = density.minus(h.times(tail))
  const straddle = h.plus(price.times(2))
  return { w: one.plus(h.div(price)), slope: density.div(price.times(price)), ratio: one.div(straddle) }
}

const one = new Precise(1)
const sqrtTwoPi = one.div(preciseNormalPdf(new Precise(0)))

/** Newton's method on ln w, which is nearly a parabola in h. */
function solve(w: Precise, guess: Precise): Precise {
  let h = guess
  for (let i = 0; i < 60; i++) {
    const at = bachelier(h)
    // On w itself near w = 1, where the logarithm is flat.
    const step = at.w.div(w).ln().times(at.w).div(at.slope)
    h = h.minus(step)
    if (h.lt(0)) h = new Precise(0)
    if (step.abs().lt(1e-22)) return h
  }
  throw new Error(`no normal volatility for w = ${w.toString()}`)
}
