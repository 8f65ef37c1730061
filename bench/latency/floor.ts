import { headerNames } from '../../shared/bus/messages.ts'
import type { Bus } from '../../shared/bus/connect.ts'
import { openOrderedSource } from '../../shared/bus/ordered-source.ts'
import type { Generated } from './generator.ts'
import { publishPaced, type Send, type Sent } from './publish.ts'
import { type Quantiles, quantilesOf } from './quantiles.ts'

export interface Floor {
  /** Publish call to a core subscriber of the same subjects. */
  readonly core: Quantiles
  /** Publish call to a reader of the stream, as the processor reads it: stored, then pulled. */
  readonly stream: Quantiles
  /** Publish call to the stream's acknowledgement. */
  readonly acknowledged: Quantiles
}

export interface FloorOptions {
  /** Of the subscriber; the chains are published on another connection. */
  readonly bus: Bus
  readonly send: Send
  readonly next: () => Promise<Generated | null>
  readonly count: number
  readonly everyMs: number
  readonly signal: AbortSignal
}

const settleLimitMs = 10_000

/** The way of chains through CHAINS with nobody working on them: what no processor can be quicker than. */
export async function measureFloor({ bus, send, next, signal, ...pace }: FloorOptions): Promise<Floor> {
  const core = new Map<string, number>()
  const stream = new Map<string, number>()
  const subscription = bus.connection.subscribe('chains.raw.>', {
    callback: (_, { headers }) => void core.set(headers?.get(headerNames.messageId) ?? '', performance.now()),
  })
  await using source = await openOrderedSource(bus, { stream: 'CHAINS', filterSubject: 'chains.raw.>', fromSeq: 1 })
  await bus.connection.flush()
  const { promise: complete, resolve } = Promise.withResolvers<void>()
  const reading = (async () => {
    for await (const { messageId } of source) {
      stream.set(messageId ?? '', performance.now())
      if (stream.size === pace.count) return resolve()
    }
  })()
  const { sent } = await publishPaced(send, next, { ...pace, signal })
  const acks = await Promise.all(sent.map(({ acked }) => acked))
  await Promise.race([complete, failAfter(settleLimitMs)])
  subscription.unsubscribe()
  await reading
  return {
    core: quantilesOf(since(sent, core)),
    stream: quantilesOf(since(sent, stream)),
    acknowledged: quantilesOf(acks.map(({ ackedMs }, i) => ackedMs - (sent[i]?.sentMs ?? Number.NaN))),
  }
}

/** Of those that arrived. */
export const since = (sent: readonly Sent[], receivedMs: ReadonlyMap<string, number>): readonly number[] =>
  sent.flatMap(({ snapshotId, sentMs }) => {
    const at = receivedMs.get(snapshotId)
    return at === undefined ? [] : [at - sentMs]
  })

const failAfter = (ms: number): Promise<never> =>
  new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`chains did not come back within ${ms} ms`)), ms).unref()
  })
