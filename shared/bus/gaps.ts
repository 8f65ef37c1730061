import type { Gap, GapReason } from '../model/gap.ts'
import { encodeJson, headerNames } from './messages.ts'
import type { Publisher } from './publisher.ts'
import { gapSubject } from './subjects.ts'

/** Stands in the place of an underlying: which ones were lost the sequences alone do not say. */
const streamGapName = '_CHAINS'

/** Tells of a gap on `quality.gap.<underlying>`, at least once; resolves when the stream has acknowledged it. */
export async function publishGap(publisher: Pick<Publisher, 'publish'>, gap: Gap, messageId: string): Promise<void> {
  const headers = { [headerNames.contentType]: 'application/json' }
  await publisher.publish(gapSubject(gap.underlying), encodeJson(gap), { messageId, headers })
}

/** Messages a stream discarded before one of its readers had them. */
export interface DiscardedRun {
  readonly stream: string
  /** Which life of the stream. */
  readonly created: string
  readonly fromSeq: number
  readonly toSeq: number
  readonly noticedAtMs: number
}

interface Reader {
  readonly service: 'archiver' | 'processor'
  /** What it does with messages. */
  readonly participle: 'archived' | 'processed'
  readonly reason: Extract<GapReason, 'not_archived' | 'retention'>
}

/** Tells on `quality.gap._CHAINS`, under an id of the run's own: at least once, whatever is killed when. */
export function publishDiscarded(
  publisher: Pick<Publisher, 'publish'>,
  { service, participle, reason }: Reader,
  { stream, created, fromSeq, toSeq, noticedAtMs }: DiscardedRun,
): Promise<void> {
  const gap: Gap = {
    provider: '',
    underlying: streamGapName,
    scanId: '',
    reason,
    detail: `messages ${fromSeq} to ${toSeq} of ${stream} (made ${created}) were discarded before they were ${participle}`,
    expectedAtMs: noticedAtMs,
  }
  return publishGap(publisher, gap, `gap/${service}/${created}/${fromSeq}-${toSeq}`)
}
