import { type ContractFigures, ivCodes, type ForwardSource, type IvMethod } from '../../../shared/model/features.ts'
import { type ChainColumns, contractFlags, rights } from '../../../shared/model/snapshot.ts'
import { solveAmericanExpiry } from '../../../shared/quant/american/american-expiry.ts'
import { AmericanVolatility } from '../../../shared/quant/american/american-volatility.ts'
import { ExerciseBias } from '../../../shared/quant/american/exercise-bias.ts'
import { thetaToExpiry } from '../../../shared/quant/black76.ts'
import {
  computeExpiryGreeks,
  type ExpiryTerms,
  solveExpiryWithGreeks,
} from '../../../shared/quant/implied-volatility.ts'
import type { ChainContext, SolvedExpiry, UnsolvedExpiry } from './context.ts'
import type { ForwardEstimate } from './forward.ts'
import { codeWithoutMid, type StrikeColumns } from './strikes.ts'

export interface SolveOptions {
  readonly ivMethod: IvMethod
  readonly floorYears: number
}

const oneDayYears = 1 / 365

/** They keep scratch memory between expiries and nothing else: terms are set before each. */
const exerciseBias = new ExerciseBias()
const americanVolatility = new AmericanVolatility()

/** Solves every strike of an expiry, fills the figures of its contracts and returns it for its features. */
export function solveExpiry(
  context: ChainContext,
  expiry: UnsolvedExpiry,
  forward: ForwardEstimate,
  { ivMethod, floorYears }: SolveOptions,
): SolvedExpiry {
  const { yearsToExpiry, discount, strikes } = expiry
  const terms: ExpiryTerms = { spot: context.spot, forward: forward.forward, discount, yearsToExpiry }
  const isSolved = yearsToExpiry >= floorYears
  if (isSolved) {
    solveOutOfTheMoney(context.columns, terms, strikes)
    // An American volatility on a forward that still has early exercise in it would be the worst of both.
    const method = forward.isUncorrected ? 'european_otm' : ivMethod
    if (expiry.exerciseStyle === 'american') allowForExercise(terms, strikes, method, forward.source)
    else strikes.biasVp.fill(0, 0, strikes.count)
  } else refuse(strikes)
  spreadToLegs(context.figures, terms, strikes)
  if (yearsToExpiry < oneDayYears) fillThetaToExpiry(context, terms, expiry.rows)
  return { ...expiry, terms, forward, isSolved }
}

/** Below the time floor a price is all ticks and no volatility. */
function refuse(strikes: StrikeColumns): void {
  const { count, iv, delta, gamma, vega, theta, rho, vanna, charm, volga, biasVp } = strikes
  strikes.ivCode.fill(ivCodes.below_time_floor, 0, count)
  for (const column of [iv, delta, gamma, vega, theta, rho, vanna, charm, volga, biasVp]) column.fill(NaN, 0, count)
}

/** One volatility a strike, from the leg without intrinsic value: early exercise hardly touches it. */
function solveOutOfTheMoney(columns: ChainColumns, terms: ExpiryTerms, strikes: StrikeColumns): void {
  const { count, strike, price, right, ivCode } = strikes
  for (let i = 0; i < count; i++) {
    const isPut = (strike[i] ?? NaN) < terms.forward
    right[i] = isPut ? rights.put : rights.call
    price[i] = (isPut ? strikes.putMid : strikes.callMid)[i] ?? NaN
  }
  solveExpiryWithGreeks({ count, price, strike, right }, terms, strikes)
  for (let i = 0; i < count; i++) {
    if (!Number.isNaN(price[i])) continue
    ivCode[i] = codeWithoutMid(columns, (right[i] === rights.put ? strikes.putRow : strikes.callRow)[i] ?? -1)
  }
}

/**
 * Tells by how much each volatility is off for having been solved as a European option's; with the method `american`, solves
 * anew those that are off by more than 0.05 vol points. Their greeks are then the European ones at the American volatility.
 */
function allowForExercise(terms: ExpiryTerms, strikes: StrikeColumns, ivMethod: IvMethod, source: ForwardSource): void {
  const { count, strike, right, iv, vega, biasVp } = strikes
  // Carries of other times and expiries come from parity too; only the spot's own does not.
  const isFromParity = ivMethod === 'european_otm' && source !== 'spot_carry'
  exerciseBias.estimate({ count, strike, right, sigma: iv, vega }, terms, biasVp, isFromParity)
  if (ivMethod === 'european_otm') return
  const before = iv.slice(0, count)
  solveAmericanExpiry(strikes, terms, biasVp, americanVolatility, strikes)
  computeExpiryGreeks(strikes, terms, strikes)
  for (let i = 0; i < count; i++) if (iv[i] !== before[i]) biasVp[i] = Number.isNaN(iv[i]) ? NaN : 0
}

/** Writes each strike's figures to both legs; the one in the money gets its own greeks by put-call parity. */
function spreadToLegs(figures: ContractFigures, terms: ExpiryTerms, strikes: StrikeColumns): void {
  const { spot, forward, discount, yearsToExpiry } = terms
  const { count, strike, right, ivCode } = strikes
  const deltaOfParity = (discount * forward) / spot
  // Theta of D (F - K) with the forward held fixed: only its discounting passes.
  const thetaPerPrice = (-Math.log(discount) / yearsToExpiry / 365) * discount
  for (let i = 0; i < count; i++) {
    const code = ivCode[i] ?? ivCodes.no_forward
    const sign = right[i] === rights.call ? 1 : -1
    const own = (sign === 1 ? strikes.callRow : strikes.putRow)[i] ?? -1
    const twin = (sign === 1 ? strikes.putRow : strikes.callRow)[i] ?? -1
    if (own >= 0) writeLeg(figures, own, strikes, i, code, 0, 0)
    if (twin < 0) continue
    const theta = -sign * thetaPerPrice * (forward - (strike[i] ?? NaN))
    writeLeg(figures, twin, strikes, i, codeOfTwin(code, figures.flags[twin] ?? 0), -sign * deltaOfParity, theta)
  }
}

/** The leg in the money has its twin's figures or the reason why there are none; its own crossed quote is the better reason. */
function codeOfTwin(code: number, flags: number): number {
  if (code === ivCodes.ok) return ivCodes.itm_twin
  return code === ivCodes.no_bid && (flags & contractFlags.crossed) !== 0 ? ivCodes.crossed : code
}

function writeLeg(
  figures: ContractFigures,
  row: number,
  strikes: StrikeColumns,
  at: number,
  code: number,
  deltaShift: number,
  thetaShift: number,
): void {
  figures.iv[row] = strikes.iv[at] ?? NaN
  figures.ivCode[row] = code
  figures.delta[row] = (strikes.delta[at] ?? NaN) + deltaShift
  figures.gamma[row] = strikes.gamma[at] ?? NaN
  figures.theta[row] = (strikes.theta[at] ?? NaN) + thetaShift
  figures.vega[row] = strikes.vega[at] ?? NaN
  figures.ivBiasVp[row] = strikes.biasVp[at] ?? NaN
}

/** In the last day a theta per day is more than there is to lose: what is lost until expiry stands beside it. */
function fillThetaToExpiry(context: ChainContext, terms: ExpiryTerms, rows: Int32Array): void {
  const { columns, figures } = context
  for (const row of rows) {
    const sigma = figures.iv[row] ?? NaN
    figures.thetaToExpiry[row] = thetaToExpiry(terms, columns.strike[row] ?? NaN, sigma, columns.right[row] ?? 0)
  }
}
