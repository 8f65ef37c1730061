import { rights } from '../../model/snapshot.ts'
import { DiffusionStep } from './diffusion-step.ts'

export interface CashDividend {
  /** Of the instant the shares trade without it. */
  readonly years: number
  readonly amount: number
}

export interface CashDividendOption {
  readonly spot: number
  readonly strike: number
  readonly yearsToExpiry: number
  readonly rate: number
  /** 1 call, 2 put. */
  readonly right: number
  /** Ascending in time; those not strictly between now and expiry do not count. */
  readonly dividends: readonly CashDividend[]
  readonly isAmerican: boolean
}

/** Exercise at the price without the dividend is possible from 5 minutes after it on, in years; QuantLib's choice too. */
const exerciseDelay = 1e-5
/** Half width of the grid beyond the highest and lowest forward, in sigma sqrt(T). */
const reach = 5.58
/** The lowest forward the grid is laid for, as a share of spot. */
const leastShare = 0.01
/** Width over which nodes crowd round the strike, as a share of the grid. */
const crowding = 0.1

/**
 * Options on a share that pays cash, in the spot-drop model: between dividends the spot is lognormal with the given volatility,
 * and at each one it falls by the amount (to next to nothing where it is worth less). Finite differences in ln S, nodes
 * crowded round the strike by a sinh (Tavella and Randall, "Pricing Financial Instruments", 2000, chapter 5), payoff averaged
 * over cells, Crank-Nicolson steps, early exercise by taking the higher value after each step and at each dividend.
 */
export class CashDividendPricer {
  readonly #timeSteps: number
  readonly #size: number
  readonly #x: Float64Array
  readonly #spot: Float64Array
  readonly #intrinsic: Float64Array
  /** What a value is lifted to where nothing is exercised: below any that occurs. */
  readonly #never: Float64Array
  readonly #values: Float64Array
  readonly #scratch: Float64Array
  readonly #step: DiffusionStep

  constructor(timeSteps = 200, nodes = 400) {
    this.#timeSteps = timeSteps
    this.#size = nodes
    this.#x = new Float64Array(nodes)
    this.#spot = new Float64Array(nodes)
    this.#intrinsic = new Float64Array(nodes)
    this.#never = new Float64Array(nodes).fill(-Infinity)
    this.#values = new Float64Array(nodes)
    this.#scratch = new Float64Array(nodes)
    this.#step = new DiffusionStep(nodes)
  }

  /** The price; NaN for input that is no option. */
  price(option: CashDividendOption, sigma: number): number {
    const { spot, strike, yearsToExpiry, rate, dividends } = option
    const isOption = spot > 0 && strike > 0 && yearsToExpiry > 0 && sigma > 0
    if (!isOption || !Number.isFinite(spot + strike + yearsToExpiry + rate + sigma)) return NaN
    this.#layGrid(option, sigma)
    this.#setPayoff(option)
    this.#step.setOperator(this.#x, rate, sigma)
    const dt = yearsToExpiry / this.#timeSteps
    const floor = option.isAmerican ? this.#intrinsic : this.#never
    let now = yearsToExpiry
    let pending = dividends.length - 1
    for (let n = this.#timeSteps - 1; n >= 0; n--) {
      const next = n * dt
      for (; pending >= 0 && (dividends[pending]?.years ?? 0) > next; pending--) {
        const { years = 0, amount = 0 } = dividends[pending] ?? {}
        if (!(years < yearsToExpiry)) continue
        this.#rollBack(now - years - exerciseDelay, floor)
        this.#rollBack(Math.min(now - years, exerciseDelay), this.#never)
        this.#payDividend(amount, floor)
        now = years
      }
      this.#rollBack(now - next, floor)
      now = next
    }
    return this.#valueAt(Math.log(spot))
  }

  #rollBack(dt: number, floor: Float64Array): void {
    if (dt > 0) this.#step.step(this.#values, dt, floor, this.#scratch)
  }

  /** The value before is that after at a spot lower by the amount, linear between nodes, which keeps it convex. */
  #payDividend(amount: number, floor: Float64Array): void {
    const spot = this.#spot
    this.#scratch.set(this.#values)
    let j = 0
    for (let i = 0; i < this.#size; i++) {
      const after = Math.max((spot[i] ?? 0) - amount, spot[0] ?? 0)
      while (j < this.#size - 2 && (spot[j + 1] ?? 0) < after) j++
      const left = spot[j] ?? 0
      const share = (after - left) / ((spot[j + 1] ?? 0) - left)
      const value = (1 - share) * (this.#scratch[j] ?? 0) + share * (this.#scratch[j + 1] ?? 0)
      this.#values[i] = Math.max(value, floor[i] ?? 0)
    }
  }

  #layGrid({ spot, strike, yearsToExpiry, rate, dividends }: CashDividendOption, sigma: number): void {
    let forward = spot
    let lowest = spot
    let highest = spot
    let at = 0
    for (const { years, amount } of dividends) {
      if (!(years > 0 && years < yearsToExpiry)) continue
      forward *= Math.exp(rate * (years - at))
      highest = Math.max(highest, forward)
      // Where the dividends outweigh the share the grid stays finite.
      forward = Math.max(forward - amount, leastShare * spot)
      lowest = Math.min(lowest, forward)
      at = years
    }
    forward *= Math.exp(rate * (yearsToExpiry - at))
    highest = Math.max(highest, forward)
    lowest = Math.min(lowest, forward)
    const width = reach * sigma * Math.sqrt(yearsToExpiry)
    const start = Math.log(lowest) - width
    const end = Math.log(highest) + width
    const density = crowding * (end - start)
    const centre = Math.min(Math.max(Math.log(strike), start), end)
    const first = Math.asinh((start - centre) / density)
    const last = Math.asinh((end - centre) / density)
    for (let i = 0; i < this.#size; i++) {
      const share = i / (this.#size - 1)
      const x = centre + density * Math.sinh(first * (1 - share) + last * share)
      this.#x[i] = x
      this.#spot[i] = Math.exp(x)
    }
  }

  /** Intrinsic values, and their averages over the cells as the values at expiry: a kink between nodes costs no accuracy so. */
  #setPayoff({ strike, right }: CashDividendOption): void {
    const x = this.#x
    const sign = right === rights.call ? 1 : -1
    const kink = Math.log(strike)
    for (let i = 0; i < this.#size; i++) {
      this.#intrinsic[i] = Math.max(0, sign * ((this.#spot[i] ?? 0) - strike))
      const from = i > 0 ? ((x[i] ?? 0) + (x[i - 1] ?? 0)) / 2 : (x[i] ?? 0)
      const to = i < this.#size - 1 ? ((x[i] ?? 0) + (x[i + 1] ?? 0)) / 2 : (x[i] ?? 0)
      const low = sign > 0 ? Math.max(from, kink) : from
      const high = sign > 0 ? to : Math.min(to, kink)
      const area = high > low ? sign * (Math.exp(high) - Math.exp(low) - strike * (high - low)) : 0
      this.#values[i] = area / (to - from)
    }
  }

  /** The cubic through the four nodes nearest. */
  #valueAt(x: number): number {
    let i = 1
    while (i < this.#size - 3 && (this.#x[i + 1] ?? 0) < x) i++
    let value = 0
    for (let j = i - 1; j <= i + 2; j++) {
      let weight = 1
      for (let k = i - 1; k <= i + 2; k++) {
        if (k !== j) weight *= (x - (this.#x[k] ?? 0)) / ((this.#x[j] ?? 0) - (this.#x[k] ?? 0))
      }
      value += weight * (this.#values[j] ?? 0)
    }
    return value
  }
}
