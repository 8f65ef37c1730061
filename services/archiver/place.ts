import type { ArchivePosition, ArchiveWriter } from '../../shared/archive/writer.ts'

interface StreamState {
  readonly created: string
  readonly firstSeq: number
  readonly lastSeq: number
}

interface PlaceDeps {
  readonly stream: string
  readonly state: StreamState
  readonly writer: Pick<ArchiveWriter, 'newest' | 'entriesOf'>
  /** Message id at a sequence of the stream; undefined when there is no message. */
  readonly messageIdAt: (streamSeq: number) => Promise<string | null | undefined>
}

export interface Placed extends ArchivePosition {
  readonly why: 'first start' | 'goes on' | 'stream made anew' | 'stream went back'
}

/**
 * Where the archive goes on, from its manifest and the stream alone. A stream that was made anew, or that lost its end (a power
 * cut, a restored backup) and gives the same sequences to other messages, begins a new run: after the newest file whose last
 * message it still has, else at its first message. Of a stream made anew that is message 1, whether it still has it or not: what it
 * discarded before anybody archived it is missing.
 */
export async function placeArchive({ stream, state, writer, messageIdAt }: PlaceDeps): Promise<Placed> {
  const { created, lastSeq } = state
  // A stream that never had a message says 0.
  const firstSeq = Math.max(1, state.firstSeq)
  const { newest } = writer
  const at = (run: number, fromSeq: number, why: Placed['why']): Placed => ({ stream, created, run, fromSeq, why })
  if (newest === null) return at(1, firstSeq, 'first start')
  if (newest.created !== created) return at(newest.run + 1, 1, 'stream made anew')

  async function isStillThere(toSeq: number, lastMessageId: string | null): Promise<boolean> {
    if (toSeq > lastSeq) return false
    const messageId = await messageIdAt(toSeq)
    // Discarded in the meantime: nothing can be said of it, and nothing has to be.
    return messageId === undefined || messageId === lastMessageId
  }

  if (await isStillThere(newest.toSeq, newest.lastMessageId)) return at(newest.run, newest.toSeq + 1, 'goes on')
  for await (const entry of writer.entriesOf(newest.run)) {
    const mayStay = entry.toSeq >= firstSeq && entry.created === created
    if (mayStay && (await isStillThere(entry.toSeq, entry.lastMessageId)))
      return at(newest.run + 1, entry.toSeq + 1, 'stream went back')
  }
  return at(newest.run + 1, firstSeq, 'stream went back')
}
