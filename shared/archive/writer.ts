import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { StrikeflowError } from '../model/errors.ts'
import { createAtomically, sweepOrphans, syncDirectory, writeAtomically } from '../runtime/atomic-file.ts'
import type { Logger } from '../runtime/logger.ts'
import { type Container, type ContainerHead, decodeContainer, encodeContainer } from './container.ts'
import { dayOf, describeFile, encodeEntry, entryName, isDay, type PlacedEntry } from './entry.ts'
import { type DataFileName, readEntry, readNames } from './manifest.ts'
import { type ArchivedMessage, contentsOf, type RawMessage } from './message.ts'

export interface ArchiveWriterOptions {
  readonly directory: string
  readonly log: Logger
  /** Held so long half-way through a file, and again between a file and its entry; for tests of being killed there. */
  readonly pauseMs?: number
}

/** Where a file begins: after the message at `fromSeq - 1` of a run. */
export interface ArchivePosition {
  readonly stream: string
  /** Creation time of the stream. */
  readonly created: string
  readonly run: number
  readonly fromSeq: number
}

/**
 * Writes the files of an archive. A file is complete when its manifest entry is there, and then for good; what a killed writer
 * leaves is either no file, or a whole one that only lacks its entry. Nothing else is kept, so there is nothing to disagree.
 */
export interface ArchiveWriter {
  /** The newest entry: the archive goes on after its `toSeq`. Null when the archive is empty. */
  readonly newest: PlacedEntry | null
  /** Entries of one run, newest first. */
  entriesOf(run: number): AsyncGenerator<PlacedEntry, void, void>
  /**
   * Writes messages, which must not be empty, as one file. Throws StrikeflowError `fenced` when another writer has gone on from
   * the same position, and the system's error when the disk does not take it: then nothing has changed.
   */
  write(position: ArchivePosition, messages: readonly RawMessage[]): Promise<PlacedEntry>
}

/** Opens an archive for writing, empty or not, and mends what a killed writer left. One writer a directory. */
export async function openArchiveWriter(options: ArchiveWriterOptions): Promise<ArchiveWriter> {
  const { directory, log } = options
  await mkdir(directory, { recursive: true })
  for (const day of (await readdir(directory)).filter(isDay)) await sweepOrphans(join(directory, day))
  let newest = await newestEntry(directory, log)
  for (const file of (await readNames(directory)).unlisted) newest = (await adopt(options, file, newest)) ?? newest
  return {
    get newest() {
      return newest
    },
    entriesOf: (run) => entriesOf(directory, run),
    async write(position, messages) {
      newest = await writeFiles(options, position, messages)
      return newest
    },
  }
}

/** A damaged one is set aside: its file says the same, and is taken in again. */
async function newestEntry(directory: string, log: Logger): Promise<PlacedEntry | null> {
  const { entries } = await readNames(directory)
  for (const name of entries.toReversed()) {
    try {
      return await readEntry(directory, name)
    } catch (err) {
      if (!(err instanceof StrikeflowError)) throw err
      const path = join(directory, name.day, name.name)
      log.error({ err, path }, 'manifest entry is damaged, set aside')
      await rename(path, `${path}.damaged`)
    }
  }
  return null
}

/** Gives a file the entry it lacks, where it goes on from what is there; returns that entry. */
async function adopt(
  { directory, log }: ArchiveWriterOptions,
  file: DataFileName,
  newest: PlacedEntry | null,
): Promise<PlacedEntry | null> {
  const path = join(directory, file.day, file.name)
  const before = newest ?? { run: 0, toSeq: 0 }
  const goesOn = file.run > before.run || (file.run === before.run && file.fromSeq === before.toSeq + 1)
  if (!goesOn) {
    log.warn({ path }, 'archive file without an entry left alone, others speak for its messages')
    return null
  }
  try {
    const bytes = await readFile(path)
    const { head, messages }: Container = await decodeContainer(bytes)
    const contracts = messages.reduce((sum, message) => sum + contentsOf(message).contracts, 0)
    const entry = { ...describeFile(head, messages, bytes, contracts), day: file.day }
    if (entry.file !== file.name) throw new StrikeflowError('decode', `is named ${file.name}, should be ${entry.file}`)
    if (!(await createEntry(directory, entry))) return null
    log.info({ path, messages: messages.length }, 'archive file of a killed archiver taken in')
    return entry
  } catch (err) {
    if (!(err instanceof StrikeflowError)) throw err
    log.error({ err, path }, 'archive file without an entry cannot be read, left alone')
    return null
  }
}

async function* entriesOf(directory: string, run: number): AsyncGenerator<PlacedEntry, void, void> {
  const { entries } = await readNames(directory)
  for (const name of entries.filter((each) => each.run === run).toReversed()) {
    const entry = await readEntry(directory, name)
    if (entry !== null) yield entry
  }
}

async function writeFiles(
  { directory, pauseMs = 0 }: ArchiveWriterOptions,
  position: ArchivePosition,
  raw: readonly RawMessage[],
): Promise<PlacedEntry> {
  const head: ContainerHead = { ...position, toSeq: raw.at(-1)?.streamSeq ?? 0 }
  const { messages, contracts } = withContents(head.run, raw)
  const bytes = await encodeContainer(head, messages)
  const day = dayOf(raw[0]?.storedAtMs ?? 0)
  const entry = { ...describeFile(head, messages, bytes, contracts), day }
  await makeDay(directory, day)
  const path = join(directory, day, entry.file)
  await writeAtomically(path, inHalves(bytes, pauseMs))
  await delay(pauseMs)
  if (await createEntry(directory, entry)) return entry
  const winner = await readEntry(directory, { day, name: entryName(entry) })
  if (winner?.file !== entry.file) await rm(path, { force: true })
  throw new StrikeflowError(
    'fenced',
    `Another archiver writes to ${directory}: it has a file from message ${head.fromSeq} of run ${head.run}`,
  )
}

function withContents(run: number, raw: readonly RawMessage[]) {
  let contracts = 0
  const messages = raw.map((message): ArchivedMessage => {
    const contents = contentsOf(message)
    contracts += contents.contracts
    return { ...message, run, marketTimeMs: contents.marketTimeMs }
  })
  return { messages, contracts }
}

/** The new folder must outlast a power cut as its files do. */
async function makeDay(directory: string, day: string): Promise<void> {
  const made = await mkdir(join(directory, day), { recursive: true })
  if (made !== undefined) await syncDirectory(directory)
}

async function* inHalves(bytes: Uint8Array, pauseMs: number): AsyncGenerator<Uint8Array, void, void> {
  const middle = bytes.byteLength >> 1
  yield bytes.subarray(0, middle)
  if (pauseMs > 0) await delay(pauseMs)
  yield bytes.subarray(middle)
}

const createEntry = (directory: string, { day, ...entry }: PlacedEntry): Promise<boolean> =>
  createAtomically(join(directory, day, entryName(entry)), [encodeEntry(entry)])
