import { ivCodes } from '../../model/features.ts'
import { rights } from '../../model/snapshot.ts'
import { spreadsToWeights, type StrikePairs } from '../implied-forward.ts'
import { solveImpliedVolatility } from '../implied-volatility.ts'
import { weightedMedian } from '../weighted-quantile.ts'
import { AmericanVolatility } from './american-volatility.ts'
import { schemes } from './scheme.ts'

export interface CorrectionInputs {
  readonly spot: number
  readonly discount: number
  readonly yearsToExpiry: number
}

export interface CorrectedForward {
  readonly forward: number
  /** Corrected less first forward, in price; 0 when nothing could be corrected. */
  readonly correction: number
  /** Pairs the median was taken over. */
  readonly pairsUsed: number
}

const maximumPairs = 5
const minimumPairs = 3
const maximumRounds = 3
/** Change of the forward, relative, at which the rounds end. */
const tolerance = 1e-7

/**
 * Takes the early-exercise bias out of a forward from put-call parity on American options: of the pairs nearest to it the premia
 * of both legs are subtracted, at the volatility of the leg out of the money, and the weighted median is taken again. Rounds
 * are few because a premium changes little with the forward; the last two are extrapolated (Aitken). Keeps its scratch.
 */
export class ForwardCorrection {
  readonly #solver = new AmericanVolatility(schemes.fast)
  readonly #pair = new Int32Array(maximumPairs)
  readonly #values = new Float64Array(maximumPairs)
  readonly #weights = new Float64Array(maximumPairs)
  /** Premium of the leg out of the money, from the round before. */
  readonly #premium = new Float64Array(maximumPairs)

  /** @param first the forward from parity, uncorrected */
  correct(pairs: StrikePairs, inputs: CorrectionInputs, first: number): CorrectedForward {
    const uncorrected = { forward: first, correction: 0, pairsUsed: 0 }
    const { spot, discount, yearsToExpiry } = inputs
    if (!(first > 0 && spot > 0 && discount > 0 && yearsToExpiry > 0)) return uncorrected
    const count = this.#nearest(pairs, first)
    if (count < minimumPairs) return uncorrected
    this.#premium.fill(0)
    let forward = first
    let change = NaN
    let used = 0
    for (let round = 0; round < maximumRounds; round++) {
      used = this.#collect(pairs, inputs, forward, count)
      if (used < minimumPairs) return uncorrected
      const next = weightedMedian(this.#values, this.#weights, used)
      const ratio = (next - forward) / change
      change = next - forward
      const isLast = round === maximumRounds - 1
      forward = isLast && Math.abs(ratio) < 0.5 ? next + (change * ratio) / (1 - ratio) : next
      if (Math.abs(change) < tolerance * forward) break
    }
    return forward > 0 ? { forward, correction: forward - first, pairsUsed: used } : uncorrected
  }

  /** Fills `#pair` with the complete pairs nearest to the forward and returns how many there are. */
  #nearest(pairs: StrikePairs, forward: number): number {
    let count = 0
    for (let i = 0; i < pairs.count; i++) {
      const distance = Math.abs((pairs.strike[i] ?? NaN) - forward)
      if (Number.isNaN(distance + (pairs.callMid[i] ?? NaN) - (pairs.putMid[i] ?? NaN))) continue
      let at = count < maximumPairs ? count++ : maximumPairs
      while (at > 0 && distance < Math.abs((pairs.strike[this.#pair[at - 1] ?? 0] ?? NaN) - forward)) {
        if (at < maximumPairs) this.#pair[at] = this.#pair[at - 1] ?? 0
        at--
      }
      if (at < maximumPairs) this.#pair[at] = i
    }
    return count
  }

  /** Values and weights of the pairs with their premia at this forward taken off; returns how many could be valued. */
  #collect(pairs: StrikePairs, inputs: CorrectionInputs, forward: number, count: number): number {
    const { spot, discount, yearsToExpiry } = inputs
    this.#solver.setTerms({ spot, forward, discount, yearsToExpiry })
    let used = 0
    for (let n = 0; n < count; n++) {
      const i = this.#pair[n] ?? 0
      const strike = pairs.strike[i] ?? NaN
      const call = pairs.callMid[i] ?? NaN
      const put = pairs.putMid[i] ?? NaN
      const otmRight = strike < forward ? rights.put : rights.call
      const otm = (otmRight === rights.call ? call : put) - (this.#premium[n] ?? 0)
      const { sigma, code } = solveImpliedVolatility(otm, forward, strike, yearsToExpiry, discount, otmRight)
      if (code !== ivCodes.ok) continue
      const callPremium = this.#solver.premium(strike, sigma, rights.call)
      const putPremium = this.#solver.premium(strike, sigma, rights.put)
      // Infinite where a leg is worth its intrinsic value alone: such a pair says nothing.
      if (!(callPremium + putPremium < Infinity)) continue
      this.#premium[n] = otmRight === rights.call ? callPremium : putPremium
      this.#values[used] = strike + (call - callPremium - put + putPremium) / discount
      this.#weights[used] = (pairs.callSpread[i] ?? NaN) + (pairs.putSpread[i] ?? NaN)
      used++
    }
    spreadsToWeights(this.#weights, used, spot)
    return used
  }
}
