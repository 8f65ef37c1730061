import { ivCodes } from '../model/features.ts'
import { block, blockRows } from './kernel/block.ts'
import { solveRest } from './kernel/bracket.ts'
import type { ExpiryQuotes, ExpiryTerms, GreekColumns, IvCode, IvColumns } from './kernel/columns.ts'
import { type ExpiryVolatilities, takeBlock } from './kernel/given.ts'
import { greeksBlock } from './kernel/greeks.ts'
import { codeOfGreekTerms, codeOfTerms, reduceBlock } from './kernel/reduce.ts'
import { refineBlock, scaleBlock } from './kernel/refine.ts'
import { seedBlock } from './kernel/seed.ts'

export type { ExpiryQuotes, ExpiryTerms, GreekColumns, IvColumns } from './kernel/columns.ts'

export interface ImpliedVolatility {
  /** Fraction per sqrt(year); NaN unless the code is ok. */
  readonly sigma: number
  readonly code: IvCode
}

const one = {
  quotes: { count: 1, price: new Float64Array(1), strike: new Float64Array(1), right: new Int8Array(1) },
  out: { iv: new Float64Array(1), ivCode: new Uint8Array(1) },
}

/**
 * Returns the Black-76 volatility of one option price. Never throws: a code says why there is none. A price in the money is
 * taken as given, with the digits its time value has left; prefer the out-of-the-money leg.
 *
 * @param price paid today, in the currency of the strike
 * @param discount present value of 1 paid at expiry
 * @param right 1 call, 2 put
 */
export function solveImpliedVolatility(
  price: number,
  forward: number,
  strike: number,
  yearsToExpiry: number,
  discount: number,
  right: number,
): ImpliedVolatility {
  const { quotes, out } = one
  quotes.price[0] = price
  quotes.strike[0] = strike
  quotes.right[0] = right === 1 || right === 2 ? right : 0
  solveExpiry(quotes, { spot: NaN, forward, discount, yearsToExpiry }, out)
  return { sigma: out.iv[0]!, code: out.ivCode[0]! as IvCode }
}

/** Solves all quotes of one expiry into the caller's columns. Never throws, allocates nothing. */
export function solveExpiry(quotes: ExpiryQuotes, terms: ExpiryTerms, out: IvColumns): void {
  const code = codeOfTerms(terms)
  if (code !== ivCodes.ok) {
    refuseIv(code, out, quotes.count)
    return
  }
  for (let from = 0; from < quotes.count; from += blockRows) {
    const rows = solveBlock(quotes, terms, out, from)
    writeIv(rows, terms, out)
  }
}

/**
 * `solveExpiry` with all greeks in the same pass. They need a spot: without one the code is `no_forward`. NaN wherever the code
 * is not ok, and never where it is.
 */
export function solveExpiryWithGreeks(quotes: ExpiryQuotes, terms: ExpiryTerms, out: IvColumns & GreekColumns): void {
  const { count } = quotes
  const code = codeOfGreekTerms(terms)
  if (code !== ivCodes.ok) {
    refuseIv(code, out, count)
    refuseGreeks(out, 0, count)
    return
  }
  for (let from = 0; from < count; from += blockRows) {
    const rows = solveBlock(quotes, terms, out, from)
    const to = Math.min(count, from + blockRows)
    if (rows < to - from) refuseGreeks(out, from, to)
    writeIv(rows, terms, out)
    greeksBlock(rows, quotes, terms, out)
    refuseOverflow(rows, out, out)
  }
}

/** All greeks of contracts whose volatilities are known. NaN where volatility, strike, right or terms do not make an option. */
export function computeExpiryGreeks(given: ExpiryVolatilities, terms: ExpiryTerms, out: GreekColumns): void {
  const { count } = given
  refuseGreeks(out, 0, count)
  if (codeOfGreekTerms(terms) !== ivCodes.ok) return
  for (let from = 0; from < count; from += blockRows) {
    const rows = takeBlock(given, terms, from)
    greeksBlock(rows, given, terms, out)
    refuseOverflow(rows, out, null)
  }
}

function solveBlock(quotes: ExpiryQuotes, terms: ExpiryTerms, out: IvColumns, from: number): number {
  const rows = reduceBlock(quotes, terms, out, from)
  seedBlock(rows)
  scaleBlock(rows)
  const rest = refineBlock(rows)
  if (rest > 0) solveRest(rest)
  return rows
}

function writeIv(rows: number, { yearsToExpiry }: ExpiryTerms, { iv, ivCode }: IvColumns): void {
  const { row, s } = block
  const inverseSqrtT = 1 / Math.sqrt(yearsToExpiry)
  for (let j = 0; j < rows; j++) {
    const i = row[j]!
    const sigma = s[j]! * inverseSqrtT
    // Not `ok ? sigma : NaN`: the compiler would box it, one object a contract.
    iv[i] = sigma
    ivCode[i] = ivCodes.ok
    if (sigma > 0 && sigma < Infinity) continue
    // A price that cannot be told apart from the intrinsic value in doubles.
    iv[i] = NaN
    ivCode[i] = ivCodes.below_intrinsic
  }
}

function refuseIv(code: IvCode, { iv, ivCode }: IvColumns, count: number): void {
  iv.fill(NaN, 0, count)
  ivCode.fill(code, 0, count)
}

function refuseGreeks(out: GreekColumns, from: number, to: number): void {
  out.delta.fill(NaN, from, to)
  out.gamma.fill(NaN, from, to)
  out.vega.fill(NaN, from, to)
  out.theta.fill(NaN, from, to)
  out.rho.fill(NaN, from, to)
  out.vanna.fill(NaN, from, to)
  out.charm.fill(NaN, from, to)
  out.volga.fill(NaN, from, to)
}

/** A gamma at a volatility of 1e-300 exceeds all doubles: the price stands for no time value that could be traded. */
function refuseOverflow(rows: number, out: GreekColumns, solved: IvColumns | null): void {
  const { row } = block
  const { delta, gamma, vega, theta, rho, vanna, charm, volga } = out
  for (let j = 0; j < rows; j++) {
    const i = row[j]!
    const sum = delta[i]! + gamma[i]! + vega[i]! + theta[i]! + rho[i]! + vanna[i]! + charm[i]! + volga[i]!
    if (sum - sum === 0) continue
    refuseGreeks(out, i, i + 1)
    if (solved === null) continue
    solved.iv[i] = NaN
    solved.ivCode[i] = ivCodes.below_intrinsic
  }
}
