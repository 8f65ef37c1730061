import { describe, expect, it } from 'vitest'
import { chainOf, type ContractInput } from '../../../tests/fixtures/quant/chain-builder.ts'
import { solvedChain } from '../../../tests/fixtures/quant/solved-chain.ts'
import { forwardMarket, syntheticForwards } from './forward-market.ts'

const marketTimeMs = Date.UTC(2026, 5, 22, 20)

/** A pair a strike: the forward it stands for, and the half spread of either leg. */
function marketOf(pairs: Readonly<Record<number, readonly [number, number]>>) {
  const legs = Object.entries(pairs).flatMap(([key, [forward, half]]): ContractInput[] => {
    const strike = Number(key)
    const leg = { root: 'XYZ', expiry: '2026-07-22', strike }
    const put = 2 + Math.max(0, strike - forward)
    const call = put + forward - strike
    return [
      { ...leg, right: 'C', bid: call - half, ask: call + half },
      { ...leg, right: 'P', bid: put - half, ask: put + half },
    ]
  })
  const { context, expiries } = solvedChain(chainOf(legs, { marketTimeMs }))
  const [expiry] = expiries
  if (!expiry) throw new Error('no expiry')
  return forwardMarket(syntheticForwards(context.columns, expiry))
}

describe('the market for a forward', () => {
  it('is the median bid and ask of the tighter half of the pairs near the money', () => {
    // Half spreads 1, 2, 3, 4 and 5 cents: three pairs are no wider than the median. Each leg has its half of the spread.
    const { bid, ask } = marketOf({
      99: [100, 0.01],
      99.5: [100.01, 0.02],
      100: [100.02, 0.03],
      100.5: [108, 0.04],
      101: [92, 0.05],
    })
    // Bids 99.98, 99.97, 99.96; asks 100.02, 100.05, 100.08.
    expect(bid).toBeCloseTo(99.97, 10)
    expect(ask).toBeCloseTo(100.05, 10)
  })

  it('does not follow the early exercise of legs far from the money', () => {
    const near = { 99: [100, 0.02], 100: [100, 0.02], 101: [100, 0.02] } as const
    const deep = { 50: [97, 0.001], 60: [97, 0.001], 70: [97, 0.001], 150: [97, 0.001], 160: [97, 0.001] } as const
    expect(marketOf({ ...near, ...deep }).bid).toBeCloseTo(99.96, 10)
  })

  it('is not known from two pairs', () => {
    expect(marketOf({ 99: [100, 0.01], 100: [100, 0.02] })).toEqual({ bid: NaN, ask: NaN })
  })
})
