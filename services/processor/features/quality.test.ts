import { describe, expect, it } from 'vitest'
import { type ForwardSource, ivCodes } from '../../../shared/model/features.ts'
import { flatParams } from '../../../tests/fixtures/quant/parameters.ts'
import { cboeFiles, cboeSnapshot, readCboe, recordingsRoot } from '../../../tests/fixtures/quant/recorded-chain.ts'
import { writtenExpiry } from '../../../tests/fixtures/quant/solved-expiry.ts'
import { computeNamedChain } from '../../../tests/fixtures/quant/computed-chain.ts'
import { expiryQuality } from './quality.ts'

interface Doubts {
  readonly source?: ForwardSource
  readonly forwardQuality?: number
  readonly years?: number
  readonly unsolved?: readonly number[]
}

/** Volatility 0.2 and a quarter of a year, so that strikes from 85 to 115 are near; the forward from parity, if not told. */
function qualityOf(
  strikes: readonly number[],
  { source = 'parity', forwardQuality = 100, years = 0.25, unsolved = [] }: Doubts = {},
): number {
  const expiry = writtenExpiry(
    strikes.map((strike) => [strike, 0.2, 0.5]),
    { yearsToExpiry: years },
  )
  for (const [i, strike] of strikes.entries()) if (unsolved.includes(strike)) expiry.strikes.ivCode[i] = ivCodes.no_bid
  return expiryQuality({ ...expiry, forward: { ...expiry.forward, source, quality: forwardQuality } }, 0.2)
}

const dense = Array.from({ length: 30 }, (_, i) => 85.5 + i)

describe('the quality of an expiry', () => {
  it('is nothing without a strike near the money, or a volatility there', () => {
    // One day: within 1.57 % counts.
    expect(qualityOf([97, 98, 102, 103], { years: 1 / 365 })).toBe(0)
    expect(qualityOf([97, 98, 99, 101, 103], { years: 1 / 365, unsolved: [99, 101] })).toBe(0)
    expect(qualityOf([97, 98, 99, 101, 103], { years: 1 / 365 })).toBeGreaterThan(0)
  })

  it('is lower with few strikes than with many', () => {
    expect(qualityOf([97, 100, 103])).toBeCloseTo(60, 12)
    expect(qualityOf([95, 97, 99, 100, 101, 103, 105, 107])).toBeCloseTo(80, 12)
    expect(qualityOf(dense)).toBeCloseTo((100 * 30) / 32, 12)
  })

  it('counts strikes near the money only', () => {
    expect(qualityOf([40, 50, 60, 70, 80, 97, 100, 103, 120, 130])).toBeCloseTo(60, 12)
  })

  it('is lower by the share of strikes without a volatility', () => {
    expect(qualityOf(dense, { unsolved: dense.filter((strike) => strike < 95) })).toBeCloseTo(
      ((100 * 20) / 30 / 22) * 20,
      12,
    )
  })

  it('falls by half with the quality of a forward from parity, and is never above that of another', () => {
    const full = qualityOf(dense)
    expect(qualityOf(dense, { forwardQuality: 0 })).toBeCloseTo(full / 2, 12)
    expect(qualityOf(dense, { source: 'previous_carry', forwardQuality: 50 })).toBe(50)
    expect(qualityOf(dense, { source: 'neighbour_carry', forwardQuality: 25 })).toBe(25)
    expect(qualityOf(dense, { source: 'spot_carry', forwardQuality: 0 })).toBe(0)
    expect(qualityOf([97, 100, 103], { source: 'previous_carry', forwardQuality: 50 })).toBeCloseTo(45, 12)
  })

  it.for(['IWM', 'TLT'])('is above 80 in the median of recorded %s expiries, which keep their skew', (symbol, ctx) => {
    const files = cboeFiles(symbol).filter((_, i) => i % 4 === 0)
    if (files.length === 0) ctx.skip(`no recordings under ${recordingsRoot}`)
    const expiries = files
      .flatMap((file) => computeNamedChain(cboeSnapshot(readCboe(file)), flatParams(0.037)).expiries)
      .filter(({ atmIv }) => atmIv !== null)
    const qualities = expiries.map(({ quality }) => quality ?? 0).sort((a, b) => a - b)
    const median = qualities[qualities.length >> 1] ?? NaN
    const skewed = expiries.filter(({ rr25 }) => rr25 !== null).length
    process.stdout.write(`${symbol}: median quality ${median}, rr25 in ${skewed} of ${expiries.length} expiries\n`)
    expect(median).toBeGreaterThan(80)
    expect(skewed / expiries.length).toBeGreaterThan(0.95)
  })
})
