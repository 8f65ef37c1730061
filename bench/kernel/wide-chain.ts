import { formatDay, parseDay } from '../../shared/calendar/days.ts'
import { expiryInstantS } from '../../shared/calendar/expiry.ts'
import type { Snapshot } from '../../shared/model/snapshot.ts'
import { black76Price } from '../../shared/quant/black76.ts'
import { chainOf, type ContractInput } from '../../tests/fixtures/quant/chain-builder.ts'

const expiryCount = 40
const strikeCount = 175
const spot = 500
const rate = 0.037
const dividendYield = 0.013
/** 11:00 New York on Monday 2026-06-22. */
const marketTimeMs = Date.UTC(2026, 5, 22, 15)
const secondsPerYear = 31_536_000

/** Days to each expiry: weekdays at first, then weeks, months and two years, as an index ETF has them. */
function daysToExpiry(at: number): number {
  return at < 10 ? at + 1 + 2 * Math.floor(at / 5) : Math.round(14 * 1.14 ** (at - 10))
}

/** Skewed, and steeper the nearer the expiry. */
function sigmaAt(logMoneyness: number, years: number): number {
  const x = logMoneyness / Math.sqrt(years + 0.02)
  return Math.max(0.05, 0.17 - 0.09 * x + 0.12 * x * x)
}

/** Deterministic noise in 0..1. */
const noise = (n: number): number => {
  const x = Math.sin(n * 12.9898) * 43_758.5453
  return x - Math.floor(x)
}

/**
 * A chain of 14,000 contracts as the widest names have it: 40 expiries of 175 strikes, penny quotes with spreads, wings
 * nobody bids for, volume and open interest round the money.
 */
export function wideChain(): Snapshot {
  const contracts: ContractInput[] = []
  for (let e = 0; e < expiryCount; e++) {
    const expiryDay = (parseDay('2026-06-22') ?? NaN) + daysToExpiry(e)
    const expiryAtS = expiryInstantS({ root: 'WIDE', underlying: 'WIDE', expiryDay, zone: 'America/New_York' })
    const years = (expiryAtS - marketTimeMs / 1000) / secondsPerYear
    for (let k = 0; k < strikeCount; k++) {
      const strike = Math.round(spot * (1 + (k - strikeCount / 2) * 0.004 * (1 + Math.sqrt(years))))
      for (const right of ['C', 'P'] as const) {
        const quote = quoteOf(contracts.length, strike, right, years)
        contracts.push({ root: 'WIDE', expiry: formatDay(expiryDay), expiryAtS, strike, right, ...quote })
      }
    }
  }
  return chainOf(contracts, { marketTimeMs, spot, underlying: 'WIDE' })
}

function quoteOf(row: number, strike: number, right: 'C' | 'P', years: number) {
  const forward = spot * Math.exp((rate - dividendYield) * years)
  const logMoneyness = Math.log(strike / forward)
  const sigma = sigmaAt(logMoneyness, years)
  const value = black76Price(forward, strike, years, Math.exp(-rate * years), sigma, right === 'C' ? 1 : 2)
  const half = Math.max(0.01, 0.01 * value)
  const nearness = Math.exp((-20 * logMoneyness * logMoneyness) / (years + 0.05))
  return {
    bid: Math.max(0, Math.floor(100 * (value - half))) / 100,
    ask: Math.ceil(100 * (value + half)) / 100,
    volume: Math.floor(4000 * nearness * noise(row)),
    openInterest: Math.floor(20_000 * nearness * noise(row + 0.5)),
  }
}
