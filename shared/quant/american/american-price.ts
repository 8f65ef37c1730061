import { rights } from '../../model/snapshot.ts'
import { black76Price } from '../black76.ts'
import { ExerciseBoundary } from './exercise-boundary.ts'
import { type Scheme, schemes } from './scheme.ts'

/** Per year; the premium is less than this of strike or spot a year. */
const negligibleRate = 1e-9

/** Why an American option may be worth exercising early: `none` is European exactly, `two_boundaries` is not computed. */
export type EarlyExercise = 'none' | 'single_boundary' | 'two_boundaries'

/**
 * Whether early exercise can pay, by the signs of rate and yield. A call never without a yield, a put never without a rate;
 * where both are negative the one that is higher leaves a band of spots to exercise in (Andersen and Lake, "Fast American
 * option pricing: the double-boundary case", 2021), which is priced as European and said so.
 */
export function earlyExercise(rate: number, dividendYield: number, right: number): EarlyExercise {
  const isCall = right === rights.call
  const earned = isCall ? dividendYield : rate
  const forgone = isCall ? rate : dividendYield
  if (earned > negligibleRate) return 'single_boundary'
  return forgone < earned ? 'two_boundaries' : 'none'
}

/**
 * Prices American options with a continuous yield. Keeps its scratch and the boundary solved last, so strikes of one expiry at
 * one volatility in a row share it, calls after calls and puts after puts.
 */
export class AmericanPricer {
  readonly #boundary: ExerciseBoundary
  #rate = NaN
  #yield = NaN
  #years = NaN
  #sigma = NaN

  constructor(scheme: Scheme = schemes.standard) {
    this.#boundary = new ExerciseBoundary(scheme)
  }

  /**
   * @param sigma fraction per sqrt(year)
   * @param right 1 call, 2 put
   * @returns the price; NaN for input that is no option
   */
  price(
    spot: number,
    strike: number,
    years: number,
    rate: number,
    dividendYield: number,
    sigma: number,
    right: number,
  ): number {
    const isPut = right !== rights.call
    const intrinsic = Math.max(0, isPut ? strike - spot : spot - strike)
    const discount = Math.exp(-rate * years)
    const european = black76Price(
      spot * Math.exp((rate - dividendYield) * years),
      strike,
      years,
      discount,
      sigma,
      right,
    )
    if (earlyExercise(rate, dividendYield, right) !== 'single_boundary') return european
    if (!(sigma > 0 && years > 0)) return Math.max(european, intrinsic)
    // A call is the put on spot and strike, rate and yield exchanged.
    this.#solve(isPut ? rate : dividendYield, isPut ? dividendYield : rate, years, sigma)
    const logMoneyness = isPut ? Math.log(spot / strike) : Math.log(strike / spot)
    if (logMoneyness <= this.#boundary.logNow) return intrinsic
    return Math.max(intrinsic, european + (isPut ? strike : spot) * this.#boundary.premium(logMoneyness))
  }

  #solve(rate: number, dividendYield: number, years: number, sigma: number): void {
    const isSameTerms = rate === this.#rate && dividendYield === this.#yield && years === this.#years
    if (isSameTerms && sigma === this.#sigma) return
    if (!isSameTerms) this.#boundary.setTerms(rate, dividendYield, years)
    this.#boundary.solve(sigma)
    this.#rate = rate
    this.#yield = dividendYield
    this.#years = years
    this.#sigma = sigma
  }
}
