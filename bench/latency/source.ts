import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Generated } from './generator.ts'
import type { MarketPlan } from './market.ts'

/** Chains made ahead of their time, so that making one does not delay its publication. */
const ahead = 32

/** The chains of the market, in the order of publication; made on another thread. Null at the end. */
export interface ChainSource extends AsyncDisposable {
  readonly next: () => Promise<Generated | null>
}

export function openSource(plan: MarketPlan): ChainSource {
  const worker = new Worker(new URL('generator.ts', import.meta.url), { workerData: plan })
  const ready: (Generated | null)[] = []
  let waiting = Promise.withResolvers<void>()
  worker.on('message', (chain: Generated | null) => {
    ready.push(chain)
    waiting.resolve()
  })
  const failed = once(worker, 'error').then(([error]) => {
    throw error
  })
  failed.catch(() => {})
  // The list of what is handed over, not the target origin of a window.
  const request = (): void => worker.postMessage('next', [])
  for (let i = 0; i < ahead; i++) request()
  return {
    async next() {
      while (ready.length === 0) {
        waiting = Promise.withResolvers()
        await Promise.race([waiting.promise, failed])
      }
      request()
      return ready.shift() ?? null
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate()
    },
  }
}
