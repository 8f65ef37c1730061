import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { StrikeflowError } from '../../../../shared/model/errors.ts'
import { underlyingOfCboeSymbol } from '../cboe/symbols.ts'
import { parseJsonDocument } from '../json-document.ts'
import { plausibleTime } from '../plausible-time.ts'
import { documentTimeMs, readLines } from './documents.ts'
import { maxDocumentBytes, maxLinesBytes, unpackFile } from './unpack.ts'

/** A file of a recording. */
export type RecordedFile = FilePath & FileContent

interface FilePath {
  readonly path: string
  /** Relative to what was asked for: its name in every refusal. */
  readonly name: string
}

type FileContent =
  | (RecordedTime & {
      readonly kind: 'chain'
      /** What it is listed under until it is read. */
      readonly ticker: string
      /** What its folder says it is a chain of; null outside the recorder's `<TICKER>/<stamp>.json.gz`. */
      readonly folderTicker: string | null
    })
  | (RecordedTime & { readonly kind: 'lines' })
  | { readonly kind: 'unknown'; readonly recordedAtMs: null }

interface RecordedTime {
  /** When what is in it was recorded; null where the time said is one that no recording has. */
  readonly recordedAtMs: number | null
}

interface CatalogOptions {
  /** The wall's. */
  readonly nowMs: number
  /** Told of what is neither file nor directory. */
  readonly onSkipped: (path: string, why: string) => void
}

/** Files of one recorder stamp, or one file of lines. */
export interface RecordedPass {
  readonly recordedAtMs: number
  readonly files: readonly RecordedFile[]
}

const stampedName = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.json(\.gz)?$/

/**
 * Finds what is recorded at a path, a file or a directory of any depth, in the order it was recorded. Files that are no
 * recording, or of no time, are kept as a first pass of their own, so that each is refused and counted. Hidden files are not
 * looked at.
 */
export async function catalogRecording(path: string, options: CatalogOptions): Promise<readonly RecordedPass[]> {
  const found = await filesUnder(path, options)
  const files: RecordedFile[] = []
  // One after the other: side by side a folder of gzip bombs would have each of them in memory at once.
  for (const file of found) {
    const name = relative(path, file) || basename(file)
    files.push({ path: file, name, ...(await describe(file, options.nowMs)) })
  }
  const passes = new Map<string, RecordedFile[]>()
  for (const file of files) {
    if (file.recordedAtMs === null) continue
    const key = file.kind === 'lines' ? file.path : `chains of ${file.recordedAtMs}`
    passes.set(key, [...(passes.get(key) ?? []), file])
  }
  const ordered = [...passes.values()]
    .map((members) => ({ recordedAtMs: members[0]?.recordedAtMs ?? 0, files: members }))
    .sort((a, b) => a.recordedAtMs - b.recordedAtMs)
  const undated = files.filter(({ recordedAtMs }) => recordedAtMs === null)
  return undated.length === 0 ? ordered : [{ recordedAtMs: ordered[0]?.recordedAtMs ?? 0, files: undated }, ...ordered]
}

/** Says what is at a path; anything but a file or a directory is an error of the settings. */
export async function kindOfPath(path: string): Promise<'file' | 'directory'> {
  const found = await stat(path).catch(() => null)
  if (found === null) throw new StrikeflowError('config', `No recording at ${path}`)
  if (found.isFile()) return 'file'
  if (found.isDirectory()) return 'directory'
  throw new StrikeflowError('config', `No recording at ${path}: neither a file nor a directory`)
}

async function filesUnder(path: string, { onSkipped }: CatalogOptions): Promise<readonly string[]> {
  if ((await kindOfPath(path)) === 'file') return [path]
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const files: string[] = []
  for (const entry of entries) {
    if (entry.isDirectory() || entry.name.startsWith('.')) continue
    const file = join(entry.parentPath, entry.name)
    const why = entry.isFile() ? null : await whySkipped(file)
    if (why === null) files.push(file)
    else onSkipped(relative(path, file), why)
  }
  return files.sort()
}

/** Null for a link to a file. One to a directory is not followed: it may lead back. */
async function whySkipped(path: string): Promise<string | null> {
  const target = await stat(path).catch(() => null)
  if (target === null) return 'link to nothing'
  if (target.isFile()) return null
  return target.isDirectory() ? 'link to a directory' : 'not a file'
}

/** `SHY`, `BRK.B`, `BRK-B`, `_SPX`; not `intraday` or `2026-06`. */
const tickerFolder = /^[\^_]?[A-Z]{1,6}([.-][A-Z]{1,2})?\d?$/

async function describe(path: string, nowMs: number): Promise<FileContent> {
  const name = basename(path)
  const stamp = stampedName.exec(name)
  if (stamp !== null) {
    const [year, month, day, hour, minute, second] = stamp.slice(1, 7).map(Number) as [number, ...number[]]
    const recordedAtMs = plausibleTime(Date.UTC(year, (month ?? 1) - 1, day, hour, minute, second), nowMs)
    const folder = basename(dirname(resolve(path)))
    const folderTicker = tickerFolder.test(folder) ? underlyingOfCboeSymbol(folder).replaceAll('-', '.') : null
    return { kind: 'chain', ticker: folderTicker ?? folder, folderTicker, recordedAtMs }
  }
  const times = await timesInside(path, name)
  if (times.length === 0) return { kind: 'unknown', recordedAtMs: null }
  const recordedAtMs = startOf(times.filter((time) => plausibleTime(time, nowMs) !== null))
  if (/\.ndjson(\.gz)?$/.test(name)) return { kind: 'lines', recordedAtMs }
  return { kind: 'chain', ticker: name.replace(/\.json(\.gz)?$/, ''), folderTicker: null, recordedAtMs }
}

/** A name without a stamp: the time stands in the documents, if at all. */
async function timesInside(path: string, name: string): Promise<readonly number[]> {
  if (!/\.(nd)?json(\.gz)?$/.test(name)) return []
  const isLines = /\.ndjson(\.gz)?$/.test(name)
  const unpacked = await unpackFile(path, isLines ? maxLinesBytes : maxDocumentBytes)
  if (unpacked.kind === 'refused') return []
  if (isLines)
    return readLines(unpacked.bytes)
      .map(({ recordedAtMs }) => recordedAtMs)
      .filter((time) => time !== null)
  const parsed = parseJsonDocument(unpacked.bytes.toString())
  const time = 'kind' in parsed ? null : documentTimeMs(parsed.document)
  return time === null ? [] : [time]
}

/** A line much older than the rest of its file is what an earlier pass left there, because the fetch failed this time. */
const leftoverMs = 7 * 86_400_000

function startOf(times: readonly number[]): number | null {
  const newest = times.reduce((a, b) => Math.max(a, b), -Infinity)
  return times.length === 0 ? null : times.filter((time) => newest - time < leftoverMs).reduce((a, b) => Math.min(a, b))
}
