import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StrikeflowError } from '../model/errors.ts'
import { type Container, decodeContainer } from './container.ts'
import { filePath, type PlacedEntry, sha256, underlyingOf } from './entry.ts'
import { type DamagedFile, readManifest } from './manifest.ts'
import { type ArchivedMessage, messageIdOf } from './message.ts'

export interface ReadArchiveOptions {
  readonly directory: string
  /** Inclusive. @default the beginning */
  readonly fromMs?: number | undefined
  /** Exclusive. @default the end */
  readonly toMs?: number | undefined
  /** Which time the range means: the market's, or when the stream stored the message. @default market */
  readonly time?: 'market' | 'stored'
  /** @default all */
  readonly underlyings?: readonly string[] | undefined
  /** @default refuse: throws StrikeflowError `decode` */
  readonly onDamage?: 'refuse' | ((damaged: DamagedFile) => void)
  /** Called after each file, with what is behind and before the reader. */
  readonly onProgress?: (progress: ReadProgress) => void
}

export interface ReadProgress {
  readonly files: number
  readonly totalFiles: number
  readonly bytes: number
  readonly totalBytes: number
}

/**
 * The messages of a range in stream order, run after run, each file checked against its checksum before anything of it is given
 * out. A message that an earlier run has already is passed over: a stream that was made anew and filled again holds copies.
 * A message without a market time belongs to every range of market time whose files it lies in.
 */
export async function* readArchive(options: ReadArchiveOptions): AsyncGenerator<ArchivedMessage, void, void> {
  const { directory, onProgress } = options
  const onDamage = damageHandler(options)
  const { entries, damaged } = await readManifest(directory)
  damaged.forEach(onDamage)
  const wanted = entries.filter((entry) => mayHold(entry, options))
  const select = selection(options)
  const once = firstOfEachId(wanted)
  const totalBytes = wanted.reduce((sum, { bytes }) => sum + bytes, 0)
  let bytes = 0
  for (const [index, entry] of wanted.entries()) {
    const container = await loadOrReport(directory, entry, onDamage, select.subject)
    for (const message of container?.messages ?? []) if (once(message) && select.message(message)) yield message
    bytes += entry.bytes
    onProgress?.({ files: index + 1, totalFiles: wanted.length, bytes, totalBytes })
  }
}

function damageHandler({ onDamage = 'refuse' }: ReadArchiveOptions): (damaged: DamagedFile) => void {
  if (onDamage !== 'refuse') return onDamage
  return ({ path, problem }) => {
    throw new StrikeflowError('decode', `${path}: ${problem}`)
  }
}

async function loadOrReport(
  directory: string,
  entry: PlacedEntry,
  onDamage: (damaged: DamagedFile) => void,
  wants: (subject: string) => boolean,
): Promise<Container | null> {
  try {
    return await loadFile(directory, entry, wants)
  } catch (error) {
    if (!(error instanceof StrikeflowError)) throw error
    onDamage({ path: join(entry.day, entry.file), problem: error.message })
    return null
  }
}

/** Reads and checks one file. Throws StrikeflowError `decode` when it is not what its entry says. */
export async function loadFile(
  directory: string,
  entry: PlacedEntry,
  wants?: (subject: string) => boolean,
): Promise<Container> {
  const file = await readFile(filePath(directory, entry)).catch((cause: NodeJS.ErrnoException) => {
    throw new StrikeflowError('decode', `cannot be read (${cause.code})`, { cause })
  })
  if (file.byteLength !== entry.bytes) {
    throw new StrikeflowError('decode', `has ${file.byteLength} bytes, the manifest says ${entry.bytes}`)
  }
  if (sha256(file) !== entry.sha256) throw new StrikeflowError('decode', 'does not match its checksum in the manifest')
  const container = await decodeContainer(file, wants)
  if (wants === undefined && container.messages.length !== entry.messages) {
    throw new StrikeflowError(
      'decode',
      `holds ${container.messages.length} messages, the manifest says ${entry.messages}`,
    )
  }
  return container
}

function mayHold(entry: PlacedEntry, { fromMs = -Infinity, toMs = Infinity, time, underlyings }: ReadArchiveOptions) {
  const isStored = time === 'stored'
  const first = isStored ? entry.firstStoredAtMs : entry.firstMarketTimeMs
  const last = isStored ? entry.lastStoredAtMs : entry.lastMarketTimeMs
  const isInRange = first === null || last === null || (first < toMs && last >= fromMs)
  return isInRange && (underlyings === undefined || underlyings.some((name) => entry.underlyings.includes(name)))
}

interface Selection {
  readonly subject: (subject: string) => boolean
  readonly message: (message: ArchivedMessage) => boolean
}

function selection({ fromMs = -Infinity, toMs = Infinity, time, underlyings }: ReadArchiveOptions): Selection {
  const names = underlyings === undefined ? null : new Set(underlyings)
  return {
    subject: (subject) => names === null || names.has(underlyingOf(subject)),
    message({ marketTimeMs, storedAtMs }) {
      const timeMs = time === 'stored' ? storedAtMs : marketTimeMs
      return timeMs === null || (timeMs >= fromMs && timeMs < toMs)
    },
  }
}

/** True for a message that neither an earlier file of its run nor an earlier run has given out. */
function firstOfEachId(entries: readonly PlacedEntry[]): (message: ArchivedMessage) => boolean {
  const isOneRun = new Set(entries.map(({ run }) => run)).size <= 1
  const earlierRuns = new Set<string>()
  let ids: string[] = []
  let run = 0
  let lastSeq = 0
  return (message) => {
    if (message.run !== run) {
      for (const id of ids) earlierRuns.add(id)
      ids = []
      run = message.run
      lastSeq = 0
    }
    if (message.streamSeq <= lastSeq) return false
    lastSeq = message.streamSeq
    if (isOneRun) return true
    const id = messageIdOf(message)
    if (id === null) return true
    ids.push(id)
    return !earlierRuns.has(id)
  }
}
