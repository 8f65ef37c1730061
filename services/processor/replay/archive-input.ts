import type { PlacedEntry } from '../../../shared/archive/entry.ts'
import { readManifest } from '../../../shared/archive/manifest.ts'
import { type ArchivedMessage, messageIdOf } from '../../../shared/archive/message.ts'
import { loadFile } from '../../../shared/archive/reader.ts'
import { type Delivery, deliveryOf } from '../../../shared/bus/ordered-source.ts'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import { createdOf } from '../delivery/place.ts'
import type { InputSource, WantedMessage } from './inputs.ts'

/** Files kept unpacked: partitions are a little apart, and where a stream was filled again its order is another one. */
const keptFiles = 4

type File = ReadonlyMap<number, ArchivedMessage>

interface Place {
  readonly entry: PlacedEntry
  readonly streamSeq: number
}

/** The raw archive. */
export async function openArchiveInput(directory: string): Promise<InputSource> {
  const { entries } = await readManifest(directory)
  return new ArchiveInput(directory, entries)
}

class ArchiveInput implements InputSource {
  readonly name = 'archive'
  readonly #directory: string
  readonly #entries: readonly PlacedEntry[]
  /** In the order of use, the newest last. */
  readonly #files = new Map<PlacedEntry, File | string>()
  #copies: ReadonlyMap<string, Place> | null = null

  constructor(directory: string, entries: readonly PlacedEntry[]) {
    this.#directory = directory
    this.#entries = entries
  }

  async at(wanted: WantedMessage): Promise<Delivery | string> {
    const reasons: string[] = []
    for (const entry of this.#holding(wanted)) {
      const found = await this.#in({ entry, streamSeq: wanted.streamSeq }, wanted)
      if (typeof found !== 'string') return found
      reasons.push(found)
    }
    // A stream that was filled again from the archive holds copies: the same bytes under other sequences.
    const copy = wanted.messageId === '' ? undefined : (await this.#copiesById()).get(wanted.messageId)
    const found = copy === undefined ? 'it is not archived' : await this.#in(copy, wanted)
    return typeof found === 'string' && reasons.length > 0 ? reasons.join('; ') : found
  }

  #holding({ incarnation, streamSeq }: WantedMessage): readonly PlacedEntry[] {
    const created = createdOf(incarnation)
    return this.#entries.filter(
      (entry) => entry.created === created && entry.fromSeq <= streamSeq && streamSeq <= entry.toSeq,
    )
  }

  async #in({ entry, streamSeq }: Place, wanted: WantedMessage): Promise<Delivery | string> {
    const file = await this.#file(entry)
    if (typeof file === 'string') return file
    const message = file.get(streamSeq)
    if (message === undefined) return `${entry.file} has no message there`
    if ((messageIdOf(message) ?? '') !== wanted.messageId) return `${entry.file} has another message there`
    return deliveryOf({ ...message, streamSeq: wanted.streamSeq, previousSeq: wanted.previousSeq, pendingCount: 0 })
  }

  async #file(entry: PlacedEntry): Promise<File | string> {
    const file = this.#files.get(entry) ?? (await this.#load(entry))
    this.#files.delete(entry)
    this.#files.set(entry, file)
    const [oldest] = this.#files.keys()
    if (this.#files.size > keptFiles && oldest !== undefined) this.#files.delete(oldest)
    return file
  }

  async #load(entry: PlacedEntry): Promise<File | string> {
    try {
      const { messages } = await loadFile(this.#directory, entry)
      return new Map(messages.map((message) => [message.streamSeq, message]))
    } catch (error) {
      if (!(error instanceof StrikeflowError)) throw error
      return `${entry.day}/${entry.file}: ${error.message}`
    }
  }

  /** Where each message id lies first. Reads every file once, so it is made only when it is needed. */
  async #copiesById(): Promise<ReadonlyMap<string, Place>> {
    if (this.#copies !== null) return this.#copies
    const copies = new Map<string, Place>()
    for (const entry of this.#entries) {
      const file = await this.#file(entry)
      if (typeof file === 'string') continue
      for (const [streamSeq, message] of file) {
        const id = messageIdOf(message)
        if (id !== null && !copies.has(id)) copies.set(id, { entry, streamSeq })
      }
    }
    this.#copies = copies
    return copies
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#files.clear()
  }
}
