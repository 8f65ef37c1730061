import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { PlacedEntry } from '../../shared/archive/entry.ts'
import type { RawMessage } from '../../shared/archive/message.ts'
import type { ArchivePosition, ArchiveWriter } from '../../shared/archive/writer.ts'
import { StrikeflowError } from '../../shared/model/errors.ts'
import { writeAtomically } from '../../shared/runtime/atomic-file.ts'

type Writer = Pick<ArchiveWriter, 'write'>
export type SetAside = (message: RawMessage, error: unknown) => Promise<void>

/**
 * Writes messages as one file, or as several where one message cannot be in any: halves are tried until that message is alone, and
 * it is handed to `setAside`. So no message stops the archive, whatever is in it. Failures of the disk and a second archiver are
 * no fault of a message and are thrown.
 */
export async function* writeMessages(
  writer: Writer,
  position: ArchivePosition,
  messages: readonly RawMessage[],
  setAside: SetAside,
): AsyncGenerator<PlacedEntry, void, void> {
  const written = await tryToWrite(writer, position, messages)
  if ('entry' in written) {
    yield written.entry
    return
  }
  const [only] = messages
  if (only === undefined) return
  if (messages.length === 1) return setAside(only, written.error)
  const half = messages.length >> 1
  let { fromSeq } = position
  for (const part of [messages.slice(0, half), messages.slice(half)]) {
    for await (const entry of writeMessages(writer, { ...position, fromSeq }, part, setAside)) {
      fromSeq = entry.toSeq + 1
      yield entry
    }
  }
}

async function tryToWrite(
  writer: Writer,
  position: ArchivePosition,
  messages: readonly RawMessage[],
): Promise<{ readonly entry: PlacedEntry } | { readonly error: unknown }> {
  try {
    return { entry: await writer.write(position, messages) }
  } catch (error) {
    if (error instanceof StrikeflowError || isOfTheSystem(error)) throw error
    return { error }
  }
}

const isOfTheSystem = (error: unknown): boolean => (error as NodeJS.ErrnoException).syscall !== undefined

/** Keeps a message that no file can hold, to the byte, in a file of its own beside the days of the archive. */
export async function keepAside(directory: string, run: number, message: RawMessage): Promise<string> {
  const folder = join(directory, 'set-aside')
  await mkdir(folder, { recursive: true })
  const path = join(folder, `${run}-${message.streamSeq}.json`)
  const { headers, payload, ...facts } = message
  const kept = { ...facts, headers: [...headers], payloadBase64: Buffer.from(payload).toString('base64') }
  await writeAtomically(path, [new TextEncoder().encode(`${JSON.stringify(kept)}\n`)])
  return path
}
