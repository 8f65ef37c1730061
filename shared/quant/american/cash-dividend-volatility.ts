import { ivCodes } from '../../model/features.ts'
import { rights } from '../../model/snapshot.ts'
import { type ImpliedVolatility, solveImpliedVolatility } from '../implied-volatility.ts'
import { type CashDividendOption, CashDividendPricer } from './cash-dividends.ts'
import { type PriceGap, searchVolatility } from './volatility-search.ts'

const lowestSigma = 0.005
const highestSigma = 8
const firstGuess = 0.3

/** Forward of the share bought now and its dividends until expiry given away: (S - their present value) e^(rT). */
export function escrowedForward({ spot, rate, yearsToExpiry, dividends }: CashDividendOption): number {
  let net = spot
  for (const { years, amount } of dividends) {
    if (years > 0 && years < yearsToExpiry) net -= amount * Math.exp(-rate * years)
  }
  return net * Math.exp(rate * yearsToExpiry)
}

/**
 * Implied volatility of options on a share that pays cash, in the spot-drop model of `CashDividendPricer`: five or six grids a
 * contract, milliseconds, for the few names where a yield is too coarse.
 */
export class CashDividendVolatility implements PriceGap {
  readonly #pricer: CashDividendPricer
  #option: CashDividendOption | null = null
  #target = NaN

  constructor(pricer = new CashDividendPricer()) {
    this.#pricer = pricer
  }

  /** Never throws; codes as `solveImpliedVolatility`'s, of which the first guess is taken. */
  solve(price: number, option: CashDividendOption): ImpliedVolatility {
    const { spot, strike, yearsToExpiry, rate, right } = option
    const discount = Math.exp(-rate * yearsToExpiry)
    const european = solveImpliedVolatility(price, escrowedForward(option), strike, yearsToExpiry, discount, right)
    const { code } = european
    if (code !== ivCodes.ok && code !== ivCodes.above_bound && code !== ivCodes.below_intrinsic) return european
    const isCall = right === rights.call
    if (!(price < (isCall ? spot : strike))) return { sigma: NaN, code: ivCodes.above_bound }
    const intrinsic = option.isAmerican ? Math.max(0, isCall ? spot - strike : strike - spot) : 0
    if (!(price > intrinsic)) return { sigma: NaN, code: ivCodes.below_intrinsic }
    this.#option = option
    this.#target = price
    const start =
      code === ivCodes.ok ? Math.min(Math.max(european.sigma, 2 * lowestSigma), 0.5 * highestSigma) : firstGuess
    const gap = this.gapAt(start)
    const slope = (this.gapAt(start * 1.01) - gap) / (0.01 * start)
    const sigma = searchVolatility(this, lowestSigma, highestSigma, start, gap, slope)
    if (sigma < 1.01 * lowestSigma) return { sigma: NaN, code: ivCodes.below_intrinsic }
    return sigma < 0.99 * highestSigma ? { sigma, code: ivCodes.ok } : { sigma: NaN, code: ivCodes.above_bound }
  }

  gapAt(sigma: number): number {
    return this.#option === null ? NaN : this.#pricer.price(this.#option, sigma) - this.#target
  }
}
