import type { ExpiryFeatureName } from '../../../shared/model/feature-registry.ts'
import { ivCodes } from '../../../shared/model/features.ts'
import { expiryArbitrage } from './arbitrage.ts'
import type { ChainContext, SolvedExpiry } from './context.ts'
import { type ExpiryMarket, expiryMarket } from './expiry-market.ts'
import { type ExposedStrikes, exposeStrikes, sumExposures } from './exposures.ts'
import { maxPainOf } from './open-interest.ts'
import { positioningOf, type PositionSums, sumPositions } from './positioning.ts'
import { expiryQuality } from './quality.ts'
import { smileFeatures } from './smile.ts'
import type { StrikeColumns } from './strikes.ts'
import { varianceFeatures } from './variance.ts'

/** One expiry with its figures, unrounded, NaN where a minimum is not met, and what the chain pools of it. */
export interface ComputedExpiry {
  readonly expiry: SolvedExpiry
  readonly market: ExpiryMarket
  readonly figures: Readonly<Record<ExpiryFeatureName, number>>
  readonly sums: PositionSums
  readonly exposed: ExposedStrikes
}

export function computeExpiry(context: ChainContext, expiry: SolvedExpiry): ComputedExpiry {
  const { terms, rate, forward, strikes, rows } = expiry
  const carry = Math.log(terms.forward / terms.spot) / terms.yearsToExpiry
  const smile = smileFeatures(expiry)
  const sums = sumPositions(context, rows)
  const exposed = exposeStrikes(context, expiry)
  const market = expiryMarket(context.columns, expiry)
  const figures = {
    yearsToExpiry: terms.yearsToExpiry,
    nContracts: rows.length,
    nStrikes: strikes.count,
    nUsed: countSolved(strikes),
    quality: expiryQuality(expiry, smile.atmIv),
    rate,
    forward: terms.forward,
    carry,
    dividendYield: rate - carry,
    forwardCorrection: forward.correction,
    forwardNUsed: forward.nUsed,
    forwardQuality: forward.quality,
    ...smile,
    ...varianceFeatures(context, expiry),
    ...positioningOf(sums),
    maxPain: maxPainOf(context.columns, rows),
    ...sumExposures([exposed], context.spot),
    ...expiryArbitrage(market),
  }
  return { expiry, market, figures, sums, exposed }
}

function countSolved({ count, ivCode }: StrikeColumns): number {
  let solved = 0
  for (let i = 0; i < count; i++) if (ivCode[i] === ivCodes.ok) solved++
  return solved
}
