import { block } from './block.ts'
import { tableErfcx } from './erfcx.ts'

const sqrtTwoPi = 2.5066282746310002
const twoOverSqrtPi = 1.1283791670955126
const quarterSqrtTwo = 0.5 * Math.SQRT1_2

/** A(u, v) of the guess s of each row of the block, without the cancellation that a 0DTE quote would lose its digits to. */
export function scaleBlock(count: number): void {
  const { x, s, a } = block
  for (let j = 0; j < count; j++) {
    const guess = s[j]!
    const u = (x[j]! / guess) * Math.SQRT1_2
    const v = guess * quarterSqrtTwo
    if (v >= 0.05) {
      a[j] = 0.5 * (tableErfcx(u - v) - tableErfcx(u + v))
      continue
    }
    // The odd Taylor series in v, from the derivatives of erfcx: E(n+1) = 2u E(n) + 2n E(n-1). What the recurrence loses for
    // large u, the volatility does not feel: ln b changes with ln s by 2 u^2.
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
    a[j] = -v * (e1 + q * (e3 * (1 / 6) + q * (e5 * (1 / 120) + q * (e7 * (1 / 5040) + q * e9 * (1 / 362_880)))))
  }
}

/**
 * One Householder step of fourth order on ln b(s) - ln b for each row of the block. Returns how many rows it was not enough
 * for; `block.rest` lists them.
 */
export function refineBlock(count: number): number {
  const { x, s, a, inverseB, rest } = block
  let left = 0
  for (let j = 0; j < count; j++) {
    const guess = s[j]!
    const scaled = a[j]!
    const inverse = 1 / guess
    const xOverS = x[j]! * inverse
    // u^2 + v^2
    const squares = 0.5 * xOverS * xOverS + 0.125 * guess * guess
    const gap = squares - Math.log(scaled * inverseB[j]!)
    const newton = gap * sqrtTwoPi * scaled
    const ratio = xOverS * xOverS * inverse
    const eta = ratio - 0.25 * guess
    const tau = eta * eta - 3 * ratio * inverse - 0.25
    // h2 and h3 times the step and its square.
    const second = newton * eta - gap
    const third = newton * newton * tau - 3 * eta * newton * gap + 2 * gap * gap
    s[j] = guess + (newton * (1 + 0.5 * second)) / (1 + second + third * (1 / 6))
    if (!(Math.abs(newton) * (1 + squares) < 2e-4 * guess)) rest[left++] = j
  }
  return left
}
