import { headerNames } from '../../shared/bus/messages.ts'
import type { Delivery } from '../../shared/bus/ordered-source.ts'
import { parseRawSubject, partitionOfUnderlying, rawSubject } from '../../shared/bus/subjects.ts'
import { StrikeflowError } from '../../shared/model/errors.ts'
import type { Snapshot, SnapshotMeta } from '../../shared/model/snapshot.ts'
import { decodeSnapshot } from '../../shared/model/snapshot-codec.ts'

export type Decoded =
  | { readonly kind: 'ok'; readonly snapshot: Snapshot }
  | { readonly kind: 'dead-letter'; readonly reason: string; readonly error: unknown }

/** Opens a message. What cannot be read is a value here, never an exception: it has a commit row to come. */
export function decode({ subject, payload, headers, messageId }: Delivery, partitions: number | null): Decoded {
  try {
    const encoding = headers.get(headerNames.contentEncoding) ?? null
    const snapshot = decodeSnapshot(payload, encoding, headers.get(headerNames.schema) ?? null)
    // A dead letter that was published again has a message id of its own, and says what it was.
    if (snapshot.meta.snapshotId !== (headers.get(headerNames.replayOf) ?? messageId)) {
      throw new StrikeflowError(
        'decode',
        `Message id ${messageId} is not its snapshot's id ${snapshot.meta.snapshotId}`,
      )
    }
    checkAddress(subject, snapshot.meta, partitions)
    return { kind: 'ok', snapshot }
  } catch (error) {
    return { kind: 'dead-letter', reason: 'undecodable', error }
  }
}

/** Under another's subject it would be computed beside its own kind: two owners of one underlying, and no order between them. */
function checkAddress(subject: string, { provider, underlying }: SnapshotMeta, partitions: number | null): void {
  const partition =
    partitions === null ? parseRawSubject(subject).partition : partitionOfUnderlying(underlying, partitions)
  const own = rawSubject(partition, provider, underlying)
  if (subject !== own)
    throw new StrikeflowError('decode', `Subject ${subject.slice(0, 300)} is not its snapshot's ${own}`)
}
