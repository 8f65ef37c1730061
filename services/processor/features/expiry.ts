import { type ContractFigures, type ExpiryFeatures, ivCodes } from '../../../shared/model/features.ts'
import type { ChainColumns } from '../../../shared/model/snapshot.ts'
import { rights } from '../../../shared/model/snapshot.ts'
import { type ImpliedForward, impliedForward } from '../../../shared/quant/implied-forward.ts'
import { type ExpiryTerms, solveExpiryWithGreeks } from '../../../shared/quant/implied-volatility.ts'
import { volatilityAtTheMoney } from '../../../shared/quant/interpolate.ts'
import { maxPain } from '../../../shared/quant/max-pain.ts'
import { codeWithoutMid, createPairs, type PairColumns, pairLegs } from './pairs.ts'
import { putCallRatios, sumPositions } from './positioning.ts'

/** What all expiries of a snapshot share. */
export interface ChainContext {
  readonly columns: ChainColumns
  readonly figures: ContractFigures
  readonly spot: number
  readonly multiplier: number
  readonly marketTimeS: number
  readonly sessionStartS: number
  readonly riskFreeRate: number
  readonly floorYears: number
}

/** Columns made once per chain for its largest expiry. */
export interface Scratch {
  readonly pairs: PairColumns
  readonly price: Float64Array
  readonly right: Int8Array
  readonly solved: ContractFigures
}

export function createScratch(capacity: number): Scratch {
  return {
    pairs: createPairs(capacity),
    price: new Float64Array(capacity),
    right: new Int8Array(capacity),
    solved: {
      iv: new Float64Array(capacity),
      ivCode: new Uint8Array(capacity),
      delta: new Float64Array(capacity),
      gamma: new Float64Array(capacity),
      theta: new Float64Array(capacity),
      vega: new Float64Array(capacity),
    },
  }
}

/** Rows of one expiry in canonical order, and what max pain reads of them as contiguous columns. */
export interface ExpiryRows {
  readonly rows: Int32Array
  readonly strike: Float64Array
  readonly right: Int8Array
  readonly openInterest: Float64Array
}

const secondsPerYear = 31_536_000
const straddleWithin = 0.05
const nearFloor = 0.01
const nearSigmas = 1.5

/** Computes one expiry: fills the figures of its contracts and returns its features, unrounded and NaN where missing. */
export function computeExpiry(context: ChainContext, expiry: ExpiryRows, scratch: Scratch): ExpiryFeatures {
  const { columns, spot } = context
  const { rows } = expiry
  const first = rows[0] ?? 0
  const expiryAtS = columns.expiryAtS[first] ?? NaN
  const yearsToExpiry = (expiryAtS - context.marketTimeS) / secondsPerYear
  const discount = Math.exp(-context.riskFreeRate * yearsToExpiry)
  const { pairs } = scratch
  pairLegs(columns, rows, pairs)
  const implied = impliedForward(pairs, { spot, yearsToExpiry, discount })
  const terms: ExpiryTerms = { spot, forward: implied.forward, discount, yearsToExpiry }
  const isSolved = yearsToExpiry >= context.floorYears
  if (isSolved) solveOutOfTheMoney(context, terms, scratch)
  const { nUsed, gexUsd1pct } = isSolved ? spreadToLegs(context, terms, scratch) : refuse(context, rows)
  const atmIv = isSolved ? atTheMoney(pairs, scratch.solved, implied.forward) : NaN
  const expectedMove = implied.forward * atmIv * Math.sqrt(yearsToExpiry)
  const sums = sumPositions(columns, rows, context.sessionStartS)
  return {
    root: columns.roots[columns.rootIndex[first] ?? 0] ?? '',
    expiryDay: columns.expiryDay[first] ?? NaN,
    expiryAtS,
    yearsToExpiry,
    nContracts: rows.length,
    nUsed,
    forward: implied.forward,
    forwardSource: implied.source,
    atmIv,
    straddle: nearestStraddle(pairs, implied.forward),
    expectedMove,
    ...sums,
    ...putCallRatios(sums),
    maxPain: maxPain({ ...expiry, count: rows.length }),
    gexUsd1pct,
    quality: qualityOf(scratch, implied, atmIv, expectedMove / implied.forward),
  }
}

/** Below the time floor a price is all ticks and no volatility. */
function refuse({ figures }: ChainContext, rows: Int32Array): { nUsed: number; gexUsd1pct: number } {
  for (const row of rows) figures.ivCode[row] = ivCodes.below_time_floor
  return { nUsed: 0, gexUsd1pct: NaN }
}

/** One volatility a strike, from the leg without intrinsic value: early exercise hardly touches it. */
function solveOutOfTheMoney({ columns }: ChainContext, terms: ExpiryTerms, scratch: Scratch): void {
  const { pairs, price, right, solved } = scratch
  const { count, strike } = pairs
  for (let i = 0; i < count; i++) {
    const isPut = (strike[i] ?? NaN) < terms.forward
    right[i] = isPut ? rights.put : rights.call
    price[i] = (isPut ? pairs.putMid : pairs.callMid)[i] ?? NaN
  }
  solveExpiryWithGreeks({ count, price, strike, right }, terms, solved)
  for (let i = 0; i < count; i++) {
    if (!Number.isNaN(price[i])) continue
    solved.ivCode[i] = codeWithoutMid(columns, (right[i] === rights.put ? pairs.putRow : pairs.callRow)[i] ?? -1)
  }
}

/** Writes each strike's figures to both legs; the one in the money gets its own greeks by put-call parity. */
function spreadToLegs(
  context: ChainContext,
  terms: ExpiryTerms,
  { pairs, right, solved }: Scratch,
): { nUsed: number; gexUsd1pct: number } {
  const { spot, forward, discount, yearsToExpiry } = terms
  const { figures, columns } = context
  const deltaOfParity = (discount * forward) / spot
  // Theta of D (F - K) with the forward held fixed: only its discounting passes.
  const thetaPerPrice = (-Math.log(discount) / yearsToExpiry / 365) * discount
  let nUsed = 0
  let gamma = 0
  let known = 0
  for (let i = 0; i < pairs.count; i++) {
    const code = solved.ivCode[i] ?? ivCodes.no_forward
    const isOk = code === ivCodes.ok
    const sign = right[i] === rights.call ? 1 : -1
    const callRow = pairs.callRow[i] ?? -1
    const putRow = pairs.putRow[i] ?? -1
    const own = sign === 1 ? callRow : putRow
    const twin = sign === 1 ? putRow : callRow
    if (own >= 0) writeLeg(figures, own, solved, i, code, 0, 0)
    const theta = -sign * thetaPerPrice * (forward - (pairs.strike[i] ?? NaN))
    if (twin >= 0) writeLeg(figures, twin, solved, i, isOk ? ivCodes.itm_twin : code, -sign * deltaOfParity, theta)
    if (!isOk) continue
    nUsed++
    const callInterest = callRow >= 0 ? (columns.openInterest[callRow] ?? NaN) : NaN
    const putInterest = putRow >= 0 ? (columns.openInterest[putRow] ?? NaN) : NaN
    if (callInterest >= 0 || putInterest >= 0) known++
    gamma += (solved.gamma[i] ?? NaN) * ((callInterest || 0) - (putInterest || 0))
  }
  return { nUsed, gexUsd1pct: known > 0 ? gamma * context.multiplier * spot * spot * 0.01 : NaN }
}

function writeLeg(
  figures: ContractFigures,
  row: number,
  solved: ContractFigures,
  at: number,
  code: number,
  deltaShift: number,
  thetaShift: number,
): void {
  figures.iv[row] = solved.iv[at] ?? NaN
  figures.ivCode[row] = code
  figures.delta[row] = (solved.delta[at] ?? NaN) + deltaShift
  figures.gamma[row] = solved.gamma[at] ?? NaN
  figures.theta[row] = (solved.theta[at] ?? NaN) + thetaShift
  figures.vega[row] = solved.vega[at] ?? NaN
}

function atTheMoney({ count, strike }: PairColumns, { iv }: ContractFigures, forward: number): number {
  let below = -1
  let above = -1
  for (let i = 0; i < count && above < 0; i++) {
    if (Number.isNaN(iv[i])) continue
    if ((strike[i] ?? NaN) < forward) below = i
    else above = i
  }
  if (above >= 0 && strike[above] === forward) return iv[above] ?? NaN
  if (below < 0 || above < 0) return NaN
  const k = (at: number) => Math.log((strike[at] ?? NaN) / forward)
  return volatilityAtTheMoney(k(below), iv[below] ?? NaN, k(above), iv[above] ?? NaN)
}

function nearestStraddle({ count, strike, callMid, putMid }: PairColumns, forward: number): number {
  let nearest = straddleWithin * forward
  let straddle = NaN
  for (let i = 0; i < count; i++) {
    const distance = Math.abs((strike[i] ?? NaN) - forward)
    const both = (callMid[i] ?? NaN) + (putMid[i] ?? NaN)
    if (Number.isNaN(both) || !(distance < nearest)) continue
    nearest = distance
    straddle = both
  }
  return straddle
}

/** See the registry for the formula. */
function qualityOf({ pairs, solved }: Scratch, implied: ImpliedForward, atmIv: number, sigmaSqrtT: number): number {
  if (Number.isNaN(atmIv)) return 0
  const within = Math.max(nearFloor, nearSigmas * sigmaSqrtT)
  let near = 0
  let solvedNear = 0
  for (let i = 0; i < pairs.count; i++) {
    if (Math.abs((pairs.strike[i] ?? NaN) / implied.forward - 1) > within) continue
    near++
    if (solved.ivCode[i] === ivCodes.ok) solvedNear++
  }
  return 100 * (near === 0 ? 1 : solvedNear / near) * (0.5 + 0.5 * implied.confidence)
}
