import { describe, expect, it } from 'vitest'
import type { ContractInput } from '../../../tests/fixtures/quant/chain-builder.ts'
import { expiryOf, smileContracts, type SmileInput } from '../../../tests/fixtures/quant/solved-expiry.ts'
import { varianceFeatures } from './variance.ts'

const strikes = Array.from({ length: 141 }, (_, i) => 60 + i / 2)
/** Priced to the penny as a market would be: beyond some strike nobody bids. */
function board(input: Partial<SmileInput> = {}): ContractInput[] {
  const contracts = smileContracts({ strikes, sigma: () => 0.2, days: 30, ...input })
  return contracts.map((contract) => {
    const bid = Math.floor((contract.bid ?? 0) * 100) / 100
    return { ...contract, bid, ask: bid + 0.01 }
  })
}

function variance(contracts: readonly ContractInput[], { rate = 0, forward = 100 } = {}) {
  const { context, expiry } = expiryOf(contracts, { rate, forward })
  return varianceFeatures(context, expiry)
}

describe('the variance of an expiry', () => {
  it('is that of its smile where it is flat, with wings that end', () => {
    const features = variance(board())
    expect(Math.sqrt(features.varianceIndex)).toBeCloseTo(0.2, 3)
    expect(features).toMatchObject({ varianceComplete: 1, varianceNTotal: 141, varianceQuality: 100 })
    expect(features.varianceNUsed).toBeLessThan(141)
  })

  it('lies above the variance at the money where both wings do', () => {
    const features = variance(board({ sigma: (k) => 0.2 + 0.5 * k * k }))
    expect(Math.sqrt(features.varianceIndex)).toBeGreaterThan(0.201)
  })

  it('reads bids and asks, not mids: a quote without a bid is out, and two end the wing', () => {
    const cut = board().map((contract) => {
      const isGap = contract.right === 'P' && (contract.strike === 92 || contract.strike === 91.5)
      return isGap ? { ...contract, bid: 0 } : contract
    })
    const features = variance(cut)
    expect(features.varianceIndex).toBeLessThan(variance(board()).varianceIndex * 0.98)
    expect(features.varianceComplete).toBe(1)
  })

  it('leaves a leg out that is not listed, and is incomplete where listings end', () => {
    const narrow = board().filter(({ strike }) => strike > 96)
    expect(variance(narrow)).toMatchObject({ varianceComplete: 0, varianceQuality: 50 })
    const holed = board().filter(({ strike, right }) => right === 'C' || (strike !== 92 && strike !== 91.5))
    const features = variance(holed)
    expect(features.varianceComplete).toBe(1)
    expect(features.varianceIndex / variance(board()).varianceIndex).toBeCloseTo(1, 2)
    expect(features.varianceQuality).toBeLessThan(100)
  })

  it.for([
    ['missing', NaN, NaN],
    ['crossed', 1.2, 1.1],
  ] as const)(
    'is incomplete and of low quality where %s quotes cut a wing off before its zero bids',
    ([, bid, ask]) => {
      const cut = board().map((contract) => {
        const isCutOff = contract.right === 'P' && contract.strike >= 80 && contract.strike < 98
        return isCutOff ? { ...contract, bid, ask } : contract
      })
      const features = variance(cut)
      expect(Math.sqrt(features.varianceIndex)).toBeLessThan(0.18)
      expect(features.varianceComplete).toBe(0)
      expect(features.varianceQuality).toBeLessThan(40)
    },
  )

  it('is not changed by crossed quotes at other strikes', () => {
    const [template] = board()
    const crossed = [93.25, 99.75, 104.25].flatMap((strike) =>
      (['C', 'P'] as const).map((right): ContractInput => ({
        ...(template ?? { root: 'XYZ', expiry: '2026-07-22' }),
        strike,
        right,
        bid: 9,
        ask: 8,
      })),
    )
    expect(variance([...board(), ...crossed]).varianceIndex).toBe(variance(board()).varianceIndex)
  })

  it('discounts by the terms of the expiry', () => {
    const features = variance(board({ rate: 0.5, forward: 103 }), { rate: 0.5, forward: 103 })
    expect(Math.sqrt(features.varianceIndex)).toBeCloseTo(0.2, 3)
  })

  it('is missing below the time floor and with counts of 0 used', () => {
    const { context, expiry } = expiryOf(board())
    const missing = { varianceIndex: NaN, varianceComplete: NaN, varianceNUsed: 0, varianceQuality: 0 }
    expect(varianceFeatures(context, { ...expiry, isSolved: false })).toEqual({ ...missing, varianceNTotal: 141 })
    expect(variance(board().slice(0, 4))).toEqual({ ...missing, varianceNTotal: 2 })
    expect(variance(board(), { forward: NaN })).toEqual({ ...missing, varianceNTotal: 141 })
  })
})
