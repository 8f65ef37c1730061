import { headerNames } from '../../shared/bus/messages.ts'
import type { Delivery } from '../../shared/bus/ordered-source.ts'
import { parseRawSubject } from '../../shared/bus/subjects.ts'
import { uuidOf } from '../../shared/model/uuid.ts'
import { alertId } from './alert.ts'
import { detectors } from './detectors/index.ts'

/**
 * Takes back the alerts a snapshot may have raised before it was given up, a CloudEvents 1.0 document on
 * `alerts.info.retraction.<underlying>`. The ids are all it could have raised: most were never sent.
 */
export interface Retraction {
  readonly specversion: '1.0'
  readonly id: string
  readonly source: string
  readonly type: 'io.strikeflow.alert.retracted.v1'
  readonly subject: string
  readonly time: string
  readonly datacontenttype: 'application/json'
  readonly data: { readonly snapshotId: string; readonly reason: string; readonly alertIds: readonly string[] }
}

/** Returns what takes back the alerts of a message, by what stands outside it: it is not opened. Null when it has no id. */
export function retractionOf(
  { subject, messageId, headers, publishedAtMs }: Delivery,
  reason: string,
): Retraction | null {
  const snapshotId = headers.get(headerNames.replayOf) ?? messageId
  if (snapshotId === null) return null
  return {
    specversion: '1.0',
    id: uuidOf('retraction', snapshotId),
    source: 'strikeflow/processor',
    type: 'io.strikeflow.alert.retracted.v1',
    subject: parseRawSubject(subject).underlying,
    time: new Date(publishedAtMs).toISOString(),
    datacontenttype: 'application/json',
    data: { snapshotId, reason, alertIds: detectors.map((detector) => alertId(detector, snapshotId)) },
  }
}
