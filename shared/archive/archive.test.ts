import { rmSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { marketOpenMs, minuteMs, testMessage } from '../../tests/support/archived-messages.ts'
import { silentLog } from '../../tests/support/nats.ts'
import type { DamagedFile } from './manifest.ts'
import { readManifest } from './manifest.ts'
import type { ArchivedMessage, RawMessage } from './message.ts'
import { readArchive, type ReadArchiveOptions } from './reader.ts'
import { pruneDays } from './retention.ts'
import { verifyArchive } from './verify.ts'
import { type ArchiveWriter, openArchiveWriter } from './writer.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'strikeflow-archive-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const open = (): Promise<ArchiveWriter> => openArchiveWriter({ directory, log: silentLog })
const at = (fromSeq: number, run = 1) => ({ stream: 'CHAINS', created: `t${run}`, run, fromSeq })
const range = (from: number, to: number, underlying?: string): readonly RawMessage[] =>
  Array.from({ length: to - from + 1 }, (_, i) => testMessage(from + i, underlying))

async function readAll(options: Partial<ReadArchiveOptions> = {}): Promise<readonly ArchivedMessage[]> {
  const messages: ArchivedMessage[] = []
  for await (const message of readArchive({ directory, ...options })) messages.push(message)
  return messages
}
const sequences = async (options: Partial<ReadArchiveOptions> = {}): Promise<readonly number[]> =>
  (await readAll(options)).map(({ streamSeq }) => streamSeq)

/** The one data file, or the n-th. */
async function dataFile(n = 0): Promise<string> {
  const [day = ''] = await readdir(directory)
  const names = (await readdir(join(directory, day))).filter((name) => name.endsWith('.arrows.zst')).toSorted()
  return join(directory, day, names[n] ?? '')
}
const entryFile = async (n = 0): Promise<string> => (await dataFile(n)).replace(/-\d{12}\.\w{8}\.arrows\.zst$/, '.json')

async function flipByte(path: string): Promise<void> {
  const bytes = await readFile(path)
  const middle = bytes.byteLength >> 1
  bytes[middle] = (bytes[middle] ?? 0) ^ 1
  await writeFile(path, bytes)
}

describe('an archive', () => {
  it('gives back every message to the byte, with subject, headers and times', async () => {
    const writer = await open()
    const strange = testMessage(3, 'BRK.B', {
      payload: Uint8Array.from([0, 255, 1]),
      headers: new Map([
        ['X-Blank', ''],
        ['Nats-Msg-Id', 'ümläut "quoted"'],
      ]),
    })
    const empty = testMessage(4, '^SPX', { payload: new Uint8Array(0), headers: new Map() })
    const messages = [...range(1, 2), strange, empty]
    await writer.write(at(1), messages)
    const back = await readAll()
    expect(back).toMatchObject(messages)
    expect(back.map(({ headers, payload }) => [headers, payload])).toEqual(
      messages.map(({ headers, payload }) => [headers, payload]),
    )
    expect(back.map(({ marketTimeMs }) => marketTimeMs)).toEqual([
      marketOpenMs + minuteMs,
      marketOpenMs + 2 * minuteMs,
      null,
      null,
    ])
    expect(back.every(({ payload }) => payload.byteOffset % 8 === 0)).toBe(true)
  })

  it('says in its manifest what each file holds', async () => {
    const writer = await open()
    await writer.write(at(1), [...range(1, 2), testMessage(5, 'AAPL')])
    const { entries } = await readManifest(directory)
    expect(entries).toMatchObject([
      {
        day: '2026-11-16',
        run: 1,
        fromSeq: 1,
        toSeq: 5,
        messages: 3,
        contracts: 9,
        missing: [[3, 4]],
        lastMessageId: 'id-5',
        underlyings: ['AAPL', 'SPY'],
        firstMarketTimeMs: marketOpenMs + minuteMs,
        lastMarketTimeMs: marketOpenMs + 5 * minuteMs,
      },
    ])
    expect(await verifyArchive(directory)).toMatchObject({ damaged: [], breaks: [], missingMessages: 2, messages: 3 })
  })

  it('goes on where its manifest ends', async () => {
    const writer = await open()
    expect(writer.newest).toBe(null)
    await writer.write(at(1), range(1, 3))
    await writer.write(at(4), range(4, 4))
    expect((await open()).newest).toMatchObject({ fromSeq: 4, toSeq: 4 })
  })

  it('reads a range of market times, of stored times and of underlyings, in stream order', async () => {
    const writer = await open()
    await writer.write(at(1), [...range(1, 3), ...range(4, 5, 'AAPL')])
    await writer.write(at(6), range(6, 9))
    const time = (minutes: number): number => marketOpenMs + minutes * minuteMs
    expect(await sequences()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(await sequences({ fromMs: time(3), toMs: time(7) })).toEqual([3, 4, 5, 6])
    expect(await sequences({ fromMs: time(3), toMs: time(7), time: 'stored' })).toEqual([3, 4, 5, 6])
    expect(await sequences({ fromMs: time(3) + 500, toMs: time(3) + 1500, time: 'stored' })).toEqual([3])
    expect(await sequences({ underlyings: ['AAPL'] })).toEqual([4, 5])
    expect(await sequences({ underlyings: ['TSLA'] })).toEqual([])
  })

  it('reads no file that cannot hold what is wanted', async () => {
    const writer = await open()
    await writer.write(at(1), range(1, 2))
    await writer.write(at(3), range(3, 4, 'AAPL'))
    await flipByte(await dataFile(0))
    expect(await sequences({ underlyings: ['AAPL'] })).toEqual([3, 4])
    expect(await sequences({ fromMs: marketOpenMs + 3 * minuteMs })).toEqual([3, 4])
  })

  it('gives a message of several runs once, and those that share only a sequence all', async () => {
    const writer = await open()
    await writer.write(at(1), range(1, 3))
    const copy = testMessage(1, 'SPY', { headers: testMessage(2).headers })
    await writer.write(at(1, 2), [copy, testMessage(2, 'SPY', { headers: new Map([['Nats-Msg-Id', 'new']]) })])
    expect((await readAll()).map(({ run, streamSeq }) => [run, streamSeq])).toEqual([
      [1, 1],
      [1, 2],
      [1, 3],
      [2, 2],
    ])
  })
})

describe('a damaged archive', () => {
  beforeEach(async () => {
    const writer = await open()
    for (const seq of [1, 3, 5]) await writer.write(at(seq), range(seq, seq + 1))
  })

  it.each([
    ['a flipped bit', flipByte, 'does not match its checksum'],
    ['a cut', (path: string) => cut(path), 'bytes, the manifest says'],
    ['a missing file', (path: string) => rm(path), 'cannot be read (ENOENT)'],
  ])('is refused by name for %s, before any message of that file is given out', async (_, damage, problem) => {
    const path = await dataFile(1)
    await damage(path)
    const seen: number[] = []
    const reading = async (): Promise<void> => {
      for await (const { streamSeq } of readArchive({ directory })) seen.push(streamSeq)
    }
    await expect(reading()).rejects.toThrow(problem)
    await expect(reading()).rejects.toThrow(path.slice(directory.length + 1))
    expect(seen).toEqual([1, 2, 1, 2])
  })

  it('is read past the damage where that is asked for, and says what it left out', async () => {
    await flipByte(await dataFile(1))
    const damaged: DamagedFile[] = []
    expect(await sequences({ onDamage: (file) => damaged.push(file) })).toEqual([1, 2, 5, 6])
    expect(damaged).toMatchObject([{ problem: 'does not match its checksum in the manifest' }])
  })

  it('is found by an audit: files, entries and what is gone between two', async () => {
    await flipByte(await dataFile(0))
    expect((await verifyArchive(directory)).damaged).toHaveLength(1)
    await rm(await entryFile(1))
    const audit = await verifyArchive(directory)
    expect(audit.breaks).toEqual(['run 1: no file for messages 3 to 4'])
    expect(audit.unlisted).toHaveLength(1)
    await flipByte(await entryFile(2))
    expect((await verifyArchive(directory)).damaged.map(({ problem }) => problem)).toContain(
      'the manifest entry does not match its checksum',
    )
  })

  it('is found by an audit when a file was replaced by a valid one with other messages', async () => {
    const [first, second] = [await dataFile(0), await dataFile(1)]
    await writeFile(second, await readFile(first))
    expect((await verifyArchive(directory)).damaged).toHaveLength(1)
  })

  it('makes a damaged newest entry again from its file', async () => {
    await flipByte(await entryFile(2))
    expect((await open()).newest).toMatchObject({ fromSeq: 5, toSeq: 6, messages: 2 })
    expect(await sequences()).toEqual([1, 2, 3, 4, 5, 6])
  })
})

describe('an archive whose writer was killed', () => {
  it('takes in a whole file that lacks its entry', async () => {
    const writer = await open()
    await writer.write(at(1), range(1, 2))
    const kept = await writer.write(at(3), range(3, 4))
    await rm(await entryFile(1))
    expect(await sequences()).toEqual([1, 2])
    expect((await open()).newest).toEqual(kept)
    expect(await sequences()).toEqual([1, 2, 3, 4])
  })

  it('sweeps what was never renamed, and leaves alone a file that is not whole', async () => {
    const writer = await open()
    await writer.write(at(1), range(1, 2))
    const path = await dataFile()
    await writeFile(join(path, '..', '.x.6b8b4567-327b-43c6-b43c-986966334873.tmp'), 'half')
    await writeFile(path.replace('0001-000000000001-000000000002', '0001-000000000003-000000000004'), 'torn')
    expect((await open()).newest).toMatchObject({ toSeq: 2 })
    expect(await readdir(join(path, '..'))).toHaveLength(3)
    expect(await sequences()).toEqual([1, 2])
  })

  it('takes in nothing that others speak for already', async () => {
    const writer = await open()
    await writer.write(at(1), range(1, 2))
    await writer.write(at(3), range(3, 6))
    // As of a second writer that was killed: from the middle of what is there.
    const other = await openArchiveWriter({ directory: join(directory, 'other'), log: silentLog })
    const entry = await other.write(at(5), range(5, 9))
    await rename(join(directory, 'other', entry.day, entry.file), join(directory, entry.day, entry.file))
    await rm(join(directory, 'other'), { recursive: true })
    expect((await open()).newest).toMatchObject({ toSeq: 6 })
    expect(await sequences()).toEqual([1, 2, 3, 4, 5, 6])
  })
})

describe('two writers of one archive', () => {
  it('cannot both go on from the same message: the second is fenced and leaves nothing', async () => {
    const [one, two] = [await open(), await open()]
    await one.write(at(1), range(1, 2))
    await expect(two.write(at(1), range(1, 5))).rejects.toMatchObject({ code: 'fenced' })
    expect(await sequences()).toEqual([1, 2])
    await one.write(at(3), range(3, 4))
    // The very same file: it must not go with the one who lost.
    await expect(two.write(at(3), range(3, 4))).rejects.toMatchObject({ code: 'fenced' })
    expect(await sequences()).toEqual([1, 2, 3, 4])
    expect(await verifyArchive(directory)).toMatchObject({ breaks: [], damaged: [], unlisted: [] })
  })
})

describe('the retention of an archive', () => {
  const dayMs = 86_400_000
  const onDay = (seq: number, day: number): RawMessage =>
    testMessage(seq, 'SPY', { storedAtMs: Date.parse('2026-11-01T12:00:00Z') + day * dayMs })

  it('removes whole days and says how much, never the newest', async () => {
    const writer = await open()
    for (const seq of [1, 2, 3, 4]) await writer.write(at(seq), [onDay(seq, seq)])
    const pruned = await pruneDays(directory, 2, Date.parse('2026-11-05T00:00:01Z'))
    expect(pruned).toMatchObject({ files: 1, days: ['2026-11-02'] })
    expect(await sequences()).toEqual([2, 3, 4])
    expect(await pruneDays(directory, 2, Date.parse('2027-11-05T12:00:00Z'))).toMatchObject({ files: 2 })
    expect(await sequences()).toEqual([4])
    expect((await open()).newest).toMatchObject({ toSeq: 4 })
    expect(await verifyArchive(directory)).toMatchObject({ damaged: [], breaks: [], unlisted: [] })
  })

  it('removes the files of a day whose entries a killed archiver had removed already', async () => {
    const writer = await open()
    for (const seq of [1, 2]) await writer.write(at(seq), [onDay(seq, seq)])
    await rm(await entryFile(0))
    expect(await pruneDays(directory, 2, Date.parse('2026-11-09T00:00:01Z'))).toMatchObject({ files: 1 })
    expect(await readdir(directory)).toEqual(['2026-11-03'])
  })

  it('does not look like damage to an audit that is under way', async () => {
    const writer = await open()
    for (const seq of [1, 2]) await writer.write(at(seq), [onDay(seq, seq)])
    const audit = await verifyArchive(directory, ({ files }) => {
      if (files === 1) rmSync(join(directory, '2026-11-03'), { recursive: true })
    })
    expect(audit).toMatchObject({ damaged: [], files: 1, messages: 1 })
  })
})

async function cut(path: string): Promise<void> {
  const bytes = await readFile(path)
  await writeFile(path, bytes.subarray(0, bytes.byteLength - 1))
}
