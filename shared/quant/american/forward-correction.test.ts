import { describe, expect, it } from 'vitest'
import { AmericanPricer } from './american-price.ts'
import { ForwardCorrection } from './forward-correction.ts'
import { schemes } from './scheme.ts'

const pricer = new AmericanPricer(schemes.accurate)
const spot = 100

/** A chain on strikes 1 apart, priced as American with a skew. */
function chainOf(rate: number, q: number, days: number, atm: number, skew = 0) {
  const years = days / 365
  const discount = Math.exp(-rate * years)
  const forward = spot * Math.exp((rate - q) * years)
  const strike = Float64Array.from({ length: 41 }, (_, i) => Math.round(forward) - 20 + i)
  const mid = (right: number) =>
    strike.map((k) => pricer.price(spot, k, years, rate, q, atm + skew * Math.log(k / forward), right))
  const spread = () => new Float64Array(41).fill(0.05)
  const pairs = { count: 41, strike, callMid: mid(1), callSpread: spread(), putMid: mid(2), putSpread: spread() }
  const atMoney = strike.reduce(
    (best, k, i) => (Math.abs(k - forward) < Math.abs((strike[best] ?? 0) - forward) ? i : best),
    0,
  )
  const parity = (strike[atMoney] ?? 0) + ((pairs.callMid[atMoney] ?? 0) - (pairs.putMid[atMoney] ?? 0)) / discount
  return { pairs, inputs: { spot, discount, yearsToExpiry: years }, forward, parity }
}

const basisPoints = (found: number, truth: number) => (found / truth - 1) * 1e4

describe('the forward of American options', () => {
  it.for([
    [7, -0.5, 0.06],
    [30, -2.7, 0.4],
    [90, -11, 0.6],
    [365, -74, 4],
  ] as const)('is low by parity at %i days by about %d bp, and put right to a tenth at most', ([days, bias, slack]) => {
    const { pairs, inputs, forward, parity } = chainOf(0.045, 0, days, 0.2)
    const before = basisPoints(parity, forward)
    expect(Math.abs(before - bias)).toBeLessThan(slack)
    const corrected = new ForwardCorrection().correct(pairs, inputs, parity)
    const after = basisPoints(corrected.forward, forward)
    process.stdout.write(`forward ${days} d: ${before.toFixed(2)} bp before, ${after.toFixed(3)} after\n`)
    expect(Math.abs(after)).toBeLessThan(Math.abs(before) / 10)
    expect(Math.abs(after)).toBeLessThan(0.02)
    expect(corrected.correction).toBe(corrected.forward - parity)
    expect(corrected.pairsUsed).toBe(5)
  })

  it('is put right with a yield, a skew and either side of the rate', () => {
    const correction = new ForwardCorrection()
    for (const [rate, q] of [
      [0.045, 0.02],
      [0.045, 0.06],
      [0.07, 0],
      [0.02, 0.045],
    ] as const) {
      for (const days of [14, 60, 400, 730]) {
        const { pairs, inputs, forward, parity } = chainOf(rate, q, days, 0.3, -0.3)
        const { forward: corrected } = correction.correct(pairs, inputs, parity)
        expect(Math.abs(corrected - forward)).toBeLessThan(Math.abs(parity - forward) / 20)
      }
    }
  })

  it('is left alone without early exercise, with too few pairs, or with bad input', () => {
    const correction = new ForwardCorrection()
    const { pairs, inputs, forward } = chainOf(0, 0, 90, 0.2)
    expect(correction.correct(pairs, inputs, forward).correction).toBeCloseTo(0, 9)
    const early = chainOf(0.045, 0, 90, 0.2)
    const uncorrected = { forward: early.parity, correction: 0, pairsUsed: 0 }
    expect(correction.correct({ ...early.pairs, count: 2 }, early.inputs, early.parity)).toEqual(uncorrected)
    const empty = { ...early.pairs, callMid: new Float64Array(41).fill(NaN) }
    expect(correction.correct(empty, early.inputs, early.parity)).toEqual(uncorrected)
    for (const name of ['spot', 'discount', 'yearsToExpiry'] as const) {
      for (const value of [NaN, 0, -1])
        expect(correction.correct(early.pairs, { ...early.inputs, [name]: value }, early.parity)).toEqual(uncorrected)
    }
    expect(correction.correct(early.pairs, early.inputs, NaN).correction).toBe(0)
  })

  it('is not moved by one pair that is stale and locked', () => {
    const { pairs, inputs, forward, parity } = chainOf(0.045, 0, 90, 0.2)
    const at = pairs.strike.findIndex((strike) => strike > forward + 1)
    pairs.callMid[at] = (pairs.callMid[at] ?? 0) + 1.5
    pairs.callSpread[at] = 0
    pairs.putSpread[at] = 0
    expect(Math.abs(basisPoints(new ForwardCorrection().correct(pairs, inputs, parity).forward, forward))).toBeLessThan(
      0.5,
    )
  })

  it('is not moved by one pair that is far off', () => {
    const { pairs, inputs, forward, parity } = chainOf(0.045, 0, 90, 0.2)
    pairs.callMid[21] = (pairs.callMid[21] ?? 0) + 1
    const { forward: corrected } = new ForwardCorrection().correct(pairs, inputs, parity)
    expect(Math.abs(corrected - forward)).toBeLessThan(Math.abs(parity - forward) / 10)
  })
})
