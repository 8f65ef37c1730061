import { parentPort, workerData } from 'node:worker_threads'
import type { Snapshot } from '../../shared/model/snapshot.ts'
import { type EncodedSnapshot, encodeSnapshot } from '../../shared/model/snapshot-codec.ts'
import { createSimulator } from '../../services/collector/providers/simulator/simulator.ts'
import { type MarketPlan, simulatorOptions } from './market.ts'

/*
 * Makes the chains on a thread of its own: the thread that publishes and receives must be idle in between, or its own work would
 * count as latency. Makes one for each request it is sent.
 */
export interface Generated {
  readonly snapshot: Snapshot
  readonly encoded: EncodedSnapshot
}

const port = parentPort
if (port === null) throw new Error('runs as a worker only')

async function* chains(plan: MarketPlan): AsyncGenerator<Generated> {
  const { signal } = new AbortController()
  for await (const { items, position } of createSimulator(simulatorOptions(plan)).passes(signal)) {
    for (const item of items) {
      const outcome = await item.fetch({ scanId: `latency-${position.index}`, signal })
      if (outcome.kind !== 'snapshot') throw new Error(`the simulator gave no chain of ${item.underlying}`)
      yield { snapshot: outcome.snapshot, encoded: encodeSnapshot(outcome.snapshot) }
    }
  }
}

const made = chains(workerData as MarketPlan)
let last: Promise<unknown> = Promise.resolve()
port.on('message', () => {
  last = last.then(async () => port.postMessage((await made.next()).value ?? null))
})
