/**
 * One time step of the Black-Scholes equation in x = ln S on an uneven grid: (I - dt/2 L) v' = (I + dt/2 L) v, Crank and
 * Nicolson, L = sigma^2/2 (d2/dx2 - d/dx) + r d/dx - r by three-point differences, linear in x beyond the ends.
 */
export class DiffusionStep {
  readonly #size: number
  readonly #below: Float64Array
  readonly #at: Float64Array
  readonly #above: Float64Array
  /** For `#dt`: dt/2 times the above, 1 added in the middle. */
  readonly #explicitBelow: Float64Array
  readonly #explicitAt: Float64Array
  readonly #explicitAbove: Float64Array
  /** Of Thomas's elimination for `#dt`: multiplier of the row above, and 1 / pivot. */
  readonly #factor: Float64Array
  readonly #inversePivot: Float64Array
  #dt = NaN

  constructor(size: number) {
    this.#size = size
    this.#below = new Float64Array(size)
    this.#at = new Float64Array(size)
    this.#above = new Float64Array(size)
    this.#explicitBelow = new Float64Array(size)
    this.#explicitAt = new Float64Array(size)
    this.#explicitAbove = new Float64Array(size)
    this.#factor = new Float64Array(size)
    this.#inversePivot = new Float64Array(size)
  }

  setOperator(x: Float64Array, rate: number, sigma: number): void {
    const n = this.#size
    const half = 0.5 * sigma * sigma
    const drift = rate - half
    this.#dt = NaN
    for (let i = 1; i < n - 1; i++) {
      const down = (x[i] ?? 0) - (x[i - 1] ?? 0)
      const up = (x[i + 1] ?? 0) - (x[i] ?? 0)
      const both = down + up
      this.#below[i] = (2 * half - drift * up) / (down * both)
      this.#above[i] = (2 * half + drift * down) / (up * both)
      this.#at[i] = (drift * (up - down) - 2 * half) / (down * up) - rate
    }
    const first = drift / ((x[1] ?? 0) - (x[0] ?? 0))
    const last = drift / ((x[n - 1] ?? 0) - (x[n - 2] ?? 0))
    this.#at[0] = -first - rate
    this.#above[0] = first
    this.#below[n - 1] = -last
    this.#at[n - 1] = last - rate
  }

  /** Moves `values` back by dt and then lifts them to `floor`; `scratch` is as long. */
  step(values: Float64Array, dt: number, floor: Float64Array, scratch: Float64Array): void {
    if (dt !== this.#dt) this.#factorise(dt)
    const n = this.#size
    const below = this.#explicitBelow
    const at = this.#explicitAt
    const above = this.#explicitAbove
    const factor = this.#factor
    const inverse = this.#inversePivot
    let previous = 0
    let middle = values[0] ?? 0
    let carried = 0
    for (let i = 0; i < n - 1; i++) {
      const next = values[i + 1] ?? 0
      const known = (below[i] ?? 0) * previous + (at[i] ?? 0) * middle + (above[i] ?? 0) * next
      carried = known - (factor[i] ?? 0) * carried
      scratch[i] = carried
      previous = middle
      middle = next
    }
    const known = (below[n - 1] ?? 0) * previous + (at[n - 1] ?? 0) * middle
    let solved = (known - (factor[n - 1] ?? 0) * carried) * (inverse[n - 1] ?? 0)
    values[n - 1] = solved > (floor[n - 1] ?? 0) ? solved : (floor[n - 1] ?? 0)
    for (let i = n - 2; i >= 0; i--) {
      solved = ((scratch[i] ?? 0) + (above[i] ?? 0) * solved) * (inverse[i] ?? 0)
      const least = floor[i] ?? 0
      values[i] = solved > least ? solved : least
    }
  }

  #factorise(dt: number): void {
    const h = 0.5 * dt
    let pivot = 1
    for (let i = 0; i < this.#size; i++) {
      const below = h * (this.#below[i] ?? 0)
      const at = h * (this.#at[i] ?? 0)
      const factor = -below / pivot
      pivot = 1 - at + (i > 0 ? factor * (this.#explicitAbove[i - 1] ?? 0) : 0)
      this.#explicitBelow[i] = below
      this.#explicitAt[i] = 1 + at
      this.#explicitAbove[i] = h * (this.#above[i] ?? 0)
      this.#factor[i] = factor
      this.#inversePivot[i] = 1 / pivot
    }
    this.#dt = dt
  }
}
