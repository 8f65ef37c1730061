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
 * crosses a delta more than once, the crossing nearest the money counts, and no other where its strikes lie too far apart.
 */
function deltaVolatilities(strikes: StrikeColumns, terms: ExpiryTerms): Wings {
  let call10: number | undefined
  let call25: number | undefined
  let put25 = NaN
  let put10 = NaN
  let last = -1
  let lastU = NaN
  for (let i = 0; i < strikes.count; i++) {
    if (!isUsable(strikes, i)) continue
    const u = forwardDelta(strikes, terms, i)
    if (!(u >= 0 && u <= 1)) continue
    if (isBetween(0.9, lastU, u)) put10 = volatilityBetween(strikes, terms, last, i, 0.9)
    if (isBetween(0.75, lastU, u)) put25 = volatilityBetween(strikes, terms, last, i, 0.75)
    if (isBetween(0.25, lastU, u)) call25 ??= volatilityBetween(strikes, terms, last, i, 0.25)
    if (isBetween(0.1, lastU, u)) call10 ??= volatilityBetween(strikes, terms, last, i, 0.1)
    last = i
    lastU = u
  }
  return { call10: call10 ?? NaN, call25: call25 ?? NaN, put25, put10 }
}

/** N(d1): the forward delta of the call. */
function forwardDelta({ right, delta }: StrikeColumns, terms: ExpiryTerms, at: number): number {
  const own = ((delta[at] ?? NaN) * terms.spot) / (terms.discount * terms.forward)
  return right[at] === rights.call ? own : 1 + own
}

function isBetween(target: number, a: number, b: number): boolean {
  return (a - target) * (b - target) <= 0
}

/**
 * Standard deviations between two strikes, by the lower of their volatilities: a wing quoted in pennies must not widen what
 * it may span. With strikes of recorded IWM chains left out, readings across up to one are off by less than 0.6 vol points
 * at 25 delta and 1.1 at 10 in nine cases of ten, across one and a half to two by 2.0 and 3.2.
 */
const widestGapSigmas = 1

/** Volatility where N(d1) is `target`, linear in it; NaN between strikes too far apart. */
function volatilityBetween(
  strikes: StrikeColumns,
  terms: ExpiryTerms,
  from: number,
  to: number,
  target: number,
): number {
  const left = strikes.iv[from] ?? NaN
  const right = strikes.iv[to] ?? NaN
  const gap = Math.log((strikes.strike[to] ?? NaN) / (strikes.strike[from] ?? NaN))
  if (!(gap <= widestGapSigmas * Math.min(left, right) * Math.sqrt(terms.yearsToExpiry))) return NaN
  const a = forwardDelta(strikes, terms, from)
  const b = forwardDelta(strikes, terms, to)
  return a === b ? left : left + ((right - left) * (target - a)) / (b - a)
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
