import type { ChainFeatureName } from '../../../shared/model/feature-registry.ts'
import type { StrikeExposures } from '../../../shared/model/features.ts'
import type { GammaProfile } from '../../../shared/quant/gamma-profile.ts'
import { zeroGamma } from '../../../shared/quant/zero-gamma.ts'
import type { ChainContext, SolvedExpiry } from './context.ts'
import { type ExposedStrikes, type ExposureFigures, sumExposures } from './exposures.ts'
import { type PooledStrikes, poolStrikes } from './pooled-strikes.ts'

export type GammaLevels = Record<
  Extract<
    ChainFeatureName,
    | 'zeroGamma'
    | 'gammaRegime'
    | 'flipCumulative'
    | 'flipLocal'
    | 'callWall'
    | 'putWall'
    | 'absGammaStrike'
    | 'highestOiStrike'
    | 'zeroDteMagnet'
  >,
  number
>

export interface ChainExposures {
  readonly figures: ExposureFigures & GammaLevels
  readonly byStrike: StrikeExposures
}

/**
 * Exposures of all expiries of a chain together, and the prices they single out; NaN where missing.
 *
 * @param parts of the expiries, in their order
 */
export function chainExposures(
  { spot, sessionDay }: ChainContext,
  expiries: readonly SolvedExpiry[],
  parts: readonly ExposedStrikes[],
): ChainExposures {
  const pooled = poolStrikes(parts)
  const ofTheDay = poolStrikes(parts.filter((_, i) => expiries[i]?.expiryDay === sessionDay))
  const profile = zeroGamma(gammaProfile(expiries, parts), spot)
  const figures = {
    ...sumExposures(parts, spot),
    zeroGamma: profile.price,
    gammaRegime: regimeOf(profile, spot),
    ...flips(pooled, spot),
    callWall: strikeOfLargest(pooled, pooled.callGex),
    putWall: strikeOfLargest(pooled, pooled.putGex),
    absGammaStrike: strikeOfLargest(pooled, pooled.gexAbs),
    highestOiStrike: strikeOfLargest(pooled, pooled.openInterest),
    zeroDteMagnet: strikeOfLargest(ofTheDay, ofTheDay.gexAbs),
  }
  return { figures, byStrike: byStrike(pooled) }
}

function regimeOf({ price, sign }: { readonly price: number; readonly sign: number }, spot: number): number {
  if (!Number.isNaN(price)) return (spot - price) / spot
  return sign === 0 ? NaN : sign
}

/** See `GammaProfile`: strikes whose calls and puts cancel, or without a volatility, do not take part. */
function gammaProfile(expiries: readonly SolvedExpiry[], parts: readonly ExposedStrikes[]): GammaProfile {
  const capacity = parts.reduce((sum, { count }) => sum + count, 0)
  const weight = new Float64Array(capacity)
  const centre = new Float64Array(capacity)
  const width = new Float64Array(capacity)
  let count = 0
  for (const [at, { strikes, terms, isSolved }] of expiries.entries()) {
    const net = parts[at]?.netInterest
    if (!isSolved || !net) continue
    const sqrtT = Math.sqrt(terms.yearsToExpiry)
    const perSpot = (terms.discount * terms.forward) / terms.spot
    for (let i = 0; i < strikes.count; i++) {
      const contracts = net[i] ?? 0
      const s = (strikes.iv[i] ?? NaN) * sqrtT
      if (contracts === 0 || !(s > 0)) continue
      weight[count] = (contracts * perSpot) / s
      centre[count] = Math.log((strikes.strike[i] ?? NaN) / terms.forward) - 0.5 * s * s
      width[count] = s
      count++
    }
  }
  return { count, weight, centre, width }
}

function flips({ strike, gex, nUsed }: PooledStrikes, spot: number): { flipCumulative: number; flipLocal: number } {
  const running = new Float64Array(gex.length)
  let sum = 0
  for (let i = 0; i < gex.length; i++) {
    if (nUsed[i]) sum += gex[i] ?? NaN
    running[i] = sum
  }
  return { flipCumulative: nearestFlip(strike, running, spot), flipLocal: nearestFlip(strike, gex, spot) }
}

/**
 * Where values by ascending strike change sign, nearest spot: linear between two strikes, and within strikes of value 0
 * between them the place nearest spot. NaN where they do not.
 */
function nearestFlip(strike: Float64Array, values: Float64Array, spot: number): number {
  let nearest = NaN
  let last = -1
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? NaN
    if (value === 0 || Number.isNaN(value)) continue
    const before = values[last] ?? NaN
    if (before * value < 0) {
      const flip = flipBetween(strike, last, i, before / (before - value), spot)
      if (!(Math.abs(flip - spot) >= Math.abs(nearest - spot))) nearest = flip
    }
    last = i
  }
  return nearest
}

function flipBetween(strike: Float64Array, from: number, to: number, share: number, spot: number): number {
  const low = strike[from] ?? NaN
  if (to === from + 1) return low + share * ((strike[to] ?? NaN) - low)
  return Math.min(Math.max(spot, strike[from + 1] ?? NaN), strike[to - 1] ?? NaN)
}

/** The lowest such strike on a tie; NaN where no value is above 0. */
function strikeOfLargest({ strike }: PooledStrikes, values: Float64Array): number {
  let largest = 0
  let found = NaN
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? NaN
    if (!(value > largest)) continue
    largest = value
    found = strike[i] ?? NaN
  }
  return found
}

/** Strikes without a contract of known gamma and open interest are left out. */
function byStrike({ strike, gex, dex, vex, cex, nUsed }: PooledStrikes): StrikeExposures {
  const rows = strikesUsed(nUsed)
  const known = (column: Float64Array) => picked(column, rows)
  return {
    strike: known(strike),
    gexUsd1pct: known(gex),
    dexUsd: known(dex),
    vexUsd: known(vex),
    cexUsd: known(cex),
  }
}

function strikesUsed(nUsed: Uint32Array): Int32Array {
  const rows = new Int32Array(nUsed.length)
  let count = 0
  for (let i = 0; i < nUsed.length; i++) if ((nUsed[i] ?? 0) > 0) rows[count++] = i
  return rows.subarray(0, count)
}

function picked(column: Float64Array, rows: Int32Array): Float64Array {
  const out = new Float64Array(rows.length)
  for (let i = 0; i < rows.length; i++) out[i] = column[rows[i] ?? -1] ?? NaN
  return out
}
