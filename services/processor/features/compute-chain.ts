import { parseDay } from '../../../shared/calendar/days.ts'
import { expiryFeatureSpecs } from '../../../shared/model/feature-registry.ts'
import {
  type ComputedChain,
  type ContractFigures,
  type ExpiryFeatures,
  ivCodes,
  type IvMethod,
} from '../../../shared/model/features.ts'
import type { ChainColumns, Snapshot } from '../../../shared/model/snapshot.ts'
import type { RateCurve } from '../../../shared/quant/rate-curve.ts'
import { poolChain } from './chain.ts'
import type { ChainContext } from './context.ts'
import { type ComputedExpiry, computeExpiry } from './expiry-figures.ts'
import type { KnownCarry } from './forward.ts'
import { groupByExpiry } from './group.ts'
import { sessionStartS } from './positioning.ts'
import { markQuoteStates } from './quote-state.ts'
import { solveExpiries } from './solve-expiries.ts'
import { atStoredScale } from './stored-scale.ts'

export interface FeatureParams {
  readonly curve: RateCurve
  readonly ivMethod: IvMethod
  /** Contracts with less time left than this have no IV. @default 5 */
  readonly minutesFloor: number
}

/** What is computed, and the carries to hand in with the next snapshot of the same underlying and provider. */
export interface ComputedSnapshot extends ComputedChain {
  readonly carries: readonly KnownCarry[]
}

/**
 * Computes everything one snapshot says by itself, with the carries of the snapshot before for expiries whose own pairs say
 * nothing. The same contracts in another order give bit-identical figures. Scalar features come at their stored scale; the
 * figures of contracts stay unrounded, for the row writer to round.
 */
export function computeChain(
  snapshot: Snapshot,
  params: FeatureParams,
  known: readonly KnownCarry[] = [],
): ComputedSnapshot {
  const { meta, columns } = snapshot
  const contracts = createFigures(columns)
  const startS = sessionStartS(meta)
  markQuoteStates(columns, startS, contracts.flags)
  const marketTimeS = meta.marketTimeMs / 1000
  const groups = groupByExpiry(columns, marketTimeS, contracts.ivCode)
  const { spot } = meta
  if (spot === null || !(spot > 0 && spot < Infinity)) return { contracts, expiries: [], chain: null, carries: known }
  const context: ChainContext = {
    columns,
    figures: contracts,
    spot,
    multiplier: meta.multiplier,
    marketTimeS,
    sessionStartS: startS,
    sessionDay: parseDay(meta.sessionDate) ?? NaN,
  }
  const { expiries, carries } = solveExpiries(context, groups, meta, params, known)
  const computed = expiries.map((expiry) => computeExpiry(context, expiry))
  return { contracts, expiries: computed.map(toFeatures), chain: poolChain(context, groups, computed), carries }
}

const toStoredScale = atStoredScale(expiryFeatureSpecs)

function toFeatures({ expiry, figures }: ComputedExpiry): ExpiryFeatures {
  const { root, expiryDay, expiryAtS, exerciseStyle, forward } = expiry
  return { root, expiryDay, expiryAtS, exerciseStyle, forwardSource: forward.source, figures: toStoredScale(figures) }
}

/** Figures of contracts before anything is computed: missing, with the code `no_forward`. */
export function createFigures({ length }: ChainColumns): ContractFigures {
  const missing = () => new Float64Array(length).fill(NaN)
  return {
    iv: missing(),
    ivCode: new Uint8Array(length).fill(ivCodes.no_forward),
    delta: missing(),
    gamma: missing(),
    theta: missing(),
    vega: missing(),
    ivBiasVp: missing(),
    thetaToExpiry: missing(),
    flags: new Uint16Array(length),
  }
}
