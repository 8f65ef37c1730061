import { ivCodes } from '../../../shared/model/features.ts'
import { rights } from '../../../shared/model/snapshot.ts'
import type { ExpiryTerms } from '../../../shared/quant/implied-volatility.ts'
import { volatilityAtTheMoney } from '../../../shared/quant/interpolate.ts'
import { quadraticFit } from '../../../shared/quant/quadratic-fit.ts'
import type { SolvedExpiry } from './context.ts'
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
/** Traders' rule: the mean absolute move is about 0.8 of one standard deviation, the straddle a little more than that. */
const moveOfStraddle = 0.85

/** Computes what the volatilities of one expiry say together; unrounded, NaN where the registry's minimum is not met. */
export function smileFeatures({ strikes, terms, isSolved }: SolvedExpiry): Record<SmileFeatureName, number> {
  const straddle = nearestStraddle(strikes, terms.forward)
  const atm = isSolved ? atTheMoney(strikes, terms) : nothingAtTheMoney
  const wings = isSolved ? deltaVolatilities(strikes, terms) : noWings
  const fit = isSolved ? fitAtTheMoney(strikes, terms, atm.iv) : noFit
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

/** The strike has a volatility of its own that is a number to calculate with. */
function isUsable({ strike, iv, ivCode }: StrikeColumns, at: number): boolean {
  const sigma = iv[at] ?? NaN
  const k = strike[at] ?? NaN
  return ivCode[at] === ivCodes.ok && sigma > 0 && sigma < Infinity && k > 0 && k < Infinity
}

/** Half the spread of the leg out of the money in vol points; NaN where it has none. */
function halfSpreadVpOf({ right, callSpread, putSpread, vega }: StrikeColumns, at: number): number {
  const half = 0.5 * ((right[at] === rights.call ? callSpread : putSpread)[at] ?? NaN)
  const perPoint = vega[at] ?? NaN
  return half >= 0 && half < Infinity && perPoint > 0 ? half / perPoint : NaN
}

interface AtTheMoney {
  readonly iv: number
  readonly biasVp: number
  readonly halfSpreadVp: number
}

const nothingAtTheMoney: AtTheMoney = { iv: NaN, biasVp: NaN, halfSpreadVp: NaN }
/** Two strikes farther apart than both of these leave the volatility between them to guessing. */
const widestGap = 0.05
const widestGapSigmas = 2

function atTheMoney(strikes: StrikeColumns, { forward, yearsToExpiry }: ExpiryTerms): AtTheMoney {
  const { count, strike, iv, biasVp } = strikes
  let below = -1
  let above = -1
  for (let i = 0; i < count && above < 0; i++) {
    if (!isUsable(strikes, i)) continue
    if ((strike[i] ?? NaN) < forward) below = i
    else if ((strike[i] ?? NaN) >= forward) above = i
  }
  if (above < 0) return nothingAtTheMoney
  const kAbove = Math.log((strike[above] ?? NaN) / forward)
  if (below < 0 && kAbove !== 0) return nothingAtTheMoney
  const kBelow = kAbove === 0 ? 0 : Math.log((strike[below] ?? NaN) / forward)
  const atmIv =
    kAbove === 0 ? (iv[above] ?? NaN) : volatilityAtTheMoney(kBelow, iv[below] ?? NaN, kAbove, iv[above] ?? NaN)
  const gap = kAbove - kBelow
  if (!(gap <= Math.max(widestGap, widestGapSigmas * atmIv * Math.sqrt(yearsToExpiry)))) return nothingAtTheMoney
  const isBelowNearer = kAbove !== 0 && forward - (strike[below] ?? NaN) <= (strike[above] ?? NaN) - forward
  const nearest = isBelowNearer ? below : above
  const bias = biasVp[nearest] ?? NaN
  return { iv: atmIv, biasVp: Math.abs(bias) < Infinity ? bias : NaN, halfSpreadVp: halfSpreadVpOf(strikes, nearest) }
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

interface SkewFit {
  readonly slope: number
  readonly curvature: number
}

const noFit: SkewFit = { slope: NaN, curvature: NaN }
const minimumOfFit = 5
/** Within so many vol points the quadratic itself is no better than the quotes: tighter ones weigh no more. */
const spreadFloorVp = 0.25

/**
 * Fits sigma = a + b x + c x^2 over x = k / (atmIv sqrt(T)), |x| <= 1, with weights 1 / (half spread^2 + 0.25^2) in vol
 * points, and gives the derivatives by k = ln(K/F) at 0. Strikes must lie on both sides of the forward: nothing is extrapolated.
 */
function fitAtTheMoney(strikes: StrikeColumns, { forward, yearsToExpiry }: ExpiryTerms, atmIv: number): SkewFit {
  const { count, strike, iv } = strikes
  const scale = atmIv * Math.sqrt(yearsToExpiry)
  const from = forward * Math.exp(-scale)
  const to = forward * Math.exp(scale)
  if (!(from < to)) return noFit
  const x = new Float64Array(count)
  const sigma = new Float64Array(count)
  const weight = new Float64Array(count)
  let used = 0
  for (let i = 0; i < count; i++) {
    const k = strike[i] ?? NaN
    if (!(k >= from && k <= to) || !isUsable(strikes, i)) continue
    const half = halfSpreadVpOf(strikes, i)
    if (Number.isNaN(half)) continue
    x[used] = Math.log(k / forward) / scale
    sigma[used] = iv[i] ?? NaN
    weight[used] = 1 / (half * half + spreadFloorVp * spreadFloorVp)
    used++
  }
  if (used < minimumOfFit || (x[0] ?? NaN) > 0 || (x[used - 1] ?? NaN) < 0) return noFit
  const { slope, curvature } = quadraticFit(x, sigma, weight, used)
  return { slope: slope / scale, curvature: curvature / (scale * scale) }
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
