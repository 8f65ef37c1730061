import { headerNames } from '../../shared/bus/messages.ts'
import { partitionOfUnderlying, rawSubject } from '../../shared/bus/subjects.ts'
import { arrowTypes, encodeArrow } from '../../shared/model/arrow.ts'
import { snapshotSchema } from '../../shared/model/snapshot-codec.ts'
import type { SnapshotMeta } from '../../shared/model/snapshot.ts'
import type { RawMessage } from '../../shared/archive/message.ts'

export const minuteMs = 60_000
export const marketOpenMs = Date.parse('2026-11-16T14:30:00Z')

/** A message as the collector publishes it, one a minute; three contracts with nothing in them. */
export function testMessage(streamSeq: number, underlying = 'SPY', change: Partial<RawMessage> = {}): RawMessage {
  const marketTimeMs = marketOpenMs + streamSeq * minuteMs
  const meta: SnapshotMeta = {
    snapshotId: '00000000-0000-8000-8000-000000000000',
    scanId: 'scan',
    provider: 'test',
    underlying,
    spot: 100,
    timeKind: 'market',
    providerTimeMs: marketTimeMs,
    delayMs: 0,
    marketTimeMs,
    receivedAtMs: marketTimeMs,
    sessionDate: '2026-11-16',
    exchangeZone: 'America/New_York',
    contentHash: 'hash',
    multiplier: 100,
    listed: 0,
    rejects: [],
  }
  const payload = encodeArrow(
    [{ name: 'right', type: arrowTypes.int8, values: new Int8Array(3) }],
    new Map([['strikeflow.snapshot', JSON.stringify(meta)]]),
  )
  return {
    streamSeq,
    subject: rawSubject(partitionOfUnderlying(underlying), 'test', underlying),
    headers: new Map([
      [headerNames.schema, snapshotSchema],
      [headerNames.contentEncoding, 'identity'],
      [headerNames.messageId, `id-${streamSeq}`],
      [headerNames.marketTime, String(marketTimeMs)],
      [headerNames.contracts, '3'],
    ]),
    payload,
    storedAtMs: marketTimeMs + 1000,
    ...change,
  }
}
