import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { computeNamedChain } from '../../../tests/fixtures/quant/computed-chain.ts'
import { ivCodes } from '../../../shared/model/features.ts'
import { chainOf, type ContractInput } from '../../../tests/fixtures/quant/chain-builder.ts'
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
  const contracts = smile({ expiry: '2026-07-17', strikes: near, sigma: 0.2, forward: 101 })
  const calls = contracts.filter(({ right }) => right === 'C')
  const { carries } = compute(contracts)

  it('gives the forward where the pairs are gone', () => {
    const snapshot = chainOf(calls, { marketTimeMs })
    expect(computeNamedChain(snapshot, params).expiries[0]?.forwardSource).toBe('spot_carry')
    const [expiry] = computeNamedChain(snapshot, params, carries).expiries
    expect(expiry).toMatchObject({ forwardSource: 'previous_carry', forwardQuality: 50 })
    expect(expiry?.forward).toBeCloseTo(101, 4)
  })

  it('is taken from the session before too, and not from an older one', () => {
    const source = (sessionDate: string, at: number) =>
      computeNamedChain(chainOf(calls, { marketTimeMs: at, sessionDate }), params, carries).expiries[0]?.forwardSource
    const dayMs = 86_400_000
    expect(source('2026-06-23', marketTimeMs + dayMs)).toBe('previous_carry')
    expect(source('2026-06-24', marketTimeMs + 2 * dayMs)).toBe('spot_carry')
  })

  it('is the same after having been stored', () => {
    const snapshot = chainOf(calls, { marketTimeMs })
    const stored = JSON.parse(JSON.stringify(carries)) as typeof carries
    expect(computeNamedChain(snapshot, params, stored).chain).toEqual(
      computeNamedChain(snapshot, params, carries).chain,
    )
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
