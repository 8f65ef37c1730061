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
    pairs.callMid.forEach((mid, i) => (pairs.callMid[i] = i === 10 ? mid : mid + 0.4))
    pairs.callSpread[10] = 0.01
    pairs.putSpread[10] = 0.01
    expect(impliedForward(pairs, inputs).forward).toBeCloseTo(100.5, 9)
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
