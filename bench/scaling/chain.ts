import { featureParams, processorSettings } from '../../services/processor/config.ts'
import { computeChain } from '../../services/processor/features/compute-chain.ts'
import { chainOf } from '../../tests/fixtures/quant/chain-builder.ts'

const expiries = ['2026-07-17', '2026-08-21', '2026-09-18', '2026-12-18']
const strikes = 60

/** A chain of ordinary size, and what computes it; returns the contracts computed. */
export function workerChain(): { readonly compute: () => number } {
  const contracts = expiries.flatMap((expiry) =>
    Array.from({ length: strikes }, (_, i) => 70 + i).flatMap((strike) =>
      (['C', 'P'] as const).map((right) => {
        const worth = Math.max(0, right === 'C' ? 100 - strike : strike - 100) + 3
        return {
          root: 'SPY',
          expiry,
          strike,
          right,
          bid: worth - 0.05,
          ask: worth + 0.05,
          volume: 100,
          openInterest: 500,
        }
      }),
    ),
  )
  const snapshot = chainOf(contracts, { marketTimeMs: Date.UTC(2026, 5, 22, 14) })
  const parameters = featureParams(processorSettings.parse({}))
  return {
    compute() {
      computeChain(snapshot, parameters)
      return snapshot.columns.length
    },
  }
}
