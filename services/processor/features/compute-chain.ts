import {
  type ComputedChain,
  type ContractFigures,
  type ExpiryFeatures,
  ivCodes,
} from '../../../shared/model/features.ts'
import type { ChainColumns, Snapshot } from '../../../shared/model/snapshot.ts'
import { poolChain } from './chain.ts'
import { type ChainContext, computeExpiry, createScratch } from './expiry.ts'
import { type ExpiryGroups, groupByExpiry } from './group.ts'
import { sessionStartS } from './positioning.ts'
import { atStoredScale, chainRegistry, expiryRegistry } from './registry.ts'

export interface FeatureParams {
  /** Flat, continuously compounded, as a fraction: 0.037 is 3.7 %. */
  readonly riskFreeRate: number
  /** Day the rate was taken, YYYY-MM-DD. */
  readonly curveDate: string
  /** Contracts with less time left than this have no IV. @default 5 */
  readonly minutesFloor: number
}

const minutesPerYear = 525_600

/**
 * Computes everything one snapshot says by itself. The same contracts in another order give bit-identical figures. Scalar
 * features come at their stored scale; the figures of contracts stay unrounded, for the row writer to round.
 */
export function computeChain(snapshot: Snapshot, params: FeatureParams): ComputedChain {
  const { meta, columns } = snapshot
  const marketTimeS = meta.marketTimeMs / 1000
  const contracts = createFigures(columns.length)
  const groups = groupByExpiry(columns, marketTimeS, contracts.ivCode)
  const { spot } = meta
  if (spot === null || !(spot > 0 && spot < Infinity)) return { contracts, expiries: [], chain: null }
  const context: ChainContext = {
    columns,
    figures: contracts,
    spot,
    multiplier: meta.multiplier,
    marketTimeS,
    sessionStartS: sessionStartS(meta),
    riskFreeRate: params.riskFreeRate,
    floorYears: params.minutesFloor / minutesPerYear,
  }
  const positions = gatherPositions(columns, groups.rows)
  const expiries = computeExpiries(context, groups, positions)
  const pooled = poolChain({
    expiries,
    positions: { ...positions, count: groups.rows.length },
    nContracts: columns.length,
    nExpired: groups.nExpired,
  })
  return {
    contracts,
    expiries: expiries.map((expiry) => atStoredScale(expiry, expiryRegistry)),
    chain: atStoredScale(pooled, chainRegistry),
  }
}

function createFigures(length: number): ContractFigures {
  const missing = () => new Float64Array(length).fill(NaN)
  return {
    iv: missing(),
    ivCode: new Uint8Array(length).fill(ivCodes.no_forward),
    delta: missing(),
    gamma: missing(),
    theta: missing(),
    vega: missing(),
  }
}

interface Positions {
  readonly strike: Float64Array
  readonly right: Int8Array
  readonly openInterest: Float64Array
}

/** The columns max pain reads, in canonical order, so that an expiry is a view of them. */
function gatherPositions(columns: ChainColumns, rows: Int32Array): Positions {
  const strike = new Float64Array(rows.length)
  const right = new Int8Array(rows.length)
  const openInterest = new Float64Array(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? 0
    strike[i] = columns.strike[row] ?? NaN
    right[i] = columns.right[row] ?? 0
    openInterest[i] = columns.openInterest[row] ?? NaN
  }
  return { strike, right, openInterest }
}

function computeExpiries(context: ChainContext, groups: ExpiryGroups, positions: Positions): ExpiryFeatures[] {
  const { count, starts, rows } = groups
  let largest = 0
  for (let g = 0; g < count; g++) largest = Math.max(largest, (starts[g + 1] ?? 0) - (starts[g] ?? 0))
  const scratch = createScratch(largest)
  const expiries: ExpiryFeatures[] = []
  for (let g = 0; g < count; g++) {
    const from = starts[g] ?? 0
    const to = starts[g + 1] ?? 0
    const expiry = {
      rows: rows.subarray(from, to),
      strike: positions.strike.subarray(from, to),
      right: positions.right.subarray(from, to),
      openInterest: positions.openInterest.subarray(from, to),
    }
    expiries.push(computeExpiry(context, expiry, scratch))
  }
  return expiries
}
