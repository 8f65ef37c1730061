import { statfs } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { type ArchiveEntry, dayOf, missingRanges } from '../../shared/archive/entry.ts'
import type { RawMessage } from '../../shared/archive/message.ts'
import { pruneDays } from '../../shared/archive/retention.ts'
import { type ArchiveWriter, openArchiveWriter } from '../../shared/archive/writer.ts'
import type { Bus } from '../../shared/bus/connect.ts'
import { StreamResetError } from '../../shared/bus/errors.ts'
import { publishDiscarded } from '../../shared/bus/gaps.ts'
import { messageAt } from '../../shared/bus/messages.ts'
import { openOrderedSource, type OrderedSource } from '../../shared/bus/ordered-source.ts'
import type { Publisher } from '../../shared/bus/publisher.ts'
import { streamInfo } from '../../shared/bus/streams.ts'
import { StrikeflowError } from '../../shared/model/errors.ts'
import type { Clock } from '../../shared/runtime/clock.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import type { Service } from '../../shared/runtime/run-service.ts'
import type { ArchiverSettings } from './config.ts'
import { LagWatch } from './lag-watch.ts'
import type { ArchiverMetrics } from './metrics.ts'
import { type Placed, placeArchive } from './place.ts'
import { keepAside, writeMessages } from './write-messages.ts'

const stream = 'CHAINS'
const asReader = { service: 'archiver', participle: 'archived', reason: 'not_archived' } as const
const filterSubject = 'chains.raw.>'
const tickMs = 200
const mebibyte = 1024 ** 2

export interface ArchiverDeps {
  readonly bus: Bus
  readonly publisher: Pick<Publisher, 'publish'>
  readonly settings: ArchiverSettings
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: ArchiverMetrics
  readonly onReady: () => void
}

interface Batch {
  readonly messages: RawMessage[]
  readonly openedAtMs: number
  bytes: number
}

/**
 * Consumes CHAINS and writes its messages, to the byte, as files.
 *
 * Where it goes on after any end is read from the archive's manifest, which has an entry for each complete file and nothing
 * else; so a kill at any moment loses and doubles nothing. What is not in a file yet is still in the stream. While the disk
 * does not take a file nothing more is read than one file's worth; the lag guard says when the stream is about to discard
 * what is not archived yet.
 */
export class Archiver implements Service {
  readonly name = 'archiver'
  readonly #deps: ArchiverDeps
  readonly #lag: LagWatch
  #writer: ArchiveWriter | null = null
  #position: Placed | null = null
  #batch: Batch | null = null
  /** Writes follow each other; reading goes on meanwhile. */
  #writing: Promise<void> = Promise.resolve()
  #isWriting = false
  #problem: string | null = null
  #prunedDays: string | null = null
  #isTicking = false
  #noticedSeq = 0
  readonly #written = { files: 0, bytes: 0 }

  constructor(deps: ArchiverDeps) {
    this.#deps = deps
    this.#lag = new LagWatch({ ...deps, stream })
  }

  /** Why it cannot do its work; empty when it can. */
  reasonsNotReady(): readonly string[] {
    return [
      ...(this.#position === null ? ['not consuming'] : []),
      ...(this.#deps.bus.status() === 'connected' ? [] : ['NATS is away']),
      ...(this.#problem === null ? [] : [`cannot write: ${this.#problem}`]),
      ...this.#lag.reasons(),
    ]
  }

  status(): Readonly<Record<string, number | string | null>> {
    const { files, bytes } = this.#written
    return {
      state: this.#problem ?? 'ok',
      filesWritten: files,
      bytesWritten: bytes,
      archivedSeq: this.#position === null ? null : this.#position.fromSeq - 1,
      behind: this.#lag.messages,
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#untilWritten(signal, async () => {
      const { directory, pauseInWriteMs } = this.#deps.settings
      this.#writer = await openArchiveWriter({ directory, log: this.#deps.log, pauseMs: pauseInWriteMs })
    })
    if (signal.aborted) return
    const { writer } = this.#opened()
    const position = await this.#place(writer)
    await using source = await openOrderedSource(this.#deps.bus, { stream, filterSubject, fromSeq: position.fromSeq })
    this.#position = position
    this.#deps.metrics.archivedSeq.set(position.fromSeq - 1)
    this.#deps.onReady()
    const stopReading = (): void => void source[Symbol.asyncDispose]()
    signal.addEventListener('abort', stopReading)
    if (signal.aborted) stopReading()
    try {
      await this.#readAndWatch(source, signal)
    } finally {
      signal.removeEventListener('abort', stopReading)
    }
  }

  async #place(writer: ArchiveWriter): Promise<Placed> {
    const { bus, log } = this.#deps
    const state = await streamInfo(bus, stream)
    const messageIdAt = async (streamSeq: number): Promise<string | null | undefined> =>
      (await messageAt(bus, stream, streamSeq))?.messageId
    const position = await placeArchive({ stream, state, writer, messageIdAt })
    const { run, fromSeq, why } = position
    const level = why === 'stream made anew' || why === 'stream went back' ? 'warn' : 'info'
    log[level]({ run, fromSeq, why }, 'archive placed')
    return position
  }

  /** Whatever fails ends both; what was read before is written even then, except at a failure to write. */
  async #readAndWatch(source: OrderedSource, signal: AbortSignal): Promise<void> {
    const failed = Promise.withResolvers<never>()
    failed.promise.catch(() => {})
    const ticking = setInterval(() => void this.#tick(signal).catch(failed.reject), tickMs)
    const { settings } = this.#deps
    const watching = setInterval(() => void this.#watchLag(), settings.lagCheckMs)
    try {
      await Promise.race([this.#read(source, signal), failed.promise])
    } catch (error) {
      // These messages are of the stream as it was; nobody will deliver them again.
      if (error instanceof StreamResetError) await this.#writeLast()
      throw error
    } finally {
      clearInterval(ticking)
      clearInterval(watching)
    }
    await this.#writeLast()
  }

  async #read(source: OrderedSource, signal: AbortSignal): Promise<void> {
    const limit = this.#deps.settings.fileMebibytes * mebibyte
    for await (const { streamSeq, subject, headers, payload, storedAtMs } of source) {
      this.#batch ??= { messages: [], bytes: 0, openedAtMs: performance.now() }
      this.#batch.messages.push({ streamSeq, subject, headers, payload, storedAtMs })
      this.#batch.bytes += payload.byteLength + overheadOf(subject, headers)
      if (this.#batch.bytes < limit) continue
      // One file is being written and one is full: nothing more is asked for until the first is done.
      await this.#writing
      if (signal.aborted) return
      this.#startWrite(signal)
    }
  }

  async #tick(signal: AbortSignal): Promise<void> {
    if (this.#isTicking) return
    this.#isTicking = true
    try {
      await this.#writeWhenDue(signal)
      await this.#prune()
    } finally {
      this.#isTicking = false
    }
  }

  async #writeWhenDue(signal: AbortSignal): Promise<void> {
    const { settings } = this.#deps
    const isDue = this.#batch !== null && performance.now() - this.#batch.openedAtMs >= settings.fileSeconds * 1000
    if (isDue && !this.#isWriting) this.#startWrite(signal)
    await this.#writing
  }

  #startWrite(signal: AbortSignal): void {
    const batch = this.#batch
    if (batch === null) return
    this.#batch = null
    this.#isWriting = true
    this.#writing = this.#untilWritten(
      signal,
      () => this.#write(batch),
      () => this.#giveBack(batch),
    ).finally(() => {
      this.#isWriting = false
    })
    // Told by the next tick, and by whoever waits for it; never by the process.
    this.#writing.catch(() => {})
  }

  /** At the stop: once more with what came since. */
  #giveBack(batch: Batch): void {
    this.#batch = { ...batch, messages: [...batch.messages, ...(this.#batch?.messages ?? [])] }
  }

  async #writeLast(): Promise<void> {
    await this.#writing
    const batch = this.#batch
    this.#batch = null
    if (batch === null) return
    try {
      await this.#write(batch)
    } catch (err) {
      if (err instanceof StrikeflowError && !err.retryable) throw err
      this.#deps.log.warn(
        { err, messages: batch.messages.length },
        'last file not written, its messages stay in the stream',
      )
    }
  }

  async #write(batch: Batch): Promise<void> {
    const { writer, position } = this.#placed()
    await checkRoom(this.#deps.settings)
    // Some may be in a file already, where the disk took one part and not the next.
    const messages = batch.messages.filter(({ streamSeq }) => streamSeq >= position.fromSeq)
    let began = performance.now()
    for (const range of missingRanges(position, messages)) await this.#tellGap(position, range)
    const { stream, created, run, fromSeq } = position
    const setAside = (message: RawMessage, err: unknown): Promise<void> => this.#setAside(run, message, err)
    for await (const entry of writeMessages(writer, { stream, created, run, fromSeq }, messages, setAside)) {
      this.#position = { ...position, fromSeq: entry.toSeq + 1 }
      this.#noteWritten(entry, (performance.now() - began) / 1000)
      began = performance.now()
    }
  }

  #noteWritten(entry: ArchiveEntry, seconds: number): void {
    const { metrics, clock, log } = this.#deps
    this.#written.files += 1
    this.#written.bytes += entry.bytes
    metrics.files.inc()
    metrics.messages.inc(entry.messages)
    metrics.contracts.inc(entry.contracts)
    metrics.bytes.inc(entry.bytes)
    metrics.archivedSeq.set(entry.toSeq)
    metrics.newestFileTimestamp.set(clock() / 1000)
    metrics.writeSeconds.observe(seconds)
    log.debug({ file: entry.file, messages: entry.messages, bytes: entry.bytes }, 'archive file written')
  }

  /** Keeps a message that no archive file can hold, and goes on without it. */
  async #setAside(run: number, message: RawMessage, err: unknown): Promise<void> {
    const { settings, metrics, log } = this.#deps
    const path = await keepAside(settings.directory, run, message)
    // Its sequence is missing from the files, but nothing discarded it.
    this.#noticedSeq = Math.max(this.#noticedSeq, message.streamSeq)
    metrics.setAside.inc()
    log.error({ err, streamSeq: message.streamSeq, path }, 'message cannot be archived, set aside')
  }

  /** Once, however often the file is tried. */
  async #tellGap(position: Placed, [fromSeq, toSeq]: readonly [number, number]): Promise<void> {
    const { metrics, publisher, clock, log } = this.#deps
    if (toSeq <= this.#noticedSeq) return
    this.#noticedSeq = toSeq
    metrics.lostMessages.inc(toSeq - fromSeq + 1)
    log.error({ fromSeq, toSeq }, 'stream discarded messages before they were archived')
    try {
      const { created } = position
      await publishDiscarded(publisher, asReader, { stream, created, fromSeq, toSeq, noticedAtMs: clock() })
    } catch (err) {
      log.error({ err, fromSeq, toSeq }, 'gap notice not published')
    }
  }

  /** Tries until the disk takes it; at the stop `onStopped` is called instead. */
  async #untilWritten(signal: AbortSignal, write: () => Promise<void>, onStopped = (): void => {}): Promise<void> {
    const { log, metrics, settings } = this.#deps
    for (;;) {
      try {
        await write()
        if (this.#problem !== null) log.info('archive can be written again')
        this.#problem = null
        return
      } catch (err) {
        if (!isOfTheDisk(err)) throw err
        metrics.writeErrors.inc()
        if (this.#problem === null) log.error({ err }, 'archive cannot be written, trying on')
        this.#problem = (err as Error).message
      }
      await delay(settings.retryMs, undefined, { signal }).catch(() => {})
      if (signal.aborted) {
        onStopped()
        return
      }
    }
  }

  /** At the start, and whenever a day begins, by the clock or in the archive. */
  async #prune(): Promise<void> {
    const { settings, clock, log, metrics } = this.#deps
    // The newest day stays; once there is a newer one it is due.
    const days = `${dayOf(clock())} ${this.#writer?.newest?.day}`
    if (settings.retentionDays === 0 || this.#prunedDays === days) return
    this.#prunedDays = days
    try {
      const pruned = await pruneDays(settings.directory, settings.retentionDays, clock())
      if (pruned.days.length === 0) return
      metrics.prunedFiles.inc(pruned.files)
      log.info({ ...pruned, retentionDays: settings.retentionDays }, 'archive days removed by the retention')
    } catch (err) {
      log.warn({ err }, 'archive days could not be removed')
    }
  }

  async #watchLag(): Promise<void> {
    if (this.#position !== null) await this.#lag.look(this.#position.fromSeq - 1)
  }

  #opened(): { readonly writer: ArchiveWriter } {
    if (this.#writer === null) throw new TypeError('Expected an open archive')
    return { writer: this.#writer }
  }

  #placed(): { readonly writer: ArchiveWriter; readonly position: Placed } {
    if (this.#position === null) throw new TypeError('Expected a placed archive')
    return { ...this.#opened(), position: this.#position }
  }
}

/** What a message takes in memory and in its file beside its payload: a flood of empty ones must fill a file as well. */
const overheadOf = (subject: string, headers: RawMessage['headers']): number => {
  let bytes = 128 + subject.length
  for (const [name, value] of headers) bytes += name.length + value.length + 16
  return bytes
}

/** What a person or time can mend: full, read-only, no permission. */
const isOfTheDisk = (error: unknown): boolean =>
  error instanceof StrikeflowError ? error.retryable : (error as NodeJS.ErrnoException).syscall !== undefined

async function checkRoom({ directory, minFreeMebibytes }: ArchiverSettings): Promise<void> {
  const { bavail, bsize } = await statfs(directory)
  const freeMebibytes = (bavail * bsize) / mebibyte
  if (freeMebibytes >= minFreeMebibytes) return
  throw new StrikeflowError(
    'internal',
    `${Math.floor(freeMebibytes)} MiB free on the disk of ${directory}, fewer than ${minFreeMebibytes} (ARCHIVER_MIN_FREE_MEBIBYTES)`,
    { retryable: true },
  )
}
