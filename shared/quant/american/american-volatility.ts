import { ivCodes } from '../../model/features.ts'
import { rights } from '../../model/snapshot.ts'
import { black76Price } from '../black76.ts'
import { type ExpiryTerms, type ImpliedVolatility, solveImpliedVolatility } from '../implied-volatility.ts'
import { normalPdf } from '../normal.ts'
import { earlyExercise } from './american-price.ts'
import { PremiumSurface } from './premium-surface.ts'
import { type Scheme, schemes } from './scheme.ts'
import { highestSigma, lowestSigma } from './volatility-grid.ts'
import { type PriceGap, searchVolatility } from './volatility-search.ts'

/**
 * Implied volatility of American options with a continuous yield, that of the implied forward. One object for many expiries:
 * `setTerms` for each, then any number of contracts, which share the boundaries solved so far.
 */
export class AmericanVolatility implements PriceGap {
  readonly #puts: PremiumSurface
  readonly #calls: PremiumSurface
  #spot = NaN
  #forward = NaN
  #discount = NaN
  #years = NaN
  #rate = NaN
  #yield = NaN
  #strike = NaN
  #right = 0
  #target = NaN

  constructor(scheme: Scheme = schemes.standard) {
    this.#puts = new PremiumSurface(scheme)
    this.#calls = new PremiumSurface(scheme)
  }

  setTerms({ spot, forward, discount, yearsToExpiry }: ExpiryTerms): void {
    this.#spot = spot
    this.#forward = forward
    this.#discount = discount
    this.#years = yearsToExpiry
    this.#rate = -Math.log(discount) / yearsToExpiry
    this.#yield = this.#rate - Math.log(forward / spot) / yearsToExpiry
    if (this.isEarly(rights.put)) this.#puts.setTerms(this.#rate, this.#yield, yearsToExpiry)
    if (this.isEarly(rights.call)) this.#calls.setTerms(this.#yield, this.#rate, yearsToExpiry)
  }

  /** False for terms no American option can be priced with; the European solver says by its code why. */
  hasTerms(): boolean {
    return this.#spot > 0 && this.#years > 0 && this.#years < Infinity && Number.isFinite(this.#rate + this.#yield)
  }

  /** Whether contracts of this right are ever exercised early, as far as it is computed: else all is European. */
  isEarly(right: number): boolean {
    return this.hasTerms() && earlyExercise(this.#rate, this.#yield, right) === 'single_boundary'
  }

  /** Early-exercise premium in price at one volatility, 0 without early exercise, Infinity where it is exercised at once. */
  premium(strike: number, sigma: number, right: number): number {
    if (!this.isEarly(right)) return 0
    const moneyness = Math.log(this.#spot / strike)
    if (right === rights.call) return this.#spot * this.#calls.premium(-moneyness, sigma)
    return strike * this.#puts.premium(moneyness, sigma)
  }

  price(strike: number, sigma: number, right: number): number {
    const european = black76Price(this.#forward, strike, this.#years, this.#discount, sigma, right)
    if (!this.isEarly(right)) return european
    const intrinsic = this.#intrinsic(strike, right)
    const premium = this.premium(strike, sigma, right)
    return premium < Infinity ? Math.max(intrinsic, european + premium) : intrinsic
  }

  /**
   * Returns the volatility at which the American price is `price`. Never throws: `below_intrinsic` at or under what exercise
   * at once or no volatility at all is worth, `above_bound` from spot (call) or strike (put) on, the European figure where
   * early exercise never pays or has two boundaries.
   */
  solve(price: number, strike: number, right: number): ImpliedVolatility {
    const european = solveImpliedVolatility(price, this.#forward, strike, this.#years, this.#discount, right)
    if (!this.isEarly(right) || (european.code !== ivCodes.ok && european.code !== ivCodes.above_bound)) return european
    const sigma = this.search(price, strike, right, european.code === ivCodes.ok ? european.sigma : highestSigma)
    if (sigma > 0 && sigma < Infinity) return { sigma, code: ivCodes.ok }
    return { sigma: NaN, code: sigma === 0 ? ivCodes.below_intrinsic : ivCodes.above_bound }
  }

  /**
   * The same without a result object, for a price the European solver has found ok or above its bound: 0 is below intrinsic
   * and Infinity above the bound. The European volatility is the upper end of the search, as the American price is never below
   * the European.
   */
  search(price: number, strike: number, right: number, european: number): number {
    if (!(price < (right === rights.call ? this.#spot : strike))) return Infinity
    if (!(price > this.#intrinsic(strike, right))) return 0
    const start = Math.min(european, highestSigma)
    // Nothing is exercised early to speak of at 0.05 % volatility.
    if (!(start > lowestSigma)) return european
    this.#strike = strike
    this.#right = right
    this.#target = price
    const gap = this.gapAt(start)
    // Not above by more than the European solver's rounding: no premium.
    if (gap <= 0) return european < highestSigma ? european : Infinity
    const sigma = searchVolatility(this, lowestSigma, start, start, gap, this.#europeanVega(strike, start))
    return sigma > 1.001 * lowestSigma ? sigma : 0
  }

  /** Of the contract being searched. */
  gapAt(sigma: number): number {
    return this.price(this.#strike, sigma, this.#right) - this.#target
  }

  #intrinsic(strike: number, right: number): number {
    return Math.max(0, right === rights.call ? this.#spot - strike : strike - this.#spot)
  }

  #europeanVega(strike: number, sigma: number): number {
    const s = sigma * Math.sqrt(this.#years)
    const d1 = Math.log(this.#forward / strike) / s + 0.5 * s
    return this.#discount * this.#forward * normalPdf(d1) * Math.sqrt(this.#years)
  }
}
