import { encodeJson, headerNames } from '../../shared/bus/messages.ts'
import { gapSubject, partitionOfUnderlying, rawSubject, scanSummarySubject } from '../../shared/bus/subjects.ts'
import type { Scan } from '../../shared/model/scan.ts'
import type { RefusalReason, Snapshot } from '../../shared/model/snapshot.ts'
import { type EncodedSnapshot, snapshotContentType, snapshotSchema } from '../../shared/model/snapshot-codec.ts'

/** The half of the bus's publisher that the collector needs. */
interface MessageSink {
  /** Resolves when the message has a place in the window; `acked` when it is stored. */
  enqueue(
    subject: string,
    payload: Uint8Array,
    options: { readonly messageId: string; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<{ readonly acked: Promise<StoredAck> }>
}

export interface StoredAck {
  readonly streamSeq: number
  /** The stream had this message id already. */
  readonly duplicate: boolean
}

/** An expected chain that did not come, for the gap ledger; JSON on `quality.gap.<underlying>`. */
export interface Gap {
  readonly provider: string
  readonly underlying: string
  readonly scanId: string
  readonly reason: RefusalReason
  readonly detail: string
  /** Epoch milliseconds on the provider's clock. */
  readonly expectedAtMs: number
}

type Published =
  | { readonly kind: 'enqueued'; readonly bytes: number; readonly acked: Promise<StoredAck> }
  | { readonly kind: 'too_large'; readonly bytes: number }

export interface CollectorOutput {
  publishSnapshot(snapshot: Snapshot): Promise<Published>
  publishGap(gap: Gap): Promise<StoredAck>
  publishScan(scan: Scan): Promise<StoredAck>
}

interface OutputOptions {
  readonly sink: MessageSink
  readonly encode: (snapshot: Snapshot) => EncodedSnapshot
  /** Partitions of CHAINS; the processors must know the same count. */
  readonly partitions: number
  readonly maxMessageBytes: number
}

/** Puts what the collector makes on its subjects, each message under an id that the same input gives again. */
export function createOutput({ sink, encode, partitions, maxMessageBytes }: OutputOptions): CollectorOutput {
  async function publishJson(subject: string, messageId: string, value: unknown): Promise<StoredAck> {
    const headers = { [headerNames.contentType]: 'application/json' }
    return (await sink.enqueue(subject, encodeJson(value), { messageId, headers })).acked
  }

  return {
    async publishSnapshot(snapshot) {
      const { provider, underlying, snapshotId } = snapshot.meta
      const { payload, contentEncoding } = encode(snapshot)
      if (payload.byteLength > maxMessageBytes) return { kind: 'too_large', bytes: payload.byteLength }
      const subject = rawSubject(partitionOfUnderlying(underlying, partitions), provider, underlying)
      const headers = {
        [headerNames.schema]: snapshotSchema,
        [headerNames.contentType]: snapshotContentType,
        [headerNames.contentEncoding]: contentEncoding,
        [headerNames.marketTime]: String(snapshot.meta.marketTimeMs),
        [headerNames.contracts]: String(snapshot.columns.length),
      }
      const { acked } = await sink.enqueue(subject, payload, { messageId: snapshotId, headers })
      return { kind: 'enqueued', bytes: payload.byteLength, acked }
    },
    publishGap: (gap) => publishJson(gapSubject(gap.underlying), `gap/${gap.scanId}/${gap.underlying}`, gap),
    publishScan: (scan) => publishJson(scanSummarySubject(scan.scanId), `scan/${scan.scanId}/${scan.status}`, scan),
  }
}
