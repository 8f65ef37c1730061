import type { ExpiryFeatureName } from '../../../shared/model/feature-registry.ts'
import { rights } from '../../../shared/model/snapshot.ts'
import type { ChainContext, SolvedExpiry } from './context.ts'

/** Sign rule of the gamma, vanna and charm exposures: dealers are long calls and short puts (SqueezeMetrics 2017). */
export const exposureConvention = 'calls+puts-'

export type ExposureFigures = Record<
  Extract<
    ExpiryFeatureName,
    'gexUsd1pct' | 'gexShares' | 'gexAbsUsd1pct' | 'dexUsd' | 'vexUsd' | 'cexUsd' | 'exposureNUsed' | 'exposureQuality'
  >,
  number
>

/** Exposures of one expiry, a row for each of its strikes; 0 where gamma or open interest is not known. Kept with its strikes. */
export interface ExposedStrikes {
  readonly count: number
  readonly strike: Float64Array
  /** Per 1 % of spot, of calls and of puts, both plus. */
  readonly callGex: Float64Array
  readonly putGex: Float64Array
  readonly dex: Float64Array
  readonly vex: Float64Array
  readonly cex: Float64Array
  /** Contracts that have a gamma, calls less puts. */
  readonly netInterest: Float64Array
  /** Contracts, calls and puts, with a gamma or without. */
  readonly openInterest: Float64Array
  /** Legs of which gamma and open interest are known. */
  readonly nUsed: Uint8Array
}

/** Open interest of a leg; NaN where it is not listed or not known. */
function interestOf(column: Float64Array, row: number): number {
  const value = row >= 0 ? (column[row] ?? NaN) : NaN
  return value >= 0 && value < Infinity ? value : NaN
}

/** Multiplies the greeks of either leg by its open interest. */
export function exposeStrikes(context: ChainContext, expiry: SolvedExpiry): ExposedStrikes {
  const { columns, spot, multiplier } = context
  const { strikes, terms, rate, isSolved } = expiry
  const out = strikes
  const perPercent = multiplier * spot * spot * 0.01
  const perDelta = multiplier * spot
  // Put-call parity: what the delta and the charm of a call have more than those of the put.
  const deltaOfParity = (terms.discount * terms.forward) / terms.spot
  const charmOfParity = (rate * deltaOfParity) / 365
  // An hour before expiry charm per day is many times the delta there is to lose.
  const days = Math.min(1, 365 * terms.yearsToExpiry)
  for (let i = 0; i < out.count; i++) {
    const callInterest = interestOf(columns.openInterest, strikes.callRow[i] ?? -1)
    const putInterest = interestOf(columns.openInterest, strikes.putRow[i] ?? -1)
    const calls = callInterest || 0
    const puts = putInterest || 0
    out.openInterest[i] = calls + puts
    const gamma = strikes.gamma[i] ?? NaN
    const delta = strikes.delta[i] ?? NaN
    const vanna = strikes.vanna[i] ?? NaN
    const charm = strikes.charm[i] ?? NaN
    const known = (Number.isNaN(callInterest) ? 0 : 1) + (Number.isNaN(putInterest) ? 0 : 1)
    out.nUsed[i] = 0
    out.netInterest[i] = 0
    out.callGex[i] = 0
    out.putGex[i] = 0
    out.dex[i] = 0
    out.vex[i] = 0
    out.cex[i] = 0
    if (!isSolved || known === 0) continue
    // Greeks are those of the leg out of the money.
    const isCall = strikes.right[i] === rights.call
    const net = calls - puts
    const callGex = gamma * calls * perPercent
    const putGex = gamma * puts * perPercent
    const dex = (delta * (calls + puts) + (isCall ? -puts : calls) * deltaOfParity) * perDelta
    const vex = vanna * net * perDelta
    const cex = (charm * net + (isCall ? puts : calls) * charmOfParity) * perDelta * days
    // A greek is missing, or a figure beyond all sense.
    if (!(gamma >= 0) || !Number.isFinite(callGex + putGex + dex + vex + cex)) continue
    out.nUsed[i] = known
    out.netInterest[i] = net
    out.callGex[i] = callGex
    out.putGex[i] = putGex
    out.dex[i] = dex
    out.vex[i] = vex
    out.cex[i] = cex
  }
  return out
}

/**
 * The registry's figures of one expiry or of several, summed in the order given. Sums are NaN without a contract of known
 * gamma and open interest.
 */
export function sumExposures(parts: readonly ExposedStrikes[], spot: number): ExposureFigures {
  let nUsed = 0
  let gex = 0
  let absolute = 0
  let dex = 0
  let vex = 0
  let cex = 0
  let covered = 0
  let interest = 0
  for (const part of parts) {
    for (let i = 0; i < part.count; i++) {
      const used = part.nUsed[i] ?? 0
      const contracts = part.openInterest[i] ?? NaN
      interest += contracts
      if (used === 0) continue
      nUsed += used
      covered += contracts
      const calls = part.callGex[i] ?? NaN
      const puts = part.putGex[i] ?? NaN
      gex += calls - puts
      absolute += calls + puts
      dex += part.dex[i] ?? NaN
      vex += part.vex[i] ?? NaN
      cex += part.cex[i] ?? NaN
    }
  }
  // Not the counter itself: a variable that a function captures is boxed anew with each addition.
  const isKnown = nUsed > 0
  const known = (figure: number) => (isKnown && Number.isFinite(figure) ? figure : NaN)
  return {
    gexUsd1pct: known(gex),
    gexShares: known(gex / (spot * spot * 0.01)),
    gexAbsUsd1pct: known(absolute),
    dexUsd: known(dex),
    vexUsd: known(vex),
    cexUsd: known(cex),
    exposureNUsed: nUsed,
    exposureQuality: interest > 0 && interest < Infinity ? 100 * (covered / interest) : 0,
  }
}
