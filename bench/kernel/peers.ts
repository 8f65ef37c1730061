import { BlackScholes } from '@uqee/black-scholes'
import library from 'implied-volatility'
import { median } from './median.ts'
import type { BenchInput } from './quotes.ts'

export interface PeerFigures {
  /** By the median slice, as ours. */
  readonly ivPerSecond: number
  /** Over the quotes it was given and found a number for. */
  readonly maxAbsSigmaError: number
  readonly medianAbsSigmaError: number
  /** Quotes without a finite result. */
  readonly failures: number
  readonly quotes: number
}

interface PeerQuote {
  readonly price: number
  readonly rate: number
  readonly strike: number
  readonly time: number
  readonly type: 'call' | 'put'
  readonly underlying: number
}

type Solver = (quote: PeerQuote) => number

interface Peer {
  readonly quotes: number
  readonly slice: number
  readonly solve: Solver
}

const uqee = (options: ConstructorParameters<typeof BlackScholes>[0]): Solver => {
  const solver = new BlackScholes(options)
  return (quote) => solver.sigma(quote)
}

/** Each as it comes, and the modes it offers for more speed or more digits. So many quotes in all and a slice: some take milliseconds each. */
const peers: Readonly<Record<string, Peer>> = {
  '@uqee/black-scholes': { quotes: 100_000, slice: 100, solve: uqee({}) },
  '@uqee/black-scholes, newton, double': {
    quotes: 100_000,
    slice: 100,
    solve: uqee({ priceToSigmaMethod: 'newton-raphson', sigmaToPricePrecision: 'double', priceToSigmaAccuracy: 1e-8 }),
  },
  '@uqee/black-scholes, bisection, double, 1e-8': {
    quotes: 100_000,
    slice: 100,
    solve: uqee({ sigmaToPricePrecision: 'double', priceToSigmaAccuracy: 1e-8 }),
  },
  'implied-volatility': {
    quotes: 300,
    slice: 1,
    solve: ({ price, underlying, strike, time, rate, type }) =>
      library.getImpliedVolatility(price, underlying, strike, time, rate, type),
  },
}

/** The same quotes through the npm libraries. */
export function measurePeers(input: BenchInput): Readonly<Record<string, PeerFigures>> {
  return Object.fromEntries(Object.entries(peers).map(([name, peer]) => [name, measurePeer(input, peer)]))
}

const passes = 3

function measurePeer(input: BenchInput, peer: Peer): PeerFigures {
  const { quotes, sigmas } = peerQuotes(input, peer.quotes)
  const rates: number[] = []
  const errors: number[] = []
  for (let pass = 0; pass < passes; pass++) {
    for (let from = 0; from < quotes.length; from += peer.slice) {
      const slice = quotes.slice(from, from + peer.slice)
      const startedMs = performance.now()
      const solved = slice.map(peer.solve)
      rates.push((1000 * slice.length) / (performance.now() - startedMs))
      if (pass === 0) errors.push(...solved.map((sigma, i) => Math.abs(sigma - (sigmas[from + i] ?? NaN))))
    }
  }
  const finite = errors.filter(Number.isFinite)
  return {
    ivPerSecond: Math.round(median(rates)),
    maxAbsSigmaError: Math.max(...finite),
    medianAbsSigmaError: median(finite),
    failures: quotes.length - finite.length,
    quotes: quotes.length,
  }
}

function peerQuotes({ expiries }: BenchInput, count: number): { quotes: PeerQuote[]; sigmas: number[] } {
  const quotes: PeerQuote[] = []
  const sigmas: number[] = []
  for (const { quotes: own, terms, sigma } of expiries) {
    const { spot, discount, yearsToExpiry } = terms
    for (let i = 0; i < own.count && quotes.length < count; i++) {
      quotes.push({
        price: own.price[i] ?? NaN,
        rate: -Math.log(discount) / yearsToExpiry,
        strike: own.strike[i] ?? NaN,
        time: yearsToExpiry,
        type: own.right[i] === 1 ? 'call' : 'put',
        underlying: spot,
      })
      sigmas.push(sigma[i] ?? NaN)
    }
  }
  return { quotes, sigmas }
}
