import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, type FileHandle, link, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Permission bits of a file that holds no secret. */
const publicMode = 0o644
/** Only names that are made below: a folder may hold somebody else's hidden files. */
const temporaryPattern = /^\..+\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/

/**
 * Replaces a file by new content, so that a reader at any moment and a crash at any point leave the whole old or the whole
 * new file: written beside it, synced, renamed over it, and the rename synced. Returns the bytes written.
 */
export async function writeAtomically(path: string, chunks: Chunks, mode = publicMode): Promise<number> {
  // In the same directory: a rename across file systems is a copy, and a copy can tear.
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`)
  try {
    const bytes = await writeSynced(temporary, chunks, mode)
    await rename(temporary, path)
    await syncDirectory(dirname(path))
    return bytes
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/**
 * Creates a file, whole or not at all, synced as above. Returns false and changes nothing when there is one of that name: of
 * two that come at the same moment one creates it.
 */
export async function createAtomically(path: string, chunks: Chunks, mode = publicMode): Promise<boolean> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`)
  try {
    await writeSynced(temporary, chunks, mode)
    if (!(await linked(temporary, path))) return false
  } finally {
    await rm(temporary, { force: true })
  }
  await syncDirectory(dirname(path))
  return true
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (code === undefined || !['EPERM', 'ENOTSUP', 'EOPNOTSUPP'].includes(code)) throw error
    // No hard links there: one of two still wins, but a power cut may leave it torn, which its checksum then shows.
    return await copyFile(from, to, constants.COPYFILE_EXCL).then(
      () => true,
      (failure: NodeJS.ErrnoException) => {
        if (failure.code === 'EEXIST') return false
        throw failure
      },
    )
  }
}

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

async function writeSynced(path: string, chunks: Chunks, mode: number): Promise<number> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
  await using file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode)
  let bytes = 0
  for await (const chunk of chunks) {
    await writeWhole(file, chunk)
    bytes += chunk.byteLength
  }
  await file.sync()
  return bytes
}

/** One write may take fewer bytes than it was given. */
async function writeWhole(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.byteLength;) offset += (await file.write(chunk, offset)).bytesWritten
}

/** A rename is only safe from a power cut once its directory is on disk. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, constants.O_RDONLY)
  await directory.sync()
}

/** Removes what a killed writer left behind and returns how many. Only for a directory with one writer. */
export async function sweepOrphans(directory: string): Promise<number> {
  const orphans = (await readdir(directory)).filter((name) => temporaryPattern.test(name))
  await Promise.all(orphans.map((name) => rm(join(directory, name), { force: true })))
  return orphans.length
}
