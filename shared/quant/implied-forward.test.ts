import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { black76Price } from './black76.ts'
import { impliedForward, type StrikePairs } from './implied-forward.ts'

const inputs = { spot: 100, discount: Math.exp(-0.04 * 0.25) }

function pairsAround(forward: number, strikes: readonly number[], spread = 0.05): StrikePairs {
  const mid = (right: number) =>
    Float64Array.from(strikes, (strike) => black76Price(forward, strike, 0.25, inputs.discount, 0.25, right))
  const spreads = () => new Float64Array(strikes.length).fill(spread)
  return {
    count: strikes.length,
    strike: Float64Array.from(strikes),
    callMid: mid(1),
    callSpread: spreads(),
    putMid: mid(2),
    putSpread: spreads(),
  }
}

const ladder = Array.from({ length: 21 }, (_, i) => 80 + 2 * i)

describe('the implied forward', () => {
  it('is found from put-call parity, whatever the dividends', () => {
    fc.assert(
      fc.property(fc.double({ min: 96, max: 104, noNaN: true }), (forward) => {
        const implied = impliedForward(pairsAround(forward, ladder), inputs)
        expect(implied.forward).toBeCloseTo(forward, 9)
        expect(implied.confidence).toBeGreaterThan(0.999)
      }),
    )
  })

  it('is not moved by one wild pair', () => {
    const pairs = pairsAround(100.5, ladder)
    pairs.callMid[10] = (pairs.callMid[10] ?? 0) + 5
    expect(impliedForward(pairs, inputs).forward).toBeCloseTo(100.5, 9)
  })

  it('trusts narrow pairs over wide ones', () => {
    const pairs = pairsAround(100.5, ladder, 1)
    // Six of the nineteen in the window count fourfold.
    const isNarrow = (i: number) => i >= 8 && i < 14
    pairs.callMid.forEach((mid, i) => (pairs.callMid[i] = isNarrow(i) ? mid : mid + 0.4))
    for (const spread of [pairs.callSpread, pairs.putSpread])
      spread.forEach((width, i) => (spread[i] = isNarrow(i) ? 0.01 : width))
    expect(impliedForward(pairs, inputs).forward).toBeCloseTo(100.5, 9)
  })

  it('is not moved by one pair that is stale and locked, or as good as', () => {
    for (const spread of [0, 1e-9, 0.001, 0.01]) {
      const pairs = pairsAround(100.5, ladder)
      pairs.callMid[13] = (pairs.callMid[13] ?? 0) + 3.5
      pairs.callSpread[13] = spread
      pairs.putSpread[13] = spread
      const { forward, confidence } = impliedForward(pairs, inputs)
      expect(forward).toBeCloseTo(100.5, 9)
      expect(confidence).toBeGreaterThan(0.99)
    }
  })

  it('stays among the pairs that agree, however few they are and whatever one of them says', () => {
    const spread = fc.constantFrom(0, 1e-6, 0.01, 0.05, 0.3, 5)
    const quotes = fc.record({
      spreads: fc.array(spread, { minLength: 3, maxLength: 9 }),
      at: fc.nat({ max: 8 }),
      off: fc.double({ min: -4, max: 4, noNaN: true }),
    })
    fc.assert(
      fc.property(quotes, ({ spreads, at, off }) => {
        // Within 5 % of spot, which are in the window whatever a wild straddle says.
        const pairs = pairsAround(
          100.5,
          spreads.map((_, i) => 96 + i),
        )
        pairs.callSpread.set(spreads)
        pairs.putSpread.set(spreads)
        const wild = at % spreads.length
        pairs.callMid[wild] = (pairs.callMid[wild] ?? 0) + off
        expect(impliedForward(pairs, inputs).forward).toBeCloseTo(100.5, 9)
      }),
    )
  })

  it('is trusted less when fewer than five pairs decide', () => {
    const confidenceOf = (from: number, to: number) =>
      impliedForward(pairsAround(100.5, ladder.slice(from, to)), inputs).confidence
    expect(confidenceOf(9, 12)).toBeCloseTo(0.6, 6)
    expect(confidenceOf(9, 13)).toBeCloseTo(0.8, 6)
    expect(confidenceOf(9, 14)).toBeCloseTo(1, 6)
  })

  it('lets the pairs differ by more where volatility and time leave more room', () => {
    const years = 1
    const discount = 0.96
    const impliedAt = (sigma: number) => {
      const pairs = pairsAround(100, ladder)
      const mid = (right: number) => pairs.strike.map((k) => black76Price(100, k, years, discount, sigma, right))
      // Calls of low strikes are worth 6 % of the forward more, as early exercise of dear borrow makes them.
      const calls = mid(1).map((price, i) => price + 0.3 * Math.max(0, 20 - i))
      return impliedForward({ ...pairs, callMid: calls, putMid: mid(2) }, { spot: 100, discount })
    }
    expect(impliedAt(0.2)).toMatchObject({ forward: NaN, confidence: 0 })
    expect(impliedAt(0.8).confidence).toBeGreaterThan(0.3)
    expect(impliedAt(0.8).confidence).toBeLessThan(0.8)
  })

  it('looks within 1.5 sigma of spot only', () => {
    const pairs = pairsAround(100.5, ladder)
    const { strikesUsed } = impliedForward(pairs, inputs)
    // 25 % over a quarter: 1.5 sigma is 18.75 % around 100.
    expect(strikesUsed).toBe(ladder.filter((strike) => Math.abs(strike - 100) <= 18.8).length)
  })

  it('is none with fewer than three pairs or no agreement', () => {
    expect(impliedForward(pairsAround(100.5, [98, 100]), inputs)).toEqual({
      forward: NaN,
      confidence: 0,
      strikesUsed: 2,
    })
    const pairs = pairsAround(100.5, ladder)
    pairs.callMid.forEach((mid, i) => (pairs.callMid[i] = mid + (i % 5) * 4))
    expect(impliedForward(pairs, inputs)).toMatchObject({ forward: NaN, confidence: 0 })
  })

  it('is none without a spot', () => {
    for (const spot of [NaN, 0, -1, Infinity])
      expect(impliedForward(pairsAround(100, ladder), { ...inputs, spot })).toMatchObject({ forward: NaN })
  })
})
