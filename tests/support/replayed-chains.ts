import { headerNames } from '../../shared/bus/messages.ts'
import { partitionOfUnderlying, rawSubject } from '../../shared/bus/subjects.ts'
import type { SnapshotMeta } from '../../shared/model/snapshot.ts'
import { encodeSnapshot, snapshotSchema } from '../../shared/model/snapshot-codec.ts'
import { uuidOf } from '../../shared/model/uuid.ts'
import { chainOf } from '../fixtures/quant/chain-builder.ts'
import { type ChainMessage, chainMessage, chainMessages } from './delivery-stage.ts'

/** A chain of three strikes under a message id of its own, with whatever its metadata should say. */
function oddMessage(
  name: string,
  underlying: string,
  step: number,
  { lastTradeAtS, ...meta }: Partial<SnapshotMeta> & { readonly lastTradeAtS?: number },
): ChainMessage {
  const contracts = [95, 100, 105].flatMap((strike) =>
    (['C', 'P'] as const).map((right) => ({
      root: underlying,
      expiry: '2026-07-17',
      strike,
      right,
      bid: 4.2,
      ask: 4.4,
      ...(lastTradeAtS === undefined ? {} : { lastTradeAtS }),
    })),
  )
  const snapshotId = uuidOf('odd', name, underlying, String(step))
  const marketTimeMs = stepTimeMs(step)
  const rejects = [{ symbol: 'T0 BAD', reason: 'bad_symbol', detail: name }] as unknown as SnapshotMeta['rejects']
  const odd = { underlying, provider: 'test', snapshotId, marketTimeMs, contentHash: name, rejects, ...meta }
  const { payload, contentEncoding } = encodeSnapshot(chainOf(contracts, odd))
  return {
    subject: rawSubject(partitionOfUnderlying(underlying), 'test', underlying),
    payload,
    messageId: snapshotId,
    headers: {
      [headerNames.schema]: snapshotSchema,
      ...(contentEncoding === 'zstd' && { [headerNames.contentEncoding]: 'zstd' }),
    },
  }
}

/** Market time of a step of `chainMessages`. */
export const stepTimeMs = (step: number): number => Date.UTC(2026, 5, 22, 14) + step * 60_000

/** A message that was published before, under another id: what `dlq replay` does. */
const copyOf = (message: ChainMessage, name: string): ChainMessage => ({
  ...message,
  messageId: name,
  headers: { ...message.headers, [headerNames.replayOf]: message.messageId },
})

/** Refused where it lies: its underlying is another partition's. */
const inOtherPartition: ChainMessage = {
  ...oddMessage('elsewhere', 'T6', 4.5, {}),
  subject: rawSubject((partitionOfUnderlying('T6') + 1) % 16, 'test', 'T6'),
}

/** A snapshot of it kills a processor into which `poison.ts` is loaded. */
const poison: ChainMessage = chainMessage({ underlying: 'POISON', step: 3 })

/** Chains of eight underlyings over 40 minutes, and among them one of everything that can become of a message. */
export function chainsOfEveryKind(): readonly ChainMessage[] {
  const { messageId, ...first } = chainMessage({ underlying: 'T1', step: 2 })
  const undecodable = { ...first, payload: new Uint8Array(10), messageId: 'no snapshot' }
  return [
    ...chainMessages(8, 15),
    copyOf({ ...first, messageId }, 'copy-of-T1-2'),
    oddMessage('late', 'T2', 5, {}),
    undecodable,
    inOtherPartition,
    poison,
    // The same content as at step 14, a minute later; the next step has news again.
    oddMessage('14', 'T3', 14.5, { contentHash: '14' }),
    oddMessage('fetched', 'F0', 10, { timeKind: 'fetch' }),
    ...chainMessages(8, 15, 15),
    oddMessage('incomputable', 'T4', 29.5, { lastTradeAtS: 1e300 }),
    copyOf(oddMessage('fetched', 'F0', 10, { timeKind: 'fetch', marketTimeMs: stepTimeMs(27) }), 'fetched again'),
    // Stands behind 15 others in the stream, between two of them in market time.
    oddMessage('late again', 'T5', 16.5, {}),
    ...chainMessages(8, 10, 30),
  ]
}
