import { constantMaturityValue, constantMaturityVolatility, neighbours } from '../../../shared/quant/interpolate.ts'
import { thirtyDayVolatility } from '../../../shared/quant/variance-index.ts'

/** What the term structure reads of one expiry: unrounded, NaN where missing. */
export interface TermPoint {
  readonly root: string
  /** Days since 1970-01-01. */
  readonly expiryDay: number
  readonly yearsToExpiry: number
  readonly atmIv: number
  readonly atmHalfSpreadVp: number
  readonly rr25: number
  readonly bf25: number
  readonly expectedMove: number
  readonly expectedMoveStraddle: number
  readonly varianceIndex: number
  readonly varianceComplete: number
  readonly varianceNUsed: number
  readonly varianceNTotal: number
  readonly varianceQuality: number
}

/** An object of its own: a copy of all figures would cost ten times as much. */
export function termPoint(
  { root, expiryDay }: Pick<TermPoint, 'root' | 'expiryDay'>,
  figures: Omit<TermPoint, 'root' | 'expiryDay'>,
): TermPoint {
  return {
    root,
    expiryDay,
    yearsToExpiry: figures.yearsToExpiry,
    atmIv: figures.atmIv,
    atmHalfSpreadVp: figures.atmHalfSpreadVp,
    rr25: figures.rr25,
    bf25: figures.bf25,
    expectedMove: figures.expectedMove,
    expectedMoveStraddle: figures.expectedMoveStraddle,
    varianceIndex: figures.varianceIndex,
    varianceComplete: figures.varianceComplete,
    varianceNUsed: figures.varianceNUsed,
    varianceNTotal: figures.varianceNTotal,
    varianceQuality: figures.varianceQuality,
  }
}

export type TermFeatureName =
  | 'atmIv7d'
  | 'atmIv30d'
  | 'atmIv60d'
  | 'atmIv90d'
  | 'atmIv180d'
  | 'atmIv365d'
  | 'atmIvFront'
  | 'rr25At30d'
  | 'bf25At30d'
  | 'termSlope'
  | 'termInverted'
  | 'negativeForwardVariance'
  | 'varianceIndex30d'
  | 'varianceComplete30d'
  | 'varianceNUsed'
  | 'varianceNTotal'
  | 'varianceQuality'
  | 'expectedMove'
  | 'expectedMove1d'
  | 'expectedMoveStraddle'

const yearsPerDay = 1 / 365
/** Nearer than this an ATM volatility moves with the hour rather than with the market. */
const frontFromYears = yearsPerDay
const tradingDaysPerYear = 252

/** Computes the term structure of a chain; unrounded, NaN where the registry's minimum is not met. */
export function termFeatures(expiries: readonly TermPoint[], spot: number): Record<TermFeatureName, number> {
  const points = expiries.filter(({ yearsToExpiry }) => yearsToExpiry > 0 && yearsToExpiry < Infinity).toSorted(byTime)
  const { length } = points
  const years = points.map((point) => point.yearsToExpiry)
  const column = (name: 'rr25' | 'bf25') => points.map((point) => point[name])
  const sigmas = points.map(({ atmIv }) => positive(atmIv))
  const atmIvAt = (days: number) => constantMaturityVolatility(years, sigmas, length, days * yearsPerDay)
  const valueAt = (values: number[], days: number) => constantMaturityValue(years, values, length, days * yearsPerDay)
  const front = points.find(({ yearsToExpiry, atmIv }) => yearsToExpiry >= frontFromYears && positive(atmIv) > 0)
  const atmIv30d = atmIvAt(30)
  const atmIv90d = atmIvAt(90)
  return {
    atmIv7d: atmIvAt(7),
    atmIv30d,
    atmIv60d: atmIvAt(60),
    atmIv90d,
    atmIv180d: atmIvAt(180),
    atmIv365d: atmIvAt(365),
    atmIvFront: front?.atmIv ?? NaN,
    rr25At30d: valueAt(column('rr25'), 30),
    bf25At30d: valueAt(column('bf25'), 30),
    termSlope: (atmIv90d - atmIv30d) / atmIv30d,
    termInverted: inversionOf(points),
    negativeForwardVariance: fallsOfVariance(points),
    ...thirtyDayIndex(points, years),
    expectedMove: front?.expectedMove ?? NaN,
    expectedMove1d: (spot * atmIv30d) / Math.sqrt(tradingDaysPerYear),
    expectedMoveStraddle: front?.expectedMoveStraddle ?? NaN,
  }
}

function positive(value: number): number {
  return value > 0 && value < Infinity ? value : NaN
}

/** Two roots may expire at one instant: the name decides, so that the order of arrival does not. */
function byTime(a: TermPoint, b: TermPoint): number {
  if (a.yearsToExpiry !== b.yearsToExpiry) return a.yearsToExpiry - b.yearsToExpiry
  if (a.root !== b.root) return a.root < b.root ? -1 : 1
  return a.expiryDay - b.expiryDay
}

/** Beyond the days in which one event moves the front more than the term structure does. */
const inversionFromYears = 5 * yearsPerDay
const perPoint = 0.01

/** Two roots of one day, settled at its open and at its close, are one place of the term structure. */
function inversionOf(points: readonly TermPoint[]): number {
  const first = points.find(isSteady)
  const second = points.find((point) => isSteady(point) && point.expiryDay > (first?.expiryDay ?? Infinity))
  if (!first || !second) return NaN
  const spread = perPoint * (first.atmHalfSpreadVp + second.atmHalfSpreadVp)
  return first.atmIv > second.atmIv + spread ? 1 : 0
}

function isSteady({ yearsToExpiry, atmIv, atmHalfSpreadVp }: TermPoint): boolean {
  return yearsToExpiry > inversionFromYears && positive(atmIv) > 0 && Number.isFinite(atmHalfSpreadVp)
}

function fallsOfVariance(points: readonly TermPoint[]): number {
  const lastVariance = new Map<string, number>()
  let falls = 0
  let compared = 0
  for (const { root, atmIv, yearsToExpiry } of points) {
    const variance = positive(atmIv) ** 2 * yearsToExpiry
    if (!Number.isFinite(variance)) continue
    const before = lastVariance.get(root)
    lastVariance.set(root, variance)
    if (before === undefined) continue
    compared++
    if (variance < before) falls++
  }
  return compared > 0 ? falls : NaN
}

type IndexFeatures = Pick<
  Record<TermFeatureName, number>,
  'varianceIndex30d' | 'varianceComplete30d' | 'varianceNUsed' | 'varianceNTotal' | 'varianceQuality'
>

const noIndex: IndexFeatures = {
  varianceIndex30d: NaN,
  varianceComplete30d: NaN,
  varianceNUsed: 0,
  varianceNTotal: 0,
  varianceQuality: 0,
}
const thirtyDaysYears = 30 * yearsPerDay
/** Cboe takes terms of more than 23 and less than 37 days. */
const shortestTermYears = 23 * yearsPerDay
const longestTermYears = 37 * yearsPerDay

function thirtyDayIndex(points: readonly TermPoint[], years: readonly number[]): IndexFeatures {
  const variances = points.map((point) => positive(point.varianceIndex))
  const { before, after } = neighbours(years, variances, points.length, thirtyDaysYears)
  const near = points[before]
  const next = points[after]
  if (!near || !next) return noIndex
  const volatility = thirtyDayVolatility(
    { variance: near.varianceIndex, yearsToExpiry: near.yearsToExpiry },
    { variance: next.varianceIndex, yearsToExpiry: next.yearsToExpiry },
  )
  if (!(volatility > 0)) return noIndex
  const isClose = near.yearsToExpiry > shortestTermYears && next.yearsToExpiry < longestTermYears
  return {
    varianceIndex30d: volatility,
    varianceComplete30d: Number(isClose && near.varianceComplete === 1 && next.varianceComplete === 1),
    varianceNUsed: near.varianceNUsed + next.varianceNUsed,
    varianceNTotal: near.varianceNTotal + next.varianceNTotal,
    varianceQuality: Math.min(near.varianceQuality, next.varianceQuality),
  }
}
