import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ArchiveEntry, decodeEntry, isDay, parseEntryName, parseFileName, type PlacedEntry } from './entry.ts'

export interface NamedFile {
  readonly day: string
  readonly name: string
}

export interface EntryName extends NamedFile {
  readonly run: number
  readonly fromSeq: number
}

export interface DataFileName extends EntryName {
  readonly toSeq: number
}

export interface ArchiveNames {
  /** In order of runs and sequences. */
  readonly entries: readonly EntryName[]
  /** Data files that no entry speaks for: a writer was killed between the two. */
  readonly unlisted: readonly DataFileName[]
}

const inOrder = (a: EntryName, b: EntryName): number => a.run - b.run || a.fromSeq - b.fromSeq

/** Reads the names of an archive; an archive that is not there yet has none. */
export async function readNames(directory: string): Promise<ArchiveNames> {
  const days = (await namesIn(directory)).filter(isDay).toSorted()
  const entries: EntryName[] = []
  const files: DataFileName[] = []
  for (const day of days) {
    for (const name of await namesIn(join(directory, day))) {
      const entry = parseEntryName(name)
      const file = parseFileName(name)
      if (entry !== null) entries.push({ day, name, ...entry })
      else if (file !== null) files.push({ day, name, ...file })
    }
  }
  const listed = new Set(entries.map(keyOf))
  return {
    entries: entries.toSorted(inOrder),
    unlisted: files.filter((file) => !listed.has(keyOf(file))).toSorted(inOrder),
  }
}

const keyOf = ({ run, fromSeq }: EntryName): string => `${run}/${fromSeq}`

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Throws StrikeflowError `decode` for an entry that is damaged; returns null for one that has been removed meanwhile. */
export async function readEntry(directory: string, { day, name }: NamedFile): Promise<PlacedEntry | null> {
  try {
    const entry: ArchiveEntry = decodeEntry(await readFile(join(directory, day, name)))
    return { ...entry, day }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

export interface DamagedFile {
  /** Under the archive's directory. */
  readonly path: string
  readonly problem: string
}

export interface Manifest {
  readonly entries: readonly PlacedEntry[]
  readonly damaged: readonly DamagedFile[]
  readonly unlisted: readonly DataFileName[]
}

/** Reads the whole manifest. What cannot be read is named, not thrown. */
export async function readManifest(directory: string): Promise<Manifest> {
  const { entries: names, unlisted } = await readNames(directory)
  const entries: PlacedEntry[] = []
  const damaged: DamagedFile[] = []
  for (const name of names) {
    try {
      const entry = await readEntry(directory, name)
      if (entry !== null) entries.push(entry)
    } catch (error) {
      damaged.push({ path: join(name.day, name.name), problem: (error as Error).message })
    }
  }
  return { entries, damaged, unlisted }
}
