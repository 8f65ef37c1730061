import type { DamagedFile } from '../../../shared/archive/manifest.ts'
import { readArchive, type ReadArchiveOptions, type ReadProgress } from '../../../shared/archive/reader.ts'
import type { Bus } from '../../../shared/bus/connect.ts'
import { createPublisher } from '../../../shared/bus/publisher.ts'
import type { StreamProfile } from '../../../shared/bus/stream-specs.ts'
import { ensureStreams, streamInfo } from '../../../shared/bus/streams.ts'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import type { Store } from '../../../shared/store/connect.ts'
import { committedOf } from '../committed.ts'
import { createPacedPublisher, unreadBytesOf } from './paced-publisher.ts'
import { progressText, sparsely } from '../progress.ts'

export interface RestoreOptions {
  readonly archive: Pick<ReadArchiveOptions, 'directory' | 'fromMs' | 'toMs' | 'time' | 'underlyings'>
  readonly bus: Bus
  /** Sizes of the streams, where there are none yet. */
  readonly profile: StreamProfile
  /** Where the processor commits, so that CHAINS is never filled past what it has not read; null when nobody knows. */
  readonly store: Store | null
  /** Publishes into a stream that has messages already. */
  readonly append: boolean
  readonly skipDamaged: boolean
}

export interface Restored {
  readonly messages: number
  /** That CHAINS had already, by message id. */
  readonly duplicates: number
  readonly damaged: readonly DamagedFile[]
  /** First sequence the restored messages have in CHAINS. */
  readonly fromSeq: number
}

/** Publishes archived messages into CHAINS again, in stream order, with their headers and message ids. */
export async function restoreArchive(options: RestoreOptions): Promise<Restored> {
  const { bus, store } = options
  await ensureStreams(bus, options.profile)
  const stream = await streamInfo(bus, 'CHAINS')
  if (stream.messages > 0 && !options.append) {
    throw new StrikeflowError(
      'config',
      `CHAINS holds ${stream.messages} messages. Older snapshots after newer ones are stored as late and change no state: ` +
        'restore into an empty stream, or give --append',
    )
  }
  const damaged: DamagedFile[] = []
  const startedMs = performance.now()
  const show = sparsely((text) => console.error(text))
  const read = store === null ? null : await committedOf(store, stream.created, stream.firstSeq)
  const run = createPacedPublisher({
    publisher: createPublisher(bus, { publisherId: 'archive/restore' }),
    stream: { maxBytes: stream.maxBytes, unreadBytes: unreadBytesOf(stream, read) },
    committed: store === null ? null : () => committedOf(store, stream.created, stream.lastSeq + 1),
  })
  const messages = readArchive({
    ...options.archive,
    ...(options.skipDamaged ? { onDamage: (file: DamagedFile) => damaged.push(file) } : {}),
    onProgress: ({ bytes, totalBytes }: ReadProgress) => {
      const seconds = (performance.now() - startedMs) / 1000
      show(() => progressText('restored', { done: bytes / 1e6, total: totalBytes / 1e6, unit: 'MB', seconds }))
    },
  })
  for await (const { subject, payload, headers } of messages) await run.publish(subject, payload, headers)
  return { ...(await run.finish()), damaged, fromSeq: stream.lastSeq + 1 }
}
