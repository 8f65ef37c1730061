import { erfc } from '../normal.ts'
import { block } from './block.ts'
import type { ExpiryTerms, GreekColumns } from './columns.ts'
import { tableErfcx } from './erfcx.ts'

const inverseSqrtTwoPi = 0.3989422804014327
const quarterSqrtTwo = 0.5 * Math.SQRT1_2
const perDay = 1 / 365
const perPoint = 0.01
/** Total volatility up to which z1 and z2 stay inside the table. */
const tableEnd = 5

export interface GreekInputs {
  readonly strike: Float64Array
  readonly right: Int8Array
}

/**
 * Last pass: all greeks of the rows of the block, which hold side, x and s. With z1 = u - side v and z2 = u + side v, N(side
 * d1) = exp(-z1^2) erfcx(z1) / 2, N(side d2) = exp(-z2^2) erfcx(z2) / 2 and exp(-z2^2) = exp(-z1^2) F / K: one exponential in
 * all. An option in the money gets its figures from those of its twin by put-call parity. Formulas: see `black76Greeks`.
 */
export function greeksBlock(count: number, inputs: GreekInputs, terms: ExpiryTerms, out: GreekColumns): void {
  const { row, side, x, s } = block
  const { strike, right } = inputs
  const { delta, gamma, vega, theta, rho, vanna, charm, volga } = out
  const { spot, forward, discount, yearsToExpiry } = terms
  const sqrtT = Math.sqrt(yearsToExpiry)
  const rate = -Math.log(discount) / yearsToExpiry
  const perSpot = (discount * forward) / spot
  const inverseSpot = 1 / spot
  const decay = 0.5 / yearsToExpiry
  for (let j = 0; j < count; j++) {
    const i = row[j]!
    const k = strike[i]!
    const total = s[j]!
    const sign = side[j]!
    const inverse = 1 / total
    const inverseSigma = sqrtT * inverse
    const u = x[j]! * inverse * Math.SQRT1_2
    const v = sign * total * quarterSqrtTwo
    const z1 = u - v
    const z2 = u + v
    const density = Math.exp(-z1 * z1)
    const isInTable = total < tableEnd
    const n1 = isInTable ? 0.5 * density * tableErfcx(z1) : 0.5 * erfc(z1)
    const n2 = isInTable ? 0.5 * density * (forward / k) * tableErfcx(z2) : 0.5 * erfc(z2)
    // 1 or -1 where the option itself is not the out-of-the-money one.
    const parity = sign === 3 - 2 * right[i]! ? 0 : -sign
    const perForward = perSpot * (sign * n1 + parity)
    const strikeValue = discount * k * (sign * n2 + parity)
    const scaled = perSpot * inverseSqrtTwoPi * density
    const perVol = scaled * spot * sqrtT
    const drift = -Math.SQRT2 * sign * z2 * scaled
    delta[i] = perForward
    gamma[i] = scaled * inverse * inverseSpot
    vega[i] = perVol * perPoint
    theta[i] = (rate * (spot * perForward - strikeValue) - scaled * spot * total * decay) * perDay
    rho[i] = strikeValue * yearsToExpiry * perPoint
    vanna[i] = -drift * inverseSigma * perPoint
    charm[i] = (rate * perForward + drift * decay) * perDay
    volga[i] = perVol * 2 * z1 * z2 * inverseSigma * (perPoint * perPoint)
  }
}
