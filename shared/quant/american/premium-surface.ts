import { ExerciseBoundary } from './exercise-boundary.ts'
import { type Scheme, schemes } from './scheme.ts'
import { VolatilityGrid } from './volatility-grid.ts'

/**
 * Early-exercise premia of one expiry's puts (or calls, exchanged) as a function of moneyness and volatility: boundaries on the
 * volatility grid, each solved when first needed, cost microseconds, a premium between them a fraction of one.
 */
export class PremiumSurface {
  readonly #boundary: ExerciseBoundary
  readonly #order: number
  readonly #depths: Float64Array
  readonly #grid: VolatilityGrid
  readonly #logNow: Float64Array
  readonly #isSolved: Uint8Array
  readonly #depth: Float64Array
  #rate = NaN
  #yield = NaN
  #years = NaN

  /** @param perUnit nodes a unit of ln sigma: 8 lose nothing to speak of to the accurate scheme */
  constructor(scheme: Scheme = schemes.standard, perUnit = 8) {
    this.#grid = new VolatilityGrid(perUnit)
    this.#logNow = new Float64Array(this.#grid.size)
    this.#isSolved = new Uint8Array(this.#grid.size)
    this.#boundary = new ExerciseBoundary(scheme)
    this.#order = scheme.outer.order
    this.#depths = new Float64Array(this.#grid.size * this.#order)
    this.#depth = new Float64Array(this.#order)
  }

  /** Of a put: a call's are given exchanged. Rate and years must be positive. */
  setTerms(rate: number, dividendYield: number, years: number): void {
    if (rate === this.#rate && dividendYield === this.#yield && years === this.#years) return
    this.#rate = rate
    this.#yield = dividendYield
    this.#years = years
    this.#boundary.setTerms(rate, dividendYield, years)
    this.#isSolved.fill(0)
  }

  /** Premium over strike at ln(spot / strike); Infinity where the option is exercised at once. */
  premium(logMoneyness: number, sigma: number): number {
    const node = this.#grid.locate(sigma)
    for (let i = node; i < node + 4; i++) if (this.#isSolved[i] === 0) this.#solve(i)
    const { weights } = this.#grid
    const w0 = weights[0] ?? 0
    const w1 = weights[1] ?? 0
    const w2 = weights[2] ?? 0
    const w3 = weights[3] ?? 0
    const now = this.#logNow
    const logNow =
      w0 * (now[node] ?? 0) + w1 * (now[node + 1] ?? 0) + w2 * (now[node + 2] ?? 0) + w3 * (now[node + 3] ?? 0)
    if (logMoneyness <= logNow) return Infinity
    const order = this.#order
    const depths = this.#depths
    for (let k = 0, j = node * order; k < order; k++, j++) {
      this.#depth[k] =
        w0 * (depths[j] ?? 0) +
        w1 * (depths[j + order] ?? 0) +
        w2 * (depths[j + 2 * order] ?? 0) +
        w3 * (depths[j + 3 * order] ?? 0)
    }
    return this.#boundary.premiumWith(this.#depth, sigma, logMoneyness)
  }

  #solve(node: number): void {
    this.#boundary.solve(this.#grid.sigma(node))
    this.#depths.set(this.#boundary.depth, node * this.#order)
    this.#logNow[node] = this.#boundary.logNow
    this.#isSolved[node] = 1
  }
}
