import { setTimeout as pause } from 'node:timers/promises'
import { createOutput } from '../../services/collector/publish.ts'
import type { Bus } from '../../shared/bus/connect.ts'
import { createPublisher, maxMessageBytes } from '../../shared/bus/publisher.ts'
import { defaultPartitions } from '../../shared/bus/subjects.ts'
import type { Generated } from './generator.ts'

export interface Sent {
  readonly snapshotId: string
  readonly underlying: string
  readonly contracts: number
  readonly bytes: number
  /** Right before the call that publishes it; `performance.now()`, as all times here. */
  readonly sentMs: number
  readonly acked: Promise<{ readonly streamSeq: number; readonly ackedMs: number }>
}

export type Send = (chain: Generated) => Promise<Sent>

/** Publishes chains as the collector does, encoded ahead. */
export function createSend(bus: Bus, signal: AbortSignal): Send {
  const encodedOf = new WeakMap<Generated['snapshot'], Generated['encoded']>()
  const output = createOutput({
    sink: createPublisher(bus, { publisherId: 'bench/0', signal }),
    encode(snapshot) {
      const encoded = encodedOf.get(snapshot)
      if (encoded === undefined) throw new Error('a chain that was not encoded ahead')
      return encoded
    },
    partitions: defaultPartitions,
    maxMessageBytes,
  })
  return async ({ snapshot, encoded }) => {
    const { snapshotId, underlying } = snapshot.meta
    encodedOf.set(snapshot, encoded)
    const sentMs = performance.now()
    const published = await output.publishSnapshot(snapshot)
    if (published.kind === 'too_large') throw new Error(`${underlying}: message of ${published.bytes} bytes`)
    const acked = published.acked.then(({ streamSeq }) => ({ streamSeq, ackedMs: performance.now() }))
    return { snapshotId, underlying, contracts: snapshot.columns.length, bytes: published.bytes, sentMs, acked }
  }
}

export interface Paced {
  readonly sent: readonly Sent[]
  /** How much later than due each was published, milliseconds. */
  readonly latenessMs: readonly number[]
}

/** Publishes so many chains, one every so many milliseconds; a late one does not make the next ones late. */
export async function publishPaced(
  send: Send,
  next: () => Promise<Generated | null>,
  { count, everyMs, signal }: { readonly count: number; readonly everyMs: number; readonly signal: AbortSignal },
): Promise<Paced> {
  const sent: Sent[] = []
  const latenessMs: number[] = []
  const startMs = performance.now() + everyMs
  for (let i = 0; i < count; i++) {
    const chain = await next()
    if (chain === null) throw new Error(`the market ended after ${i} of ${count} chains`)
    const dueMs = startMs + i * everyMs
    const waitMs = dueMs - performance.now()
    if (waitMs > 0) await pause(waitMs, undefined, { signal })
    signal.throwIfAborted()
    const one = await send(chain)
    latenessMs.push(Math.max(0, one.sentMs - dueMs))
    sent.push(one)
  }
  return { sent, latenessMs }
}
