import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { StrikeflowError } from '../model/errors.ts'
import { entryName, missingRanges, type PlacedEntry } from './entry.ts'
import { type DamagedFile, readManifest } from './manifest.ts'
import { loadFile, type ReadProgress } from './reader.ts'

export interface ArchiveAudit {
  readonly files: number
  readonly messages: number
  readonly contracts: number
  readonly bytes: number
  readonly runs: number
  /** Files and entries that are not what they were when they were written, or gone. */
  readonly damaged: readonly DamagedFile[]
  /** Entries that should be between two others of a run, or overlap. */
  readonly breaks: readonly string[]
  /** Messages the stream had discarded before they could be archived. */
  readonly missingMessages: number
  /** Files without an entry, which a killed writer left; the next start of the archiver takes them in. */
  readonly unlisted: readonly string[]
}

/** Reads every file of an archive and compares it with the manifest, and the manifest with itself. */
export async function verifyArchive(
  directory: string,
  onProgress?: (progress: ReadProgress) => void,
): Promise<ArchiveAudit> {
  const { entries: listed, damaged: damagedEntries, unlisted } = await readManifest(directory)
  const damaged = [...damagedEntries]
  const entries: PlacedEntry[] = []
  const totalBytes = listed.reduce((sum, { bytes }) => sum + bytes, 0)
  let bytes = 0
  for (const [index, entry] of listed.entries()) {
    const problem = await problemOf(directory, entry)
    bytes += entry.bytes
    onProgress?.({ files: index + 1, totalFiles: listed.length, bytes, totalBytes })
    if (problem !== null && (await isPruned(directory, entry))) continue
    if (problem !== null) damaged.push({ path: join(entry.day, entry.file), problem })
    entries.push(entry)
  }
  const sum = (of: (entry: PlacedEntry) => number): number => entries.reduce((n, entry) => n + of(entry), 0)
  return {
    files: entries.length,
    messages: sum(({ messages }) => messages),
    contracts: sum(({ contracts }) => contracts),
    bytes,
    runs: new Set(entries.map(({ run }) => run)).size,
    damaged,
    breaks: chainBreaks(entries),
    missingMessages: sum(({ missing }) => missing.reduce((n, [first, last]) => n + last - first + 1, 0)),
    unlisted: unlisted.map(({ day, name }) => join(day, name)),
  }
}

/** The retention of a running archiver takes entries first: a file that is gone with its entry is no damage. */
const isPruned = (directory: string, entry: PlacedEntry): Promise<boolean> =>
  stat(join(directory, entry.day, entryName(entry))).then(
    () => false,
    ({ code }: NodeJS.ErrnoException) => code === 'ENOENT',
  )

async function problemOf(directory: string, entry: PlacedEntry): Promise<string | null> {
  try {
    const { head, messages } = await loadFile(directory, entry)
    const isSame =
      head.run === entry.run &&
      head.fromSeq === entry.fromSeq &&
      head.toSeq === entry.toSeq &&
      messages.at(-1)?.streamSeq === entry.toSeq &&
      JSON.stringify(missingRanges(head, messages)) === JSON.stringify(entry.missing)
    return isSame ? null : 'holds other messages than the manifest says'
  } catch (error) {
    if (error instanceof StrikeflowError) return error.message
    throw error
  }
}

/** Where a run is not one unbroken sequence of files. Its beginning may be gone: retention takes the oldest. */
export function chainBreaks(entries: readonly PlacedEntry[]): readonly string[] {
  const breaks: string[] = []
  entries.forEach((entry, index) => {
    const before = entries[index - 1]
    if (before === undefined || before.run !== entry.run || before.toSeq + 1 === entry.fromSeq) return
    const what = before.toSeq + 1 < entry.fromSeq ? 'no file for' : 'two files for'
    const [low, high] = [before.toSeq + 1, entry.fromSeq - 1].toSorted((a, b) => a - b)
    breaks.push(`run ${entry.run}: ${what} messages ${low} to ${high}`)
  })
  return breaks
}
