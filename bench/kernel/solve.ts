import { PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { solveExpiry, solveExpiryWithGreeks, solveImpliedVolatility } from '../../shared/quant/implied-volatility.ts'
import { median } from './median.ts'
import type { BenchExpiry, BenchInput } from './quotes.ts'

/** Columns for the largest expiry; every expiry is written to the same. */
function columns(count: number) {
  const column = (): Float64Array => new Float64Array(count)
  return {
    iv: column(),
    ivCode: new Uint8Array(count),
    delta: column(),
    gamma: column(),
    vega: column(),
    theta: column(),
    rho: column(),
    vanna: column(),
    charm: column(),
    volga: column(),
  }
}

const out = columns(100)
const noResult = { sum: 0 }

/** The ways a quote is solved. */
export const ways = {
  iv: ({ quotes, terms }: BenchExpiry): void => solveExpiry(quotes, terms, out),
  ivGreeks: ({ quotes, terms }: BenchExpiry): void => solveExpiryWithGreeks(quotes, terms, out),
  oneByOne: ({ quotes, terms }: BenchExpiry): void => {
    const { price, strike, right, count } = quotes
    for (let i = 0; i < count; i++) {
      const { forward, yearsToExpiry, discount } = terms
      const solved = solveImpliedVolatility(
        price[i] ?? NaN,
        forward,
        strike[i] ?? NaN,
        yearsToExpiry,
        discount,
        right[i] ?? 0,
      )
      noResult.sum += solved.sigma
    }
  },
} as const

export type Way = (expiry: BenchExpiry) => void

/** Quotes a second. */
export interface Rate {
  /** The median slice of all repeats. */
  readonly median: number
  /** The quickest slice. */
  readonly best: number
}

/** Expiries a slice: 2,000 quotes, some 0.2 ms, so that few slices are interrupted by another process on the same core. */
const sliceExpiries = 20

/** Times every slice of the input, again and again. */
export function rateOf(input: BenchInput, way: Way, repeats: number): Rate {
  const rates: number[] = []
  // The first passes warm up the compiler.
  for (let repeat = -2; repeat < repeats; repeat++) {
    for (let from = 0; from < input.expiries.length; from += sliceExpiries) {
      const slice = input.expiries.slice(from, from + sliceExpiries)
      const quotes = slice.reduce((sum, expiry) => sum + expiry.quotes.count, 0)
      const startedMs = performance.now()
      for (const expiry of slice) way(expiry)
      if (repeat >= 0) rates.push((1000 * quotes) / (performance.now() - startedMs))
    }
  }
  return { median: Math.round(median(rates)), best: Math.round(Math.max(...rates)) }
}

/** Largest difference between solved and true volatility; Infinity where a quote has none. */
export function maxAbsSigmaError({ expiries }: BenchInput): number {
  let worst = 0
  for (const { quotes, terms, sigma } of expiries) {
    solveExpiry(quotes, terms, out)
    for (let i = 0; i < quotes.count; i++) {
      const error = Math.abs((out.iv[i] ?? NaN) - (sigma[i] ?? NaN))
      if (!(error <= worst)) worst = Number.isNaN(error) ? Infinity : error
    }
  }
  return worst
}

/** How often the garbage collector ran while so many quotes were solved, with and without greeks. */
export async function countCollections(input: BenchInput, options: number): Promise<number> {
  const times: number[] = []
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) times.push(entry.startTime)
  })
  observer.observe({ entryTypes: ['gc'] })
  await delay(20)
  solveAll(input, input.count)
  const startedMs = performance.now()
  solveAll(input, options)
  const endedMs = performance.now()
  // Entries arrive by the event loop.
  await delay(100)
  observer.disconnect()
  return times.filter((time) => time >= startedMs && time <= endedMs).length
}

/** Counted loops: iterators allocate. */
function solveAll({ expiries, count }: BenchInput, options: number): void {
  for (let done = 0; done < options; done += count) {
    for (let i = 0; i < expiries.length; i++) ways.iv(expiries[i] as BenchExpiry)
    for (let i = 0; i < expiries.length; i++) ways.ivGreeks(expiries[i] as BenchExpiry)
  }
}
