import { setTimeout as delay } from 'node:timers/promises'
import type { DamagedFile } from '../../../shared/archive/manifest.ts'
import { readArchive, type ReadArchiveOptions, type ReadProgress } from '../../../shared/archive/reader.ts'
import { connectBus } from '../../../shared/bus/connect.ts'
import { createPublisher, type PublishAck, type Publisher } from '../../../shared/bus/publisher.ts'
import type { StreamProfile } from '../../../shared/bus/stream-specs.ts'
import { ensureStreams, type StreamInfo, streamInfo } from '../../../shared/bus/streams.ts'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import { createLogger } from '../../../shared/runtime/logger.ts'
import type { Store } from '../../../shared/store/connect.ts'
import { committedOf } from '../committed.ts'
import { progressText, sparsely } from '../progress.ts'

export interface RestoreOptions {
  readonly archive: Pick<ReadArchiveOptions, 'directory' | 'fromMs' | 'toMs' | 'time' | 'underlyings'>
  readonly natsUrl: string
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

/** Share of CHAINS that may be unread: the rest is room for what comes while we look. */
const unreadShare = 0.5

/** Publishes archived messages into CHAINS again, in stream order, with their headers and message ids. */
export async function restoreArchive(options: RestoreOptions): Promise<Restored> {
  const log = createLogger({ service: 'archive', level: 'warn' })
  await using bus = await connectBus({ servers: options.natsUrl, name: 'archive', log })
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
  const run = new Restoring(createPublisher(bus, { publisherId: 'archive/restore' }), stream, options.store)
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

class Restoring {
  readonly #publisher: Publisher
  readonly #stream: StreamInfo
  readonly #store: Store | null
  #messages = 0
  #duplicates = 0
  #bytes = 0
  #failure: unknown = null
  /** Bytes at which it looks again how far the processor is. */
  #nextLookBytes: number

  constructor(publisher: Publisher, stream: StreamInfo, store: Store | null) {
    this.#publisher = publisher
    this.#stream = stream
    this.#store = store
    this.#nextLookBytes = this.#allowedBytes()
  }

  #allowedBytes(): number {
    const { maxBytes, bytes } = this.#stream
    return maxBytes <= 0 ? Infinity : Math.max(0, maxBytes * unreadShare - bytes)
  }

  async publish(subject: string, payload: Uint8Array, headers: ReadonlyMap<string, string>): Promise<void> {
    if (this.#bytes >= this.#nextLookBytes) await this.#untilRead()
    if (this.#failure !== null) throw this.#failure
    const { acked } = await this.#publisher.enqueueAgain(subject, payload, headers)
    this.#messages += 1
    this.#bytes += payload.byteLength + messageOverheadBytes
    void this.#count(acked)
  }

  async #count(acked: Promise<PublishAck>): Promise<void> {
    try {
      if ((await acked).duplicate) this.#duplicates += 1
    } catch (error) {
      this.#failure ??= error
    }
  }

  async finish(): Promise<{ readonly messages: number; readonly duplicates: number }> {
    await this.#publisher.flush()
    if (this.#failure !== null) throw this.#failure
    return { messages: this.#messages, duplicates: this.#duplicates }
  }

  /** Waits until half of what CHAINS holds at most is unread. */
  async #untilRead(): Promise<void> {
    const { created, lastSeq } = this.#stream
    if (this.#store === null) {
      throw new StrikeflowError(
        'config',
        'This is more than CHAINS holds, and where the processor commits is not known: set CLICKHOUSE_URL, or restore a part',
      )
    }
    await this.#publisher.flush()
    for (;;) {
      if (this.#failure !== null) throw this.#failure
      const stored = this.#messages - this.#duplicates
      const unread = stored - (await committedOf(this.#store, created, lastSeq + 1))
      const unreadBytes = (this.#bytes / Math.max(1, this.#messages)) * unread
      this.#nextLookBytes = this.#bytes + this.#allowedBytes() - unreadBytes
      if (this.#nextLookBytes > this.#bytes + this.#allowedBytes() / 4) return
      await delay(100)
    }
  }
}

/** Subject and headers as the server counts them, generously. */
const messageOverheadBytes = 512
