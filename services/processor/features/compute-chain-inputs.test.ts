import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { computeNamedChain } from '../../../tests/fixtures/quant/computed-chain.ts'
import { ivCodes } from '../../../shared/model/features.ts'
import { chainOf, type ContractInput } from '../../../tests/fixtures/quant/chain-builder.ts'
import { AmericanPricer } from '../../../shared/quant/american/american-price.ts'
import { schemes } from '../../../shared/quant/american/scheme.ts'
import { flatParams } from '../../../tests/fixtures/quant/parameters.ts'
import { marketTimeMs, near, smile } from '../../../tests/fixtures/quant/smile-chain.ts'

const params = flatParams(0)
const compute = (contracts: readonly ContractInput[], meta = {}) =>
  computeNamedChain(chainOf(contracts, { marketTimeMs, ...meta }), params)
const codesOf = (result: ReturnType<typeof compute>) => [...result.contracts.ivCode]

describe('quotes that say nothing', () => {
  it('change no figure of the others when they are crossed', () => {
    const contracts = smile({ expiry: '2026-07-17', strikes: near, sigma: 0.21 })
    const alone = compute(contracts)
    const strike = fc.integer({ min: 70, max: 130 }).filter((k) => !near.includes(k))
    const crossed = fc.record({
      strike,
      right: fc.constantFrom('C' as const, 'P' as const),
      bid: fc.constantFrom(3, 9),
    })
    fc.assert(
      fc.property(fc.uniqueArray(crossed, { maxLength: 8, selector: ({ strike }) => strike }), (added) => {
        const legs = added.map((leg) => ({ root: 'XYZ', expiry: '2026-07-17', ...leg, ask: leg.bid - 1 }))
        const result = compute([...contracts, ...legs])
        const same = ['forward', 'atmIv', 'rr25', 'bf25', 'skewSlope', 'skewCurvature', 'smirk', 'straddle'] as const
        for (const name of same) expect(result.expiries[0]?.[name]).toBe(alone.expiries[0]?.[name])
        for (const name of ['atmIv30d', 'gexUsd1pct', 'zeroGamma', 'callWall'] as const)
          expect(result.chain?.[name]).toBe(alone.chain?.[name])
        expect(codesOf(result).slice(contracts.length)).toEqual(legs.map(() => ivCodes.crossed))
        expect(result.chain?.nCrossed).toBe(legs.length)
      }),
    )
  })
})

describe('the carry of the snapshot before', () => {
  const minuteMs = 60_000
  const contracts = smile({ expiry: '2026-07-17', strikes: near, sigma: 0.2, forward: 101 })
  const calls = contracts.filter(({ right }) => right === 'C')
  const { carries } = compute(contracts)
  const at = (laterMs: number, sessionDate = '2026-06-22') =>
    computeNamedChain(chainOf(calls, { marketTimeMs: marketTimeMs + laterMs, sessionDate }), params, carries)

  it('gives the forward where the pairs are gone', () => {
    expect(compute(calls).expiries[0]?.forwardSource).toBe('spot_carry')
    const [expiry] = at(minuteMs).expiries
    expect(expiry).toMatchObject({ forwardSource: 'previous_carry', forwardQuality: 50 })
    expect(expiry?.forward).toBeCloseTo(101, 4)
  })

  it('is not taken from the session before: a dividend may lie between', () => {
    expect(at(24 * 60 * minuteMs, '2026-06-23').expiries[0]?.forwardSource).toBe('spot_carry')
  })

  it('is not taken from what came later in the market, whatever came first here', () => {
    expect(at(-minuteMs).expiries[0]?.forwardSource).toBe('spot_carry')
    expect(at(-minuteMs).chain).toEqual(
      computeNamedChain(chainOf(calls, { marketTimeMs: marketTimeMs - minuteMs }), params).chain,
    )
  })

  it('is the same after having been stored', () => {
    const snapshot = chainOf(calls, { marketTimeMs: marketTimeMs + minuteMs })
    const stored = JSON.parse(JSON.stringify(carries)) as typeof carries
    expect(computeNamedChain(snapshot, params, stored).chain).toEqual(
      computeNamedChain(snapshot, params, carries).chain,
    )
    expect(at(minuteMs).chain).toEqual(computeNamedChain(snapshot, params, stored).chain)
  })

  it('is not remembered when spot and options are of different moments', () => {
    const off = compute(contracts, { spot: 91 })
    expect(off.carries).toEqual([])
    expect(off.expiries[0]).toMatchObject({ forward: 101, forwardSource: 'parity', forwardQuality: 20 })
  })
})

describe('one stale pair', () => {
  const strikes = Array.from({ length: 25 }, (_, i) => 270 + 2.5 * i)
  const contracts = smile({ expiry: '2026-07-22', strikes, sigma: 0.2, forward: 300 }).map((leg) => ({
    ...leg,
    bid: (leg.bid ?? NaN) - 0.04,
    ask: (leg.ask ?? NaN) + 0.04,
  }))

  it('that is locked moves neither the forward nor what hangs on it', () => {
    const locked = contracts.map((leg) => {
      const price = leg.right === 'C' ? 4.5 : 11
      return leg.strike === 310 ? { ...leg, bid: price, ask: price } : leg
    })
    const [before] = compute(contracts, { spot: 300 }).expiries
    const [after] = compute(locked, { spot: 300 }).expiries
    expect(after?.forward).toBeCloseTo(300, 4)
    expect(after?.forwardQuality).toBeGreaterThan(95)
    expect(after?.atmIv).toBeCloseTo(before?.atmIv ?? NaN, 5)
    expect(Math.abs((after?.rr25 ?? NaN) - (before?.rr25 ?? NaN))).toBeLessThan(0.005)
  })
})

describe('early exercise', () => {
  const strikes = [80, 85, 90, 95, 98, 100, 102, 105, 110, 115, 120]
  const contracts = (root: string) => smile({ expiry: '2027-06-18', strikes, sigma: 0.25, root, forward: 104 })
  const snapshot = chainOf([...contracts('XYZ'), ...contracts('SPX')], { marketTimeMs })
  const european = computeNamedChain(snapshot, flatParams(0.05))
  const american = computeNamedChain(snapshot, { ...flatParams(0.05), ivMethod: 'american' })
  const rowsOf = (root: string) =>
    snapshot.columns.rootIndex.reduce<number[]>(
      (rows, at, i) => (snapshot.columns.roots[at] === root ? [...rows, i] : rows),
      [],
    )

  it('is nothing for roots with European exercise', () => {
    expect(european.expiries.map(({ root, exerciseStyle }) => [root, exerciseStyle])).toEqual([
      ['SPX', 'european'],
      ['XYZ', 'american'],
    ])
    for (const row of rowsOf('SPX')) {
      expect(european.contracts.ivBiasVp[row]).toBe(0)
      expect(american.contracts.iv[row]).toBe(european.contracts.iv[row])
    }
  })

  it('is told beside the European volatility, and taken out of it with the method american', () => {
    let solvedAnew = 0
    for (const row of rowsOf('XYZ')) {
      const bias = european.contracts.ivBiasVp[row] ?? NaN
      const drop = 100 * ((european.contracts.iv[row] ?? NaN) - (american.contracts.iv[row] ?? NaN))
      expect(Number.isFinite(bias)).toBe(true)
      if (american.contracts.ivBiasVp[row] !== 0) continue
      solvedAnew++
      // A volatility that was given as European has no American price at it: the bias is an estimate of the difference.
      expect(drop).toBeGreaterThan(0)
    }
    expect(solvedAnew).toBeGreaterThan(4)
  })

  it('moves the forward up by what the puts are worth more for it', () => {
    const [, before] = european.expiries
    const [, after] = american.expiries
    expect(before?.forwardCorrection).toBe(0)
    expect(after?.forwardCorrection).toBeGreaterThan(0)
    expect(after?.forward).toBeCloseTo((before?.forward ?? NaN) + (after?.forwardCorrection ?? NaN), 3)
  })
})

describe('American quotes that are nearly all exercised at once', () => {
  const pricer = new AmericanPricer(schemes.accurate)
  const quotes = (rate: number, dividendYield: number, sigma: number, half: number) =>
    Array.from({ length: 17 }, (_, i) => 80 + 2.5 * i).flatMap((strike) =>
      (['C', 'P'] as const).map((right): ContractInput => {
        const leg = { root: 'XYZ', expiry: '2027-06-17', strike, right }
        const years = (Date.UTC(2027, 5, 17, 20) - marketTimeMs) / 31_536_000_000
        const mid = pricer.price(100, strike, years, rate, dividendYield, sigma, right === 'C' ? 1 : 2)
        return { ...leg, bid: Math.max(0, mid - half), ask: mid + half }
      }),
    )
  const snapshotOf = (...inputs: Parameters<typeof quotes>) => chainOf(quotes(...inputs), { marketTimeMs })

  it('have the European volatilities, and a bias nobody can tell, when the forward cannot be corrected', () => {
    const snapshot = snapshotOf(0.1, 0.02, 0.1, 0.0005)
    const european = computeNamedChain(snapshot, flatParams(0.1))
    const american = computeNamedChain(snapshot, { ...flatParams(0.1), ivMethod: 'american' })
    expect(american.expiries[0]).toMatchObject({ forwardSource: 'parity', forwardCorrection: 0 })
    expect(american.contracts).toEqual(european.contracts)
    // How far the forward is off cannot be told where the put at it is exercised at once, and so no bias either.
    expect(american.contracts.ivBiasVp.every(Number.isNaN)).toBe(true)
  })

  it('have a forward from parity however dear the borrow: spread apart, the pairs are nearer than spot', () => {
    const snapshot = snapshotOf(0.037, 0.3, 0.8, 0.02)
    const [expiry] = computeNamedChain(snapshot, flatParams(0.037)).expiries
    const [corrected] = computeNamedChain(snapshot, { ...flatParams(0.037), ivMethod: 'american' }).expiries
    expect(expiry?.forwardSource).toBe('parity')
    // The truth is 77.14; at the rate alone it would be 103.72.
    expect(expiry?.forward).toBeLessThan(82)
    expect(corrected?.forward).toBeCloseTo(77.14, 1)
  })
})
