import type { ChainFeatures, ExpiryFeatures } from '../../../shared/model/features.ts'

/** What a figure is and the scale it is stored at. Detectors read figures at this scale, so that a replay reads the same. */
export interface FeatureSpec {
  readonly unit: string
  readonly decimals: number
  /** How it is made, in one line. */
  readonly formula: string
}

type NumericKey<T> = { [K in keyof T]: T[K] extends number | null ? K : never }[keyof T] & string

const contracts = { unit: 'contracts', decimals: 0 } as const
const price = { unit: 'currency of the underlying', decimals: 4 } as const
const volatility = { unit: 'fraction per sqrt(year)', decimals: 6 } as const
const ratio = { unit: 'ratio', decimals: 4 } as const
const score = { unit: '0..100', decimals: 1 } as const

/** Sums and positioning figures are the same for an expiry and for all of them pooled. */
const positioning = {
  callVolume: { ...contracts, formula: 'sum of call volume of the session; last trade of another day counts 0' },
  putVolume: { ...contracts, formula: 'sum of put volume of the session; last trade of another day counts 0' },
  callOpenInterest: { ...contracts, formula: 'sum of call open interest' },
  putOpenInterest: { ...contracts, formula: 'sum of put open interest' },
  pcrVolume: { ...ratio, formula: 'put volume / call volume; null under 200 calls' },
  pcrOi: { ...ratio, formula: 'put open interest / call open interest; null under 1,000 calls' },
  maxPain: { ...price, formula: 'argmin over strikes x of sum OI_c max(x-K,0) + OI_p max(K-x,0); lowest on a tie' },
  gexUsd1pct: {
    unit: 'USD of delta per 1 % of spot',
    decimals: 0,
    formula: 'sum of s gamma OI M S^2 0.01, s = +1 call, -1 put (dealers long calls, short puts)',
  },
} as const satisfies Record<string, FeatureSpec>

export const expiryRegistry: Readonly<Record<NumericKey<ExpiryFeatures>, FeatureSpec>> = {
  expiryDay: { unit: 'days since 1970-01-01', decimals: 0, formula: 'civil date in the exchange zone' },
  expiryAtS: { unit: 'epoch seconds', decimals: 0, formula: 'instant of expiry' },
  yearsToExpiry: { unit: 'years of 365 days', decimals: 10, formula: '(expiry instant - market time) / 31,536,000 s' },
  nContracts: { ...contracts, formula: 'unexpired, standard deliverable' },
  nUsed: { ...contracts, formula: 'with an IV of their own (out of the money, two-sided)' },
  forward: { ...price, formula: 'weighted median of K + (C-P)/D near the money; else spot / D (forwardSource)' },
  atmIv: { ...volatility, formula: 'total variance linear in ln(K/F) between the two OTM strikes around F, at 0' },
  straddle: { ...price, formula: 'call mid + put mid at the strike nearest F, within 5 % of it' },
  expectedMove: { ...price, formula: 'F atmIv sqrt(T): one standard deviation to expiry' },
  quality: {
    ...score,
    formula:
      '100 x (share of strikes within max(1 %, 1.5 atmIv sqrt(T)) of F with an IV) x (1 + forward confidence) / 2; 0 without atmIv',
  },
  ...positioning,
}

export const chainRegistry: Readonly<Record<NumericKey<ChainFeatures>, FeatureSpec>> = {
  nContracts: { ...contracts, formula: 'all, expired and adjusted ones included' },
  nExpired: { ...contracts, formula: 'expired at market time; part of no figure' },
  nUsed: { ...contracts, formula: 'with an IV of their own' },
  atmIv30d: {
    ...volatility,
    formula: 'atmIv^2 T linear in T between expiries, at 30 days; flat within 20 % of it, else null',
  },
  atmIvFront: { ...volatility, formula: 'atmIv of the nearest expiry at least 1 day away that has one' },
  expectedMove: { ...price, formula: 'F atmIv sqrt(T) of that same expiry' },
  quality: { ...score, formula: 'quality of the expiries weighted by their contracts' },
  ...positioning,
}

const powersOfTen = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent)

/** Rounds to the stored scale; null for what is missing or no finite number. */
export function atScale(value: number | null, decimals: number): number | null {
  if (value === null || !Number.isFinite(value)) return null
  const scaled = value * (powersOfTen[decimals] ?? 1)
  // Beyond 2^53 there are no decimals left to round. Adding 0 turns a rounded -0 into 0.
  return Math.abs(scaled) < 2 ** 53 ? Math.round(scaled) / (powersOfTen[decimals] ?? 1) + 0 : value
}

/** Returns the figures at their stored scale. Counts and sums, which are never missing, come through as numbers. */
export function atStoredScale<T extends ExpiryFeatures | ChainFeatures>(
  figures: T,
  registry: Readonly<Record<NumericKey<T>, FeatureSpec>>,
): T {
  const rounded: Record<string, unknown> = { ...figures }
  for (const [key, { decimals }] of Object.entries<FeatureSpec>(registry)) {
    rounded[key] = atScale(rounded[key] as number | null, decimals)
  }
  return rounded as unknown as T
}
