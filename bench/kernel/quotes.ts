import { black76Price } from '../../shared/quant/black76.ts'
import type { ExpiryQuotes, ExpiryTerms } from '../../shared/quant/implied-volatility.ts'
import { randomFrom } from '../../tests/fixtures/quant/random.ts'

/** Quotes made from known volatilities, all of one expiry. */
export interface BenchExpiry {
  readonly quotes: ExpiryQuotes
  readonly terms: ExpiryTerms
  /** What the prices were made from. */
  readonly sigma: Float64Array
}

export interface BenchInput {
  readonly description: string
  readonly count: number
  readonly expiries: readonly BenchExpiry[]
}

const quotesPerExpiry = 100
const forward = 100
const rate = 0.04
const lowestPrice = 0.01

interface Draw {
  readonly years: () => number
  /** Volatility and strike, given the years. */
  readonly quote: (years: number) => { readonly sigma: number; readonly strike: number }
}

function makeExpiry({ years, quote }: Draw): BenchExpiry {
  const yearsToExpiry = years()
  const discount = Math.exp(-rate * yearsToExpiry)
  const [price, strike, sigma] = [0, 0, 0].map(() => new Float64Array(quotesPerExpiry)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  const right = new Int8Array(quotesPerExpiry)
  for (let i = 0; i < quotesPerExpiry;) {
    const drawn = quote(yearsToExpiry)
    // The leg out of the money: the other has lost the digits of its time value.
    right[i] = drawn.strike < forward ? 2 : 1
    price[i] = black76Price(forward, drawn.strike, yearsToExpiry, discount, drawn.sigma, right[i] ?? 0)
    if (!((price[i] ?? 0) >= lowestPrice)) continue
    strike[i] = drawn.strike
    sigma[i++] = drawn.sigma
  }
  // Spot without dividends, so that libraries that know no forward price the same.
  const terms = { spot: forward * discount, forward, discount, yearsToExpiry }
  return { quotes: { count: quotesPerExpiry, price, strike, right }, terms, sigma }
}

function makeInput(count: number, description: string, draw: Draw): BenchInput {
  const expiries = Array.from({ length: Math.ceil(count / quotesPerExpiry) }, () => makeExpiry(draw))
  return { description, count: expiries.length * quotesPerExpiry, expiries }
}

/** Everything a solver may meet, evenly. */
export function uniformInput(count: number): BenchInput {
  const random = randomFrom(20_260_622)
  const between = (low: number, high: number): number => low + (high - low) * random()
  return makeInput(
    count,
    'F/K uniform in 0.5..2, T uniform in 1 day..2 years (one for each 100 quotes), sigma uniform in 5..200 %, out-of-the-money price >= 0.01 of F = 100',
    {
      years: () => between(1 / 365, 2),
      quote: () => ({ sigma: between(0.05, 2), strike: forward / between(0.5, 2) }),
    },
  )
}

/** More like what is listed: near expiries, volatilities round 30 %, strikes within four standard deviations. */
export function realisticInput(count: number): BenchInput {
  const random = randomFrom(20_260_623)
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return makeInput(
    count,
    'T log-uniform in 1 hour..2 years (one for each 100 quotes), sigma lognormal (median 30 %, log deviation 0.5), strikes uniform within 4 sigma sqrt T, out-of-the-money price >= 0.01 of F = 100',
    {
      years: () => Math.exp(Math.log(2 * 8760) * random()) / 8760,
      quote: (years) => {
        const sigma = 0.3 * Math.exp(0.5 * normal())
        return { sigma, strike: forward * Math.exp((8 * random() - 4) * sigma * Math.sqrt(years)) }
      },
    },
  )
}
