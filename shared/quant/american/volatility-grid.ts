/** The volatilities grids reach, 0.06 % to 2,400 % a year; beyond them the outermost cubic is used at the end of its range. */
export const lowestSigma = Math.exp(-7.375)
export const highestSigma = Math.exp(3.1875)

/**
 * A geometric grid of volatilities on which what is costly is computed once per expiry and interpolated by the cubic through the
 * four nearest nodes. A chain's volatilities touch about a dozen nodes of the finer grid, half of that of the coarser.
 */
export class VolatilityGrid {
  readonly size: number
  /** Of the four nodes found last. */
  readonly weights = new Float64Array(4)
  readonly #perUnit: number
  readonly #offset: number

  /** @param perUnit nodes a unit of ln sigma */
  constructor(perUnit: number) {
    this.#perUnit = perUnit
    // One node below the lowest volatility, two above the highest.
    this.#offset = Math.floor(Math.log(lowestSigma) * perUnit) - 1
    this.size = Math.ceil(Math.log(highestSigma) * perUnit) + 3 - this.#offset
  }

  sigma(node: number): number {
    return Math.exp((node + this.#offset) / this.#perUnit)
  }

  /** Returns the first of the four nodes to interpolate from in ln sigma and writes their weights (Lagrange). */
  locate(sigma: number): number {
    const at = Math.log(sigma) * this.#perUnit - this.#offset
    const inside = at > 1 ? (at < this.size - 3 ? at : this.size - 3) : 1
    const node = Math.trunc(inside)
    const t = inside - node
    this.weights[0] = -t * (t - 1) * (t - 2) * (1 / 6)
    this.weights[1] = (t + 1) * (t - 1) * (t - 2) * 0.5
    this.weights[2] = -(t + 1) * t * (t - 2) * 0.5
    this.weights[3] = (t + 1) * t * (t - 1) * (1 / 6)
    return node - 1
  }
}
