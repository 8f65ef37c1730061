import { block } from './block.ts'
import { tableErfcx } from './erfcx.ts'

const sqrtTwoPi = 2.5066282746310002
const twoOverSqrtPi = 1.1283791670955126
const quarterSqrtTwo = 0.5 * Math.SQRT1_2

/**
 * One Householder step of fourth order on ln b(s) - ln b for each row of the block. Returns how many rows it was not enough
 * for; `block.rest` lists them.
 */
export function refineBlock(count: number): number {
  const { x, s, inverseB, rest } = block
  let left = 0
  for (let j = 0; j < count; j++) {
    const guess = s[j]!
    const inverse = 1 / guess
    const xOverS = x[j]! * inverse
    const u = xOverS * Math.SQRT1_2
    const v = guess * quarterSqrtTwo
    const a = v < 0.05 && u < 8 ? smallDifference(u, v) : 0.5 * (tableErfcx(u - v) - tableErfcx(u + v))
    const squares = u * u + v * v
    const gap = squares - Math.log(a * inverseB[j]!)
    const newton = gap * sqrtTwoPi * a
    const ratio = xOverS * xOverS * inverse
    const eta = ratio - 0.25 * guess
    const tau = eta * eta - 3 * ratio * inverse - 0.25
    const second = newton * eta - gap
    const third = newton * newton * tau - 3 * eta * newton * gap + 2 * gap * gap
    s[j] = guess + (newton * (1 + 0.5 * second)) / (1 + second + third * (1 / 6))
    if (!(Math.abs(newton) * (1 + squares) < 2e-4 * guess)) rest[left++] = j
  }
  return left
}

/** A(u, v) by its odd Taylor series in v, from the derivatives of erfcx: E(n+1) = 2u E(n) + 2n E(n-1). */
function smallDifference(u: number, v: number): number {
  const u2 = 2 * u
  const e0 = tableErfcx(u)
  const e1 = u2 * e0 - twoOverSqrtPi
  const e2 = u2 * e1 + 2 * e0
  const e3 = u2 * e2 + 4 * e1
  const e4 = u2 * e3 + 6 * e2
  const e5 = u2 * e4 + 8 * e3
  const e6 = u2 * e5 + 10 * e4
  const e7 = u2 * e6 + 12 * e5
  const e9 = u2 * (u2 * e7 + 14 * e6) + 16 * e7
  const q = v * v
  return -v * (e1 + q * (e3 * (1 / 6) + q * (e5 * (1 / 120) + q * (e7 * (1 / 5040) + q * e9 * (1 / 362_880)))))
}
