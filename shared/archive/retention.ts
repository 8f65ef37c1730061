import { readdir, rm, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { syncDirectory } from '../runtime/atomic-file.ts'
import { dayOf, parseEntryName, parseFileName } from './entry.ts'
import { readNames } from './manifest.ts'

const dayMs = 86_400_000

export interface Pruned {
  readonly files: number
  readonly bytes: number
  readonly days: readonly string[]
}

/**
 * Removes the files of days that ended more than `keepDays` before now, entry first: a file without its entry does not count.
 * The day of the newest entry stays whatever its age, because it says where the archive goes on. Files whose entries a killed
 * archiver had removed already go with their day.
 */
export async function pruneDays(directory: string, keepDays: number, nowMs: number): Promise<Pruned> {
  const oldestKept = dayOf(nowMs - keepDays * dayMs)
  const { entries, unlisted } = await readNames(directory)
  const newest = entries.at(-1)
  // A file of a later day may be one whose entry is about to be made.
  const left = unlisted.filter(({ day }) => newest !== undefined && day < newest.day)
  const days = [...new Set([...entries, ...left].map(({ day }) => day))]
    .filter((day) => day < oldestKept && day !== newest?.day)
    .toSorted()
  let files = 0
  let bytes = 0
  for (const day of days) {
    const folder = join(directory, day)
    const names = await readdir(folder)
    await Promise.all(names.filter((name) => parseEntryName(name) !== null).map((name) => rm(join(folder, name))))
    // Before any file is gone: after a power cut no entry may speak for a file that is not there.
    await syncDirectory(folder)
    for (const name of names.filter((name) => parseFileName(name) !== null)) {
      bytes += (await stat(join(folder, name))).size
      files += 1
      await rm(join(folder, name))
    }
    // Not empty when something nobody knows lies in it.
    await rmdir(folder).catch(() => {})
  }
  return { files, bytes, days }
}
