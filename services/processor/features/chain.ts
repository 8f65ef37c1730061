import type { ChainFeatures, ExpiryFeatures } from '../../../shared/model/features.ts'
import { constantMaturityVolatility } from '../../../shared/quant/interpolate.ts'
import { maxPain, type OpenInterestRows } from '../../../shared/quant/max-pain.ts'
import { addPositions, noPositions, putCallRatios } from './positioning.ts'

export interface PooledInputs {
  /** Unrounded, NaN where missing, in canonical order. */
  readonly expiries: readonly ExpiryFeatures[]
  /** Live rows of all expiries. */
  readonly positions: OpenInterestRows
  readonly nContracts: number
  readonly nExpired: number
}

const daysPerYear = 365
const thirtyDaysYears = 30 / daysPerYear
/** Nearer than this an ATM volatility moves with the hour rather than with the market. */
const frontFromYears = 1 / daysPerYear

/** Pools the expiries of a chain. Returns unrounded figures, NaN where missing. */
export function poolChain({ expiries, positions, nContracts, nExpired }: PooledInputs): ChainFeatures {
  const sums = noPositions()
  let nUsed = 0
  let live = 0
  let gex = 0
  let knownGex = 0
  let weightedQuality = 0
  for (const expiry of expiries) {
    addPositions(sums, expiry)
    nUsed += expiry.nUsed
    live += expiry.nContracts
    weightedQuality += expiry.quality * expiry.nContracts
    if (Number.isNaN(expiry.gexUsd1pct)) continue
    gex += expiry.gexUsd1pct ?? 0
    knownGex++
  }
  // Ties (two roots expiring at one instant) keep canonical order.
  const byTime = expiries.toSorted((a, b) => a.yearsToExpiry - b.yearsToExpiry)
  const front = byTime.find((expiry) => expiry.yearsToExpiry >= frontFromYears && !Number.isNaN(expiry.atmIv))
  return {
    nContracts,
    nExpired,
    nUsed,
    atmIv30d: constantMaturityVolatility(
      byTime.map((expiry) => expiry.yearsToExpiry),
      byTime.map((expiry) => expiry.atmIv ?? NaN),
      byTime.length,
      thirtyDaysYears,
    ),
    atmIvFront: front?.atmIv ?? NaN,
    expectedMove: front?.expectedMove ?? NaN,
    ...sums,
    ...putCallRatios(sums),
    maxPain: maxPain(positions),
    gexUsd1pct: knownGex > 0 ? gex : NaN,
    quality: live === 0 ? 0 : weightedQuality / live,
  }
}
