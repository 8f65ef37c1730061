import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { archiveFile, archiveName, archiveTimeMs, pruneArchive } from './archive.ts'
import { writeAtomically } from '../../shared/runtime/atomic-file.ts'

const timeMs = Date.parse('2026-07-16T14:03:05.678Z')
const hourMs = 3_600_000
const unlimited = { maxAgeMs: Infinity, maxFiles: Infinity, maxBytes: Infinity }

let directory: string
let file: string
let archive: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'strikeflow-archive-'))
  file = join(directory, 'alerts.json')
  archive = join(directory, 'archive')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function* content(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text)
}

async function archiveHours(count: number, text = 'x'): Promise<void> {
  for (let hour = 0; hour < count; hour++) {
    await writeAtomically(file, content(text))
    await archiveFile(file, archive, 'alerts', timeMs - hour * hourMs)
  }
}

describe('the archive', () => {
  it('names a file by its document and its time in UTC, and reads the time back', () => {
    expect(archiveName('alerts', timeMs)).toBe('alerts_20260716_140305.json')
    expect(archiveTimeMs('alerts', 'alerts_20260716_140305.json')).toBe(timeMs - 678)
    expect(archiveTimeMs('scans', 'alerts_20260716_140305.json')).toBeNull()
    expect(archiveTimeMs('alerts', 'alerts_20261399_990000.json')).toBeNull()
  })

  it('keeps the content of its time while the document goes on', async () => {
    await writeAtomically(file, content('first'))
    expect(await archiveFile(file, archive, 'alerts', timeMs)).toBe(true)
    await writeAtomically(file, content('second'))
    expect(await readFile(join(archive, 'alerts_20260716_140305.json'), 'utf8')).toBe('first')
  })

  it('never replaces an archived file', async () => {
    await writeAtomically(file, content('first'))
    await archiveFile(file, archive, 'alerts', timeMs)
    await writeAtomically(file, content('second'))
    expect(await archiveFile(file, archive, 'alerts', timeMs)).toBe(false)
    expect(await readFile(join(archive, 'alerts_20260716_140305.json'), 'utf8')).toBe('first')
  })

  it('forgets what is too old', async () => {
    await archiveHours(5)
    expect(await pruneArchive(archive, 'alerts', { ...unlimited, maxAgeMs: 2.5 * hourMs }, timeMs)).toEqual({
      kept: 3,
      removed: 2,
    })
  })

  it('forgets the oldest beyond a number of files', async () => {
    await archiveHours(5)
    await pruneArchive(archive, 'alerts', { ...unlimited, maxFiles: 2 }, timeMs)
    expect((await readdir(archive)).toSorted()).toEqual(['alerts_20260716_130305.json', 'alerts_20260716_140305.json'])
  })

  it('forgets the oldest beyond a size, but never the newest', async () => {
    await archiveHours(5, '12345')
    expect(await pruneArchive(archive, 'alerts', { ...unlimited, maxBytes: 12 }, timeMs)).toEqual({
      kept: 2,
      removed: 3,
    })
    expect(await pruneArchive(archive, 'alerts', { ...unlimited, maxBytes: 1 }, timeMs)).toEqual({
      kept: 1,
      removed: 1,
    })
  })

  it('leaves other documents and other people’s files alone', async () => {
    await archiveHours(1)
    await writeFile(join(archive, 'notes.txt'), 'mine')
    await writeFile(join(archive, 'scans_20200101_000000.json'), '{}')
    await pruneArchive(archive, 'alerts', { maxAgeMs: 0, maxFiles: 0, maxBytes: 0 }, timeMs + hourMs)
    expect((await readdir(archive)).toSorted()).toEqual(['notes.txt', 'scans_20200101_000000.json'])
  })
})
