import type { ExpiryTerms } from '../../../shared/quant/implied-volatility.ts'
import { keptColumns } from '../../../shared/quant/kept-columns.ts'
import { quadraticFit } from '../../../shared/quant/quadratic-fit.ts'
import { halfSpreadVpOf, isUsable } from './at-the-money.ts'
import type { StrikeColumns } from './strikes.ts'

export interface SkewFit {
  readonly slope: number
  readonly curvature: number
}

export const noFit: SkewFit = { slope: NaN, curvature: NaN }
const minimumOfFit = 5
const roomForPoints = keptColumns('x', 'sigma', 'weight')
/** Within so many vol points the quadratic itself is no better than the quotes: tighter ones weigh no more. */
const spreadFloorVp = 0.25

/**
 * Fits sigma = a + b x + c x^2 over x = k / (atmIv sqrt(T)), |x| <= 1, with weights 1 / (half spread^2 + 0.25^2) in vol
 * points, and gives the derivatives by k = ln(K/F) at 0. Strikes must lie on both sides of the forward: nothing is extrapolated.
 */
export function fitSkew(strikes: StrikeColumns, { forward, yearsToExpiry }: ExpiryTerms, atmIv: number): SkewFit {
  const { count, strike, iv } = strikes
  const scale = atmIv * Math.sqrt(yearsToExpiry)
  const from = forward * Math.exp(-scale)
  const to = forward * Math.exp(scale)
  if (!(from < to)) return noFit
  const { x, sigma, weight } = roomForPoints(count)
  let used = 0
  for (let i = 0; i < count; i++) {
    const k = strike[i] ?? NaN
    if (!(k >= from && k <= to) || !isUsable(strikes, i)) continue
    const half = halfSpreadVpOf(strikes, i)
    if (Number.isNaN(half)) continue
    x[used] = Math.log(k / forward) / scale
    sigma[used] = iv[i] ?? NaN
    weight[used] = 1 / (half * half + spreadFloorVp * spreadFloorVp)
    used++
  }
  if (used < minimumOfFit || (x[0] ?? NaN) > 0 || (x[used - 1] ?? NaN) < 0) return noFit
  const { slope, curvature } = quadraticFit(x, sigma, weight, used)
  return { slope: slope / scale, curvature: curvature / (scale * scale) }
}
