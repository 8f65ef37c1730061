import { tableCdf, tablePdf } from './normal-table.ts'
import { logCriticalPrice } from './qd-plus.ts'
import { type Scheme, schemes } from './scheme.ts'

/**
 * Above this (r - q) / sigma^2 the iteration FP-B no longer contracts and FP-A takes over; below it FP-B is the more accurate
 * one, at r = q too.
 */
const steepCarry = 8

/**
 * The early-exercise boundary of an American put on strike 1 by the collocation of Andersen, Lake and Offengenden (SSRN
 * 2547027). B(tau) over strike depends on rates and volatility alone, so one boundary serves all strikes of an expiry; a call
 * is the put with rate and yield, spot and strike exchanged (McDonald and Schroder, "A parity result for American options",
 * 1998). Arrays are made once: setting terms, solving and pricing allocate nothing.
 */
export class ExerciseBoundary {
  readonly scheme: Scheme
  /** -ln(B(u) / X) at the points of the price's quadrature, u the time to expiry left there. */
  readonly depth: Float64Array
  /** ln of the boundary at expiry, X = min(1, r/q). */
  logAtExpiry = NaN
  /** ln B(T): a put is exercised at once at or below it. */
  logNow = NaN

  #rate = NaN
  #yield = NaN
  #years = NaN
  #sigma = NaN
  /** sqrt(H) at nodes 1..n with H = ln^2(B / X), its next iterate, and H itself, which is what is interpolated. */
  readonly #root: Float64Array
  readonly #next: Float64Array
  readonly #squared: Float64Array
  /** exp(-r w), exp(-q w) at the points of the inner quadratures, then at the nodes themselves. */
  readonly #discountStrike: Float64Array
  readonly #discountSpot: Float64Array
  /** The same for the price, quadrature weight and rate multiplied in. */
  readonly #strikeWeight: Float64Array
  readonly #spotWeight: Float64Array

  constructor(scheme: Scheme = schemes.standard) {
    const { nodeCount, inner, outer } = scheme
    this.scheme = scheme
    this.depth = new Float64Array(outer.order)
    this.#root = new Float64Array(nodeCount)
    this.#squared = new Float64Array(nodeCount)
    this.#next = new Float64Array(nodeCount)
    this.#discountStrike = new Float64Array(nodeCount * (inner.order + 1))
    this.#discountSpot = new Float64Array(nodeCount * (inner.order + 1))
    this.#strikeWeight = new Float64Array(outer.order)
    this.#spotWeight = new Float64Array(outer.order)
  }

  /** Rate must be positive, years too, all finite: `earlyExercise` says when. */
  setTerms(rate: number, dividendYield: number, years: number): void {
    const { node, nodeCount, inner, outer } = this.scheme
    this.#rate = rate
    this.#yield = dividendYield
    this.#years = years
    this.logAtExpiry = dividendYield > rate ? Math.log(rate / dividendYield) : 0
    for (let i = 0; i < nodeCount; i++) {
      const x = node[i] ?? 0
      for (let k = 0; k <= inner.order; k++) {
        const s = k < inner.order ? (inner.s[k] ?? 0) : 1
        const time = years * x * x * s * s
        this.#discountStrike[i * (inner.order + 1) + k] = Math.exp(-rate * time)
        this.#discountSpot[i * (inner.order + 1) + k] = Math.exp(-dividendYield * time)
      }
    }
    for (let k = 0; k < outer.order; k++) {
      const s = outer.s[k] ?? 0
      const weight = 2 * years * s * (outer.weight[k] ?? 0)
      this.#strikeWeight[k] = weight * rate * Math.exp(-rate * years * s * s)
      this.#spotWeight[k] = weight * dividendYield * Math.exp(-dividendYield * years * s * s)
    }
  }

  /** Solves the boundary at one volatility, which must be positive and finite. */
  solve(sigma: number): void {
    const { node, nodeCount, steps, outer } = this.scheme
    this.#sigma = sigma
    for (let i = 0; i < nodeCount; i++) {
      const x = node[i] ?? 0
      this.#set(i, this.logAtExpiry - logCriticalPrice(this.#rate, this.#yield, sigma, this.#years * x * x))
    }
    const isSteep = Math.abs(this.#rate - this.#yield) > steepCarry * sigma * sigma
    for (let step = 0; step < steps; step++) {
      for (let i = 0; i < nodeCount; i++) {
        if (isSteep) this.#improveA(i, step === 0)
        else this.#improveB(i, step === 0)
      }
      for (let i = 0; i < nodeCount; i++) this.#set(i, this.#next[i] ?? 0)
    }
    for (let k = 0; k < outer.order; k++) this.depth[k] = this.#depthAt(outer.toPoint, k * nodeCount)
    this.logNow = this.logAtExpiry - (this.#root[nodeCount - 1] ?? 0)
  }

  /** Early-exercise premium over strike of a put at ln(spot / strike), at the volatility solved last. */
  premium(logMoneyness: number): number {
    return this.premiumWith(this.depth, this.#sigma, logMoneyness)
  }

  /** The same at another volatility whose boundary is given as `depth`. Above the boundary only. */
  premiumWith(depth: Float64Array, sigma: number, logMoneyness: number): number {
    const { order, s, inverse } = this.scheme.outer
    const total = sigma * Math.sqrt(this.#years)
    const scale = 1 / total
    const above = logMoneyness - this.logAtExpiry
    const drift = (this.#rate - this.#yield) * this.#years * scale
    const towardsStrike = drift - 0.5 * total
    let sum = 0
    for (let k = 0; k < order; k++) {
      const d = (above + (depth[k] ?? 0)) * scale * (inverse[k] ?? 0) + towardsStrike * (s[k] ?? 0)
      sum += (this.#strikeWeight[k] ?? 0) * tableCdf(-d)
    }
    if (this.#yield === 0) return sum
    const towardsSpot = drift + 0.5 * total
    let spotSum = 0
    for (let k = 0; k < order; k++) {
      const d = (above + (depth[k] ?? 0)) * scale * (inverse[k] ?? 0) + towardsSpot * (s[k] ?? 0)
      spotSum += (this.#spotWeight[k] ?? 0) * tableCdf(-d)
    }
    return sum - Math.exp(logMoneyness) * spotSum
  }

  #set(i: number, depth: number): void {
    const root = depth > 0 ? depth : 0
    this.#root[i] = root
    this.#squared[i] = root * root
  }

  /** sqrt(H) between the nodes by the interpolation row that starts at `row`. */
  #depthAt(rows: Float64Array, row: number): number {
    const n = this.scheme.nodeCount
    let squared = 0
    for (let j = 0; j < n; j++) squared += (rows[row + j] ?? 0) * (this.#squared[j] ?? 0)
    return squared > 0 ? Math.sqrt(squared) : 0
  }

  /** One step of fixed-point system FP-A at node i; the first is a partial Jacobi-Newton step. */
  #improveA(i: number, isNewton: boolean): void {
    const { node, nodeCount, inner } = this.scheme
    const { order, s, weight, toPoint } = inner
    const x = node[i] ?? 0
    const tau = this.#years * x * x
    const total = this.#sigma * Math.sqrt(this.#years) * x
    const drift = (this.#rate - this.#yield) * tau
    const depth = this.#root[i] ?? 0
    const at = i * (order + 1)
    const endStrike = this.#discountStrike[at + order] ?? 0
    const endSpot = this.#discountSpot[at + order] ?? 0
    const d = (this.logAtExpiry - depth + drift) / total
    let top = 0
    let bottom = 0
    for (let k = 0; k < order; k++) {
      const root = s[k] ?? 0
      const v = total * root
      const e = (this.#depthAt(toPoint, (i * order + k) * nodeCount) - depth + drift * root * root) / v
      const share = 2 * tau * root * (weight[k] ?? 0)
      top += share * (this.#discountStrike[at + k] ?? 0) * tableCdf(e - 0.5 * v)
      bottom += share * (this.#discountSpot[at + k] ?? 0) * tableCdf(e + 0.5 * v)
    }
    top = endStrike * tableCdf(d - 0.5 * total) + this.#rate * top
    bottom = endSpot * tableCdf(d + 0.5 * total) + this.#yield * bottom
    const topSlope = (endStrike * tablePdf(d - 0.5 * total)) / total
    const bottomSlope = (endSpot * tablePdf(d + 0.5 * total)) / total
    this.#move(i, top, bottom, isNewton ? topSlope : 0, isNewton ? bottomSlope : 0)
  }

  /** The same for FP-B. */
  #improveB(i: number, isNewton: boolean): void {
    const { node, nodeCount, inner } = this.scheme
    const { order, s, weight, toPoint } = inner
    const x = node[i] ?? 0
    const tau = this.#years * x * x
    const total = this.#sigma * Math.sqrt(this.#years) * x
    const drift = (this.#rate - this.#yield) * tau
    const depth = this.#root[i] ?? 0
    const at = i * (order + 1)
    const endStrike = this.#discountStrike[at + order] ?? 0
    const endSpot = this.#discountSpot[at + order] ?? 0
    const d = (this.logAtExpiry - depth + drift) / total
    let top = 0
    let bottom = 0
    for (let k = 0; k < order; k++) {
      const root = s[k] ?? 0
      const v = total * root
      const e = (this.#depthAt(toPoint, (i * order + k) * nodeCount) - depth + drift * root * root) / v
      const share = 2 * tau * (weight[k] ?? 0)
      top += share * (this.#discountStrike[at + k] ?? 0) * tablePdf(e - 0.5 * v)
      if (this.#yield === 0) continue
      const spotPart = root * total * tableCdf(e + 0.5 * v) + tablePdf(e + 0.5 * v)
      bottom += share * (this.#discountSpot[at + k] ?? 0) * spotPart
    }
    const low = endStrike * tablePdf(d - 0.5 * total)
    const high = endSpot * tablePdf(d + 0.5 * total)
    top = (low + this.#rate * top) / total
    bottom = (high + this.#yield * bottom) / total + endSpot * tableCdf(d + 0.5 * total)
    const topSlope = (-(d - 0.5 * total) * low) / (total * total)
    const bottomSlope = high / total - ((d + 0.5 * total) * high) / (total * total)
    this.#move(i, top, bottom, isNewton ? topSlope : 0, isNewton ? bottomSlope : 0)
  }

  /**
   * Moves node i towards B = N/D, with the slopes of N and D in ln B for Newton's step, 0 for a plain one. The step is taken in
   * B as in the paper.
   */
  #move(i: number, top: number, bottom: number, topSlope: number, bottomSlope: number): void {
    const now = Math.exp(this.logAtExpiry - (this.#root[i] ?? 0))
    const target = top / bottom
    const slope = (topSlope - target * bottomSlope) / (bottom * now)
    const next = now - (now - target) / (1 - slope)
    this.#next[i] = next > 0 ? this.logAtExpiry - Math.log(next) : (this.#root[i] ?? 0)
  }
}
