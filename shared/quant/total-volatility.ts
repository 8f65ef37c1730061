import { bachelierRatio } from './bachelier-seed.ts'
import { erfcx } from './normal.ts'

/*
 * Notation, with s = sigma sqrt(T) the total volatility and x = |ln(F/K)|: the undiscounted out-of-the-money price over
 * sqrt(F K) is b(s) = exp(-(u^2 + v^2)) A, where u = x / (s sqrt 2), v = s / (2 sqrt 2), A = (erfcx(u-v) - erfcx(u+v)) / 2.
 * Its upper bound is e^(-x/2), and the distance to it the same with the sum erfcx(v-u) + erfcx(u+v).
 */

const sqrtTwoPi = 2.5066282746310002
const twoOverSqrtPi = 1.1283791670955126
const maximumSteps = 100
/** The distance of b from its bound underflows before this. */
const highestTotalVolatility = 100

/** A(u, v); for small v by its odd Taylor series in v, since the difference would cancel what a 0DTE quote has. */
function scaledPrice(u: number, v: number): number {
  if (v >= 0.05 || u >= 8) return 0.5 * (erfcx(u - v) - erfcx(u + v))
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

/**
 * Returns sigma sqrt(T) of an undiscounted out-of-the-money price; the caller has checked 0 < price < min(F, K). NaN only
 * where the price is too small to be represented over sqrt(F K).
 */
export function solveTotalVolatility(price: number, forward: number, strike: number): number {
  const distance = Math.abs(forward - strike)
  const root = Math.sqrt(forward * strike)
  const lower = Math.min(forward, strike)
  // Near the money the quotient forward / strike would have lost the digits of its logarithm.
  const x = distance < 0.125 * lower ? Math.log1p(distance / lower) : Math.abs(Math.log(forward / strike))
  const b = price / root
  const y = ((2 * price + distance) * bachelierRatio(1 + distance / price)) / root
  const y2 = y * y
  const x2 = x * x
  if (!(b > 0)) return NaN
  // Leading terms of the expansion of lognormal in normal volatility.
  let s = y * (1 + (y2 - x2) / 24 + (7 * y2 * y2) / 1920)
  if (y2 < 1.2 && x2 < 0.64) {
    for (let i = 0; i < 4; i++) {
      const u = (x * Math.SQRT1_2) / s
      const v = s * 0.5 * Math.SQRT1_2
      const a = scaledPrice(u, v)
      const rho = 1 / (sqrtTwoPi * a)
      const newton = (u * u + v * v - Math.log(a / b)) / rho
      s += householderStep(newton, rho, s, x)
      // The error after a step is of the order of (1 + u^2)^3 (newton / s)^4.
      if (Math.abs(newton) * (1 + u * u) < 5e-5 * s) return s
    }
  }
  return solveBracketed(b, (lower - price) / root, x, s)
}

/** The same with a bracket that only shrinks, for prices the expansion is no guide to. Always ends. */
function solveBracketed(b: number, toBound: number, x: number, guess: number): number {
  const nearBound = b > toBound
  const target = nearBound ? toBound : b
  let low = 0
  let high = highestTotalVolatility
  let s = guess > low && guess < high ? guess : Math.min(Math.sqrt(2 * x) + 1e-9, high / 2)
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
