import { erfcx } from '../normal.ts'
import { block } from './block.ts'

/*
 * Notation as in docs/numerics.md: with s the total volatility and x = |ln(F/K)|, the normalised out-of-the-money price is
 * b(s) = exp(-(u^2 + v^2)) A, u = x / (s sqrt 2), v = s / (2 sqrt 2), A = (erfcx(u-v) - erfcx(u+v)) / 2. Its upper bound is
 * e^(-x/2), and the distance to it the same with the sum erfcx(v-u) + erfcx(u+v).
 */

const sqrtTwoPi = 2.5066282746310002
const twoOverSqrtPi = 1.1283791670955126
const maximumSteps = 100
/** The distance of b from its bound underflows before this. */
const highestTotalVolatility = 100

/** Solves the rows of the block that `block.rest` lists, by steps inside a bracket that only shrinks. */
export function solveRest(count: number): void {
  for (let i = 0; i < count; i++) solveRow(block.rest[i]!)
}

function solveRow(j: number): void {
  const x = block.x[j]!
  const guess = block.s[j]!
  const b = block.price[j]! / block.root[j]!
  // Too small to be represented over sqrt(F K).
  if (!(b > 0)) {
    block.s[j] = NaN
    return
  }
  const toBound = (block.lower[j]! - block.price[j]!) / block.root[j]!
  block.s[j] = solveBracketed(b, toBound, x, guess > 0 && guess < highestTotalVolatility ? guess : guessOf(x, b))
}

/** Where tables and polynomials end: from b = exp(-u^2) to leading order, or the inflection of b(s) when that is higher. */
function guessOf(x: number, b: number): number {
  const depth = -Math.log(b) - 0.5 * x
  const inflection = Math.sqrt(2 * x)
  return depth > 1 ? Math.min(inflection, x / Math.sqrt(2 * depth)) : inflection + 1e-9
}

/** A(u, v); for small v by its odd Taylor series in v, since the difference would cancel what a 0DTE quote has. */
function scaledPrice(u: number, v: number): number {
  if (v >= 0.05) return 0.5 * (erfcx(u - v) - erfcx(u + v))
  // Derivatives of erfcx by their recurrence E(n+1) = 2u E(n) + 2n E(n-1).
  const u2 = 2 * u
  const e0 = erfcx(u)
  const e1 = u2 * e0 - twoOverSqrtPi
  const e2 = u2 * e1 + 2 * e0
  const e3 = u2 * e2 + 4 * e1
  const e4 = u2 * e3 + 6 * e2
  const e5 = u2 * e4 + 8 * e3
  const e6 = u2 * e5 + 10 * e4
  const e7 = u2 * e6 + 12 * e5
  const e9 = u2 * (u2 * e7 + 14 * e6) + 16 * e7
  const q = v * v
  return -v * (e1 + q * (e3 / 6 + q * (e5 / 120 + q * (e7 / 5040 + (q * e9) / 362_880))))
}

/**
 * One Householder step of fourth order on ln(value) - ln(target), where `newton` is Newton's step, `rho` = value'/value,
 * and value''/value', value'''/value' follow from the vega's own derivatives.
 */
function householderStep(newton: number, rho: number, s: number, x: number): number {
  const ratio = (x * x) / (s * s * s)
  const eta = ratio - 0.25 * s
  const tau = eta * eta - (3 * ratio) / s - 0.25
  const h2 = eta - rho
  const h3 = tau - 3 * eta * rho + 2 * rho * rho
  return (newton * (1 + 0.5 * h2 * newton)) / (1 + newton * (h2 + (h3 * newton) / 6))
}

function solveBracketed(b: number, toBound: number, x: number, guess: number): number {
  const nearBound = b > toBound
  const target = nearBound ? toBound : b
  let low = 0
  let high = highestTotalVolatility
  let s = guess
  for (let i = 0; i < maximumSteps; i++) {
    const u = (x * Math.SQRT1_2) / s
    const v = s * 0.5 * Math.SQRT1_2
    const a = nearBound ? 0.5 * (erfcx(v - u) + erfcx(u + v)) : scaledPrice(u, v)
    const gap = Math.log(a / target) - u * u - v * v
    if (gap === 0) return s
    // The distance to the bound falls as s rises.
    if (gap > 0 === nearBound) low = s
    else high = s
    const rho = (nearBound ? -1 : 1) / (sqrtTwoPi * a)
    const newton = -gap / rho
    // A step of the size of rounding may leave the bracket: it ends the search before the bracket is asked.
    if (Math.abs(newton) <= 2e-16 * s) return s
    const next = s + (Math.abs(newton) < 0.5 * s ? householderStep(newton, rho, s, x) : newton)
    const inside = next > low && next < high
    const isLast = inside ? Math.abs(newton) * (1 + u * u) < 1e-5 * s : high - low <= 4e-16 * high
    s = inside ? next : 0.5 * (low + high)
    if (isLast) return s
  }
  return s
}
