import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { exportChecksum, readExportLayout } from '../model/export-layout.ts'
import { sweepOrphans, writeAtomically } from './atomic-file.ts'
import { sizedTest } from '../../tests/support/size.ts'

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'strikeflow-atomic-'))
  path = join(directory, 'chains.json')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function* chunks(...texts: readonly string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text)
}

describe('an atomic write', () => {
  it('replaces the file by the new content and leaves nothing beside it', async () => {
    await writeFile(path, 'old content, longer than the new one')
    expect(await writeAtomically(path, chunks('new ', 'content'))).toBe(11)
    expect(await readFile(path, 'utf8')).toBe('new content')
    expect(await readdir(directory)).toEqual(['chains.json'])
  })

  it('leaves the old file as it was when its content fails half way', async () => {
    await writeFile(path, 'old')
    async function* failing(): AsyncGenerator<Buffer> {
      yield Buffer.from('half of the ne')
      throw new Error('store went away')
    }
    await expect(writeAtomically(path, failing())).rejects.toThrow('store went away')
    expect(await readFile(path, 'utf8')).toBe('old')
    expect(await readdir(directory)).toEqual(['chains.json'])
  })

  it('leaves an open file of the old content readable to its end', async () => {
    await writeFile(path, 'old')
    await using reader = await open(path)
    await writeAtomically(path, chunks('new'))
    expect(await reader.readFile('utf8')).toBe('old')
  })
})

describe('a sweep', () => {
  it('removes unfinished files only', async () => {
    await writeFile(join(directory, '.chains.json.6b8b4567-327b-43c6-b43c-986966334873.tmp'), 'torn')
    await writeFile(join(directory, '.hidden'), 'mine')
    await writeFile(path, 'whole')
    expect(await sweepOrphans(directory)).toBe(1)
    expect((await readdir(directory)).toSorted()).toEqual(['.hidden', 'chains.json'])
  })
})

/** Writes one document after the other, its number on every row, until it is killed. */
const writer = `
  import { encodeExport } from ${JSON.stringify(new URL('../model/export-layout.ts', import.meta.url).href)}
  import { writeAtomically } from ${JSON.stringify(new URL('atomic-file.ts', import.meta.url).href)}
  const [path, first] = process.argv.slice(1)
  for (let number = Number(first); ; number++) {
    const rows = Array.from({ length: 300 }, () => JSON.stringify({ number, text: 'x'.repeat(10000) }))
    await writeAtomically(path, encodeExport({ name: 'chains', timestamp: new Date().toISOString(), count: 300, rows }))
  }`

describe('a writer killed at any moment', () => {
  it('leaves every reader a whole document, never an older one than it had', async () => {
    const kills = sizedTest(4, 40)
    const seen = { reads: 0, newest: -1, orphans: 0 }
    let isDone = false
    const readers = [1, 2].map(() => readUntil(() => isDone, seen))
    for (let round = 0; round < kills; round++) await writeAndKill(round, seen)
    isDone = true
    await Promise.all(readers)
    expect(seen.reads).toBeGreaterThan(kills)
    // Else no kill came in the middle of a write, and the test has shown nothing.
    expect(seen.orphans).toBeGreaterThan(0)
    expect(await readdir(directory)).toEqual(['chains.json'])
  })

  async function writeAndKill(round: number, seen: { newest: number; orphans: number }): Promise<void> {
    const child = spawn(process.execPath, ['--input-type=module', '-e', writer, path, String((round + 1) * 1000)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const exited = once(child, 'exit')
    // Until a reader has seen this writer's work and the next document is on its way.
    while (seen.newest < (round + 1) * 1000 || !(await hasUnfinished())) await stillRunning(child)
    child.kill('SIGKILL')
    await exited
    seen.orphans += await sweepOrphans(directory)
  }

  const hasUnfinished = async (): Promise<boolean> => (await readdir(directory)).some((name) => name.endsWith('.tmp'))

  async function stillRunning(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null) throw new Error('the writer ended by itself')
    await turn()
  }

  async function readUntil(isDone: () => boolean, seen: { reads: number; newest: number }): Promise<void> {
    let newestHere = -1
    while (!isDone()) {
      const bytes = await readFile(path).catch(() => null)
      await turn()
      if (bytes === null) continue
      const layout = readExportLayout('chains', bytes)
      expect(exportChecksum(layout.covered)).toBe(layout.checksum)
      const numbers = new Set(layout.rows.map((row) => (JSON.parse(row.toString()) as { number: number }).number))
      expect(numbers.size).toBe(1)
      const [number = -1] = numbers
      expect(number).toBeGreaterThanOrEqual(newestHere)
      newestHere = number
      seen.newest = Math.max(seen.newest, number)
      seen.reads += 1
    }
  }
})
