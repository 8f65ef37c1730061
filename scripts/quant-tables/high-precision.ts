import { Decimal } from 'decimal.js'

/**
 * Figures to some 60 digits, to make tables from and to check doubles against. Slow (about a millisecond each) and
 * independent of the code it checks: other formulas, other arithmetic.
 */
export const Precise = Decimal.clone({ precision: 70, rounding: Decimal.ROUND_HALF_EVEN, minE: -9e15, maxE: 9e15 })
export type Precise = Decimal

const two = new Precise(2)

/** The exact value of a double. (`new Decimal(x)` takes the shortest decimal that rounds to x, which is off by up to half a unit.) */
export function exactly(x: number): Precise {
  if (!Number.isFinite(x)) return new Precise(x)
  let scaled = x
  let exponent = 0
  while (!Number.isInteger(scaled)) {
    scaled *= 2 ** 64
    exponent -= 64
  }
  return new Precise(BigInt(scaled).toString()).times(two.pow(exponent))
}

const zero = new Precise(0)
const one = new Precise(1)
const half = new Precise('0.5')
export const pi = Precise.acos(-1)
const sqrtPi = pi.sqrt()
export const sqrtTwo = two.sqrt()
const sqrtTwoPi = pi.times(2).sqrt()

/** Step of the trapezoidal sum: its error is exp(-(pi / step)^2) = 1e-68. */
const stepsPerUnit = 4
const terms = 50
const squares = Array.from({ length: terms }, (_, n) => new Precise((n + 1) ** 2).div(stepsPerUnit ** 2))
const weights = squares.map((square) => square.neg().exp())
const polePosition = pi.times(stepsPerUnit)

/** exp(x^2) erfc(x) to about 60 digits. */
export function preciseErfcx(x: Precise): Precise {
  if (x.lt(-2)) return x.times(x).exp().times(2).minus(preciseErfcx(x.neg()))
  return x.lte(2) ? nearZero(x) : trapezoidal(x)
}

/** exp(x^2) - (2x / sqrt pi) sum (2x^2)^n / (2n+1)!!, Abramowitz and Stegun 7.1.6. */
function nearZero(x: Precise): Precise {
  const square = x.times(x)
  const ratio = square.times(2)
  let term = one
  let sum = one
  for (let n = 1; term.gt(1e-72); n++) {
    term = term.times(ratio).div(2 * n + 1)
    sum = sum.plus(term)
  }
  return square.exp().minus(sum.times(x).times(2).div(sqrtPi))
}

/** Matta and Reichel, "Uniform computation of the error function and other related functions", Math. Comp. 25 (1971). */
function trapezoidal(x: Precise): Precise {
  const square = x.times(x)
  let sum = one.div(square).div(2)
  for (let n = 0; n < terms; n++) sum = sum.plus((weights[n] ?? zero).div(square.plus(squares[n] ?? zero)))
  const scaled = sum.times(x).times(2).div(pi.times(stepsPerUnit))
  if (x.gte(polePosition)) return scaled
  // Past 25 digits below the result the second exponential no longer shows.
  const exponent = polePosition.times(x).times(2)
  return scaled.minus(square.exp().times(2).div(exponent.exp().minus(1)))
}

/** 1 - erf(x). */
export const preciseErfc = (x: Precise): Precise => preciseErfcx(x).times(x.times(x).neg().exp())

/** Standard normal distribution function. */
export const preciseNormalCdf = (x: Precise): Precise => preciseErfc(x.neg().div(sqrtTwo)).times(half)

/** Standard normal density. */
export const preciseNormalPdf = (x: Precise): Precise => x.times(x).times(half).neg().exp().div(sqrtTwoPi)

/** Undiscounted out-of-the-money Black price of total volatility s, and its derivative by s. */
export function preciseOtmPrice(
  forward: Precise,
  strike: Precise,
  s: Precise,
): { readonly price: Precise; readonly vega: Precise } {
  const x = forward.div(strike).ln().abs()
  const u = x.div(s.times(sqrtTwo))
  const v = s.div(sqrtTwo.times(2))
  // sqrt(F K) exp(-(u^2 + v^2)) (erfcx(u-v) - erfcx(u+v)) / 2
  const scale = u.times(u).plus(v.times(v)).neg().exp().times(forward.times(strike).sqrt())
  const difference = preciseErfcx(u.minus(v)).minus(preciseErfcx(u.plus(v)))
  return { price: scale.times(difference).times(half), vega: scale.div(sqrtTwoPi) }
}
