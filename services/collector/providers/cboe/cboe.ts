import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../../../shared/runtime/clock.ts'
import { parseJsonDocument } from '../json-document.ts'
import type { OptionChainProvider, Pass, PassItem } from '../provider.ts'
import type { DriftObserver } from '../raw-chain.ts'
import { type CboeClientOptions, createCboeClient } from './client.ts'
import { cboeDelayMs, cboeZone, normalizeCboe } from './normalize.ts'

export interface CboeOptions extends CboeClientOptions {
  /** Canonical tickers, in the order they are asked for. */
  readonly underlyings: readonly string[]
  /** From the start of one pass to the start of the next. */
  readonly intervalMs: number
  readonly maxConcurrency: number
  /** Passes before it ends; null polls for ever. */
  readonly maxPasses: number | null
  readonly clock: Clock
  readonly onDrift: DriftObserver
}

/** Polls Cboe's delayed quotes: free, no key, one request for a whole chain with greeks, 15 minutes old. */
export function createCboe(options: CboeOptions): OptionChainProvider {
  const { clock, maxPasses, intervalMs } = options
  const client = createCboeClient(options)
  const items = options.underlyings.map((underlying): PassItem => ({
    underlying,
    async fetch({ scanId, signal }) {
      const answer = await client.fetchChain(underlying, signal)
      if (answer.kind === 'refused') return answer
      const parsed = parseJsonDocument(answer.text)
      if ('kind' in parsed) return parsed
      const { receivedAtMs } = answer
      const { onDrift } = options
      return normalizeCboe(parsed.document, { underlying, scanId, receivedAtMs, nowMs: clock(), onDrift })
    },
  }))

  async function* passes(signal: AbortSignal): AsyncIterable<Pass> {
    for (let index = 0; !signal.aborted; index++) {
      const startedAtMs = clock()
      yield { provider: 'cboe', startedAtMs, items, position: { index, total: maxPasses } }
      if (index + 1 === maxPasses) return
      // On the grid of the clock and not so long after the last start: delays would add up and pass over a slot one day.
      const nextMs = (Math.floor(startedAtMs / intervalMs) + 1) * intervalMs
      // A timer may fire a moment early, and the pass would count to the slot before.
      while (clock() < nextMs && !signal.aborted) {
        await sleep(nextMs - clock(), undefined, { signal }).catch(() => {})
      }
    }
  }

  return {
    name: 'cboe',
    exchangeZone: cboeZone,
    schedule: { intervalMs, delayMs: cboeDelayMs },
    capabilities: { live: true, maxConcurrency: options.maxConcurrency, givesGreeks: true },
    now: clock,
    passes,
  }
}
