import type { ArchivePosition } from '../../shared/archive/writer.ts'
import { encodeJson, headerNames } from '../../shared/bus/messages.ts'
import type { Publisher } from '../../shared/bus/publisher.ts'
import { gapSubject } from '../../shared/bus/subjects.ts'

/** Stands in the place of an underlying: which ones were lost is what nobody can say any more. */
export const streamGapName = '_CHAINS'

/** Messages that the stream discarded before a reader came to them; JSON on `quality.gap._CHAINS`. */
export interface StreamGap {
  readonly reason: 'overtaken'
  readonly reader: 'archiver'
  readonly stream: string
  readonly created: string
  readonly fromSeq: number
  readonly toSeq: number
  readonly messages: number
  readonly noticedAtMs: number
}

/** Published before the file that stands for the gap, under an id of its own: at least once, whatever is killed when. */
export async function publishStreamGap(
  publisher: Pick<Publisher, 'publish'>,
  { stream, created }: ArchivePosition,
  [fromSeq, toSeq]: readonly [number, number],
  noticedAtMs: number,
): Promise<void> {
  const messages = toSeq - fromSeq + 1
  const gap: StreamGap = {
    reason: 'overtaken',
    reader: 'archiver',
    stream,
    created,
    fromSeq,
    toSeq,
    messages,
    noticedAtMs,
  }
  await publisher.publish(gapSubject(streamGapName), encodeJson(gap), {
    messageId: `gap/archiver/${created}/${fromSeq}-${toSeq}`,
    headers: { [headerNames.contentType]: 'application/json' },
  })
}
