import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { StrikeflowError } from '../../../../shared/model/errors.ts'
import { parseJsonDocument } from '../json-document.ts'
import { documentTimeMs, readLines } from './documents.ts'
import { unpackFile } from './unpack.ts'

/** A file of a recording and when what is in it was recorded. */
export type RecordedFile =
  | { readonly kind: 'chain'; readonly path: string; readonly ticker: string; readonly recordedAtMs: number }
  | { readonly kind: 'lines'; readonly path: string; readonly recordedAtMs: number }
  | { readonly kind: 'unknown'; readonly path: string; readonly recordedAtMs: null }

/** Files of one recorder stamp, or one file of lines. */
export interface RecordedPass {
  readonly recordedAtMs: number
  readonly files: readonly RecordedFile[]
}

const stampedName = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.json(\.gz)?$/

/**
 * Finds what is recorded at a path, a file or a directory of any depth, in the order it was recorded. Files that are no
 * recording are kept as a first pass of their own, so that each is refused and counted. Hidden files are not looked at.
 */
export async function catalogRecording(path: string): Promise<readonly RecordedPass[]> {
  const files = await Promise.all((await filesUnder(path)).map(describe))
  const passes = new Map<string, RecordedFile[]>()
  for (const file of files) {
    if (file.kind === 'unknown') continue
    const key = file.kind === 'lines' ? file.path : `chains of ${file.recordedAtMs}`
    passes.set(key, [...(passes.get(key) ?? []), file])
  }
  const ordered = [...passes.values()]
    .map((members) => ({ recordedAtMs: members[0]?.recordedAtMs ?? 0, files: members }))
    .sort((a, b) => a.recordedAtMs - b.recordedAtMs)
  const unknown = files.filter((file) => file.kind === 'unknown')
  return unknown.length === 0 ? ordered : [{ recordedAtMs: ordered[0]?.recordedAtMs ?? 0, files: unknown }, ...ordered]
}

async function filesUnder(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch(() => null)
  if (found === null) throw new StrikeflowError('config', `No recording at ${path}`)
  if (found.isFile()) return [path]
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

async function describe(path: string): Promise<RecordedFile> {
  const name = basename(path)
  const stamp = stampedName.exec(name)
  if (stamp !== null) {
    const [year, month, day, hour, minute, second] = stamp.slice(1, 7).map(Number) as [number, ...number[]]
    const recordedAtMs = Date.UTC(year, (month ?? 1) - 1, day, hour, minute, second)
    return { kind: 'chain', path, ticker: basename(dirname(path)), recordedAtMs }
  }
  const recordedAtMs = await timeInside(path, name)
  if (recordedAtMs === null) return { kind: 'unknown', path, recordedAtMs }
  if (/\.ndjson(\.gz)?$/.test(name)) return { kind: 'lines', path, recordedAtMs }
  return { kind: 'chain', path, ticker: name.replace(/\.json(\.gz)?$/, ''), recordedAtMs }
}

/** A name without a stamp: the time stands in the documents, if at all. */
async function timeInside(path: string, name: string): Promise<number | null> {
  if (!/\.(nd)?json(\.gz)?$/.test(name)) return null
  const unpacked = await unpackFile(path)
  if (unpacked.kind === 'refused') return null
  if (/\.ndjson(\.gz)?$/.test(name))
    return startOfLines(readLines(unpacked.bytes).map(({ recordedAtMs }) => recordedAtMs))
  const parsed = parseJsonDocument(unpacked.bytes.toString())
  return 'kind' in parsed ? null : documentTimeMs(parsed.document)
}

/** A line much older than the rest of its file is what an earlier pass left there, because the fetch failed this time. */
const leftoverMs = 7 * 86_400_000

function startOfLines(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null)
  const newest = known.reduce((a, b) => Math.max(a, b), -Infinity)
  return known.length === 0 ? null : known.filter((time) => newest - time < leftoverMs).reduce((a, b) => Math.min(a, b))
}
