import { rights } from '../../../shared/model/snapshot.ts'
import type { ExpiryTerms } from '../../../shared/quant/implied-volatility.ts'
import { atTheMoney, isUsable, nothingAtTheMoney } from './at-the-money.ts'
import type { SolvedExpiry } from './context.ts'
import { fitSkew, noFit } from './skew-fit.ts'
import type { StrikeColumns } from './strikes.ts'

export type SmileFeatureName =
  | 'atmIv'
  | 'atmIvBiasVp'
  | 'atmHalfSpreadVp'
  | 'rr25'
  | 'bf25'
  | 'rr10'
  | 'bf10'
  | 'normalisedSkew'
  | 'skewSlope'
  | 'skewCurvature'
  | 'smirk'
  | 'straddle'
  | 'expectedMove'
  | 'expectedMoveStraddle'

const straddleWithin = 0.05
/** Traders' rule. A straddle costs about 0.8 of a standard deviation, so this is about 0.68 of one. */
const moveOfStraddle = 0.85

/** Computes what the volatilities of one expiry say together; unrounded, NaN where the registry's minimum is not met. */
export function smileFeatures({ strikes, terms, isSolved }: SolvedExpiry): Record<SmileFeatureName, number> {
  const straddle = nearestStraddle(strikes, terms.forward)
  const atm = isSolved ? atTheMoney(strikes, terms) : nothingAtTheMoney
  const wings = isSolved ? deltaVolatilities(strikes, terms) : noWings
  const fit = isSolved ? fitSkew(strikes, terms, atm.iv) : noFit
  const rr25 = wings.call25 - wings.put25
  return {
    atmIv: atm.iv,
    atmIvBiasVp: atm.biasVp,
    atmHalfSpreadVp: atm.halfSpreadVp,
    rr25,
    bf25: 0.5 * (wings.call25 + wings.put25) - atm.iv,
    rr10: wings.call10 - wings.put10,
    bf10: 0.5 * (wings.call10 + wings.put10) - atm.iv,
    normalisedSkew: rr25 / atm.iv,
    skewSlope: fit.slope,
    skewCurvature: fit.curvature,
    smirk: isSolved ? smirkOf(strikes, terms.spot) : NaN,
    straddle,
    expectedMove: terms.forward * atm.iv * Math.sqrt(terms.yearsToExpiry),
    expectedMoveStraddle: moveOfStraddle * straddle,
  }
}

interface Wings {
  readonly call10: number
  readonly call25: number
  readonly put25: number
  readonly put10: number
}

const noWings: Wings = { call10: NaN, call25: NaN, put25: NaN, put10: NaN }

/**
 * Volatilities at forward deltas N(d1) and -N(-d1), linear in delta between strikes. A strike's one volatility stands at
 * N(d1) whichever its leg, so the 25-delta put is read at N(d1) = 0.75 and may lie on either side of the forward. Where noise
 * crosses a delta more than once, the crossing nearest the money counts.
 */
function deltaVolatilities(strikes: StrikeColumns, { spot, forward, discount }: ExpiryTerms): Wings {
  const { count, right, iv, delta } = strikes
  const spotPerForward = spot / (discount * forward)
  let call10 = NaN
  let call25 = NaN
  let put25 = NaN
  let put10 = NaN
  let lastU = NaN
  let lastSigma = NaN
  for (let i = 0; i < count; i++) {
    if (!isUsable(strikes, i)) continue
    const own = (delta[i] ?? NaN) * spotPerForward
    const u = right[i] === rights.call ? own : 1 + own
    if (!(u >= 0 && u <= 1)) continue
    const sigma = iv[i] ?? NaN
    if (isBetween(0.9, lastU, u)) put10 = linear(0.9, lastU, lastSigma, u, sigma)
    if (isBetween(0.75, lastU, u)) put25 = linear(0.75, lastU, lastSigma, u, sigma)
    if (Number.isNaN(call25) && isBetween(0.25, lastU, u)) call25 = linear(0.25, lastU, lastSigma, u, sigma)
    if (Number.isNaN(call10) && isBetween(0.1, lastU, u)) call10 = linear(0.1, lastU, lastSigma, u, sigma)
    lastU = u
    lastSigma = sigma
  }
  return { call10, call25, put25, put10 }
}

function isBetween(target: number, a: number, b: number): boolean {
  return (a - target) * (b - target) <= 0
}

function linear(target: number, x1: number, y1: number, x2: number, y2: number): number {
  return x1 === x2 ? y1 : y1 + ((y2 - y1) * (target - x1)) / (x2 - x1)
}

/** Xing, Zhang, Zhao, "What Does the Individual Option Volatility Smirk Tell Us About Future Equity Returns?", 2010. */
function smirkOf(strikes: StrikeColumns, spot: number): number {
  const { count, strike, right, iv } = strikes
  let put = NaN
  let call = NaN
  let nearestCall = Infinity
  for (let i = 0; i < count; i++) {
    const moneyness = (strike[i] ?? NaN) / spot
    if (!(moneyness >= 0.8 && moneyness <= 1.05) || !isUsable(strikes, i)) continue
    // Ascending: the last put at or below 0.95 is the nearest to it.
    if (right[i] === rights.put && moneyness <= 0.95) put = iv[i] ?? NaN
    const distance = Math.abs(moneyness - 1)
    if (right[i] === rights.call && moneyness >= 0.95 && distance < nearestCall) {
      nearestCall = distance
      call = iv[i] ?? NaN
    }
  }
  return put - call
}

function nearestStraddle({ count, strike, callMid, putMid }: StrikeColumns, forward: number): number {
  let nearest = straddleWithin * forward
  let straddle = NaN
  for (let i = 0; i < count; i++) {
    const distance = Math.abs((strike[i] ?? NaN) - forward)
    const call = callMid[i] ?? NaN
    const put = putMid[i] ?? NaN
    if (!(distance < nearest && call > 0 && put > 0 && call + put < Infinity)) continue
    nearest = distance
    straddle = call + put
  }
  return straddle
}
