import { rights } from '../../model/snapshot.ts'
import { black76Price } from '../black76.ts'
import type { ExpiryTerms } from '../implied-volatility.ts'
import { earlyExercise } from './american-price.ts'
import { tableCdf } from './normal-table.ts'
import { PremiumSurface } from './premium-surface.ts'
import { schemes } from './scheme.ts'

/** Nodes a unit of ln sigma: a coarser grid than a price needs changes the estimate by less than its own error. */
const gridPerUnit = 3

/** Contracts of one expiry as columns; the first `count` entries are read. */
export interface BiasColumns {
  readonly count: number
  readonly strike: Float64Array
  /** 1 call, 2 put: the leg the volatility is from. */
  readonly right: Int8Array
  /** European volatility, NaN where there is none. */
  readonly sigma: Float64Array
  /** Per vol point. */
  readonly vega: Float64Array
}

/**
 * Estimates by how many vol points the European volatility of an American price is too high: early-exercise premium over vega,
 * with the boundary of the QD+ approximation, and what an uncorrected forward does to it. A first-order figure: it overstates a
 * little where it is large, and is of no use deep in the money, where vega vanishes.
 */
export class ExerciseBias {
  readonly #puts = new PremiumSurface(schemes.estimate, gridPerUnit)
  readonly #calls = new PremiumSurface(schemes.estimate, gridPerUnit)
  #isPutEarly = false
  #isCallEarly = false

  /**
   * Fills `biasVp`: 0 where early exercise never pays, NaN where there is no volatility.
   *
   * @param terms those the volatilities were solved with
   * @param isFromParity whether their forward is put-call parity's on American pairs, uncorrected: it is low, so puts are biased by
   *   less than their premium, perhaps below zero, and calls by as much as puts
   */
  estimate(columns: BiasColumns, terms: ExpiryTerms, biasVp: Float64Array, isFromParity = false): void {
    const { forward, yearsToExpiry: years } = terms
    const { count, strike, right, sigma, vega } = columns
    if (!this.#setTerms(terms)) {
      biasVp.fill(NaN, 0, count)
      return
    }
    const shift = isFromParity ? this.#parityShift(columns, terms) : 0
    const sqrtT = Math.sqrt(years)
    for (let i = 0; i < count; i++) {
      const k = strike[i] ?? NaN
      const s = sigma[i] ?? NaN
      const perPoint = vega[i] ?? NaN
      const isCall = right[i] === rights.call
      biasVp[i] = NaN
      if (!(k > 0 && k < Infinity && s > 0 && s < Infinity && perPoint > 0)) continue
      const premium = this.#premium(terms.spot, k, s, isCall)
      let gap = premium < Infinity ? premium : exercisedNow(terms, k, s, right[i] ?? 0)
      if (shift !== 0) {
        const d1 = Math.log(forward / k) / (s * sqrtT) + 0.5 * s * sqrtT
        gap += shift * (isCall ? tableCdf(d1) : -tableCdf(-d1))
      }
      biasVp[i] = gap / perPoint
    }
  }

  /** False for terms without an option. */
  #setTerms({ spot, forward, discount, yearsToExpiry: years }: ExpiryTerms): boolean {
    const rate = -Math.log(discount) / years
    const dividendYield = rate - Math.log(forward / spot) / years
    if (!(spot > 0 && forward > 0 && years > 0 && Number.isFinite(rate + dividendYield))) return false
    this.#isPutEarly = earlyExercise(rate, dividendYield, rights.put) === 'single_boundary'
    this.#isCallEarly = earlyExercise(rate, dividendYield, rights.call) === 'single_boundary'
    if (this.#isPutEarly) this.#puts.setTerms(rate, dividendYield, years)
    if (this.#isCallEarly) this.#calls.setTerms(dividendYield, rate, years)
    return true
  }

  /** In price; Infinity where the option is exercised at once. */
  #premium(spot: number, strike: number, sigma: number, isCall: boolean): number {
    if (!(isCall ? this.#isCallEarly : this.#isPutEarly)) return 0
    const moneyness = Math.log(spot / strike)
    return isCall ? spot * this.#calls.premium(-moneyness, sigma) : strike * this.#puts.premium(moneyness, sigma)
  }

  /**
   * What parity's forward is too low by, discounted: a put's premium less a call's, struck at it, at the volatility nearest to it.
   * Parity takes the median over strikes on both sides, and the premia are nearly linear in the strike there.
   */
  #parityShift({ count, strike, sigma }: BiasColumns, { spot, forward }: ExpiryTerms): number {
    let nearest = -1
    for (let i = 0; i < count; i++) {
      const distance = Math.abs((strike[i] ?? NaN) - forward)
      if ((sigma[i] ?? NaN) > 0 && (nearest < 0 || distance < Math.abs((strike[nearest] ?? NaN) - forward))) nearest = i
    }
    const s = sigma[nearest] ?? NaN
    if (!(s > 0)) return 0
    const shift = this.#premium(spot, forward, s, false) - this.#premium(spot, forward, s, true)
    // Exercised at once at the forward: how far parity is off cannot be told, nor any bias.
    return Number.isFinite(shift) ? shift : NaN
  }
}

/** What exercise at once is worth more than the European option. */
function exercisedNow(terms: ExpiryTerms, strike: number, sigma: number, right: number): number {
  const { spot, forward, discount, yearsToExpiry } = terms
  const intrinsic = right === rights.call ? spot - strike : strike - spot
  return Math.max(0, intrinsic - black76Price(forward, strike, yearsToExpiry, discount, sigma, right))
}
