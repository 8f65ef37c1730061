import type { ArchivePosition } from '../../shared/archive/writer.ts'
import { encodeJson, headerNames } from '../../shared/bus/messages.ts'
import type { Publisher } from '../../shared/bus/publisher.ts'
import { gapSubject } from '../../shared/bus/subjects.ts'
import type { Gap } from '../../shared/model/gap.ts'

/** Stands in the place of an underlying: which ones were lost is what nobody can say any more. */
const streamGapName = '_CHAINS'

/**
 * Tells on `quality.gap._CHAINS` of messages that the stream discarded before they were archived. Published before the file that
 * stands for the gap, under an id of its own: at least once, whatever is killed when.
 */
export async function publishStreamGap(
  publisher: Pick<Publisher, 'publish'>,
  { stream, created }: ArchivePosition,
  [fromSeq, toSeq]: readonly [number, number],
  noticedAtMs: number,
): Promise<void> {
  const gap: Gap = {
    provider: '',
    underlying: streamGapName,
    scanId: '',
    reason: 'not_archived',
    detail: `messages ${fromSeq} to ${toSeq} of ${stream} (made ${created}) were discarded before they were archived`,
    expectedAtMs: noticedAtMs,
  }
  await publisher.publish(gapSubject(streamGapName), encodeJson(gap), {
    messageId: `gap/archiver/${created}/${fromSeq}-${toSeq}`,
    headers: { [headerNames.contentType]: 'application/json' },
  })
}
