import { copyFile, link, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExportName } from '../../shared/model/export-layout.ts'
import { syncDirectory } from '../../shared/runtime/atomic-file.ts'

export interface ArchiveLimits {
  readonly maxAgeMs: number
  /** Of each document. */
  readonly maxFiles: number
  /** Of each document. */
  readonly maxBytes: number
}

/** `alerts_20260716_140000.json`, in UTC. */
export function archiveName(name: ExportName, timeMs: number): string {
  const iso = new Date(timeMs).toISOString()
  return `${name}_${iso.slice(0, 10).replaceAll('-', '')}_${iso.slice(11, 19).replaceAll(':', '')}.json`
}

/** Returns the time in an archived file's name, null when it is not one of this document. */
export function archiveTimeMs(name: ExportName, file: string): number | null {
  if (!file.startsWith(`${name}_`)) return null
  const found = /^(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)\.json$/.exec(file.slice(name.length + 1))
  if (found === null) return null
  const [, year, month, day, hour, minute, second] = found
  const timeMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(timeMs) ? null : timeMs
}

/**
 * Keeps the present file of a document in the archive under its time, and returns false when that second is already there:
 * an archived file is never replaced. A hard link: the next export renames a new file over the name and this one stays, so
 * nothing is copied.
 */
export async function archiveFile(file: string, archive: string, name: ExportName, timeMs: number): Promise<boolean> {
  await mkdir(archive, { recursive: true })
  const target = join(archive, archiveName(name, timeMs))
  try {
    await link(file, target)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (code === undefined || !['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'EXDEV'].includes(code)) throw error
    await copyWhole(file, target)
  }
  await syncDirectory(archive)
  return true
}

/** For file systems without hard links. */
async function copyWhole(file: string, target: string): Promise<void> {
  const temporary = `${target}.tmp`
  await copyFile(file, temporary)
  await rename(temporary, target)
}

/** Removes a document's archived files beyond the limits, oldest first, and returns how many are left and gone. */
export async function pruneArchive(
  archive: string,
  name: ExportName,
  { maxAgeMs, maxFiles, maxBytes }: ArchiveLimits,
  nowMs: number,
): Promise<{ readonly kept: number; readonly removed: number }> {
  const files = (await readdir(archive))
    .map((file) => ({ path: join(archive, file), timeMs: archiveTimeMs(name, file) }))
    .filter((file): file is { path: string; timeMs: number } => file.timeMs !== null)
    .toSorted((a, b) => b.timeMs - a.timeMs)
  let kept = 0
  let bytes = 0
  let isFull = false
  for (const { path, timeMs } of files) {
    bytes += (await stat(path)).size
    // The newest stays whatever its size: a limit below one document would otherwise keep nothing at all.
    isFull ||= kept >= maxFiles || (bytes > maxBytes && kept > 0) || nowMs - timeMs > maxAgeMs
    if (isFull) await rm(path, { force: true })
    else kept += 1
  }
  return { kept, removed: files.length - kept }
}
