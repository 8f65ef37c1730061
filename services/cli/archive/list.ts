import { type Manifest, readManifest } from '../../../shared/archive/manifest.ts'
import type { PlacedEntry } from '../../../shared/archive/entry.ts'
import { bytesText } from '../progress.ts'
import { renderTable } from './table.ts'

export interface ListOptions {
  readonly directory: string
  readonly json: boolean
  /** Each file instead of each day. */
  readonly files: boolean
}

/** Prints what an archive holds, from its manifest alone. Returns false when entries of it are damaged. */
export async function listArchive({ directory, json, files }: ListOptions): Promise<boolean> {
  const manifest = await readManifest(directory)
  const groups = grouped(manifest, files)
  if (json) console.log(JSON.stringify({ directory, groups, damaged: manifest.damaged }))
  else if (groups.length === 0) console.log(`nothing is archived in ${directory}`)
  else console.log(renderTable(head, groups.map(cells)))
  for (const { path, problem } of manifest.damaged) console.error(`damaged: ${path}: ${problem}`)
  return manifest.damaged.length === 0
}

interface Group {
  readonly name: string
  readonly run: number
  readonly files: number
  readonly messages: number
  readonly contracts: number
  readonly bytes: number
  readonly fromSeq: number
  readonly toSeq: number
  readonly missing: number
  readonly underlyings: number
  readonly firstMarketTime: string | null
  readonly lastMarketTime: string | null
}

function grouped({ entries }: Manifest, byFile: boolean): readonly Group[] {
  const groups = Map.groupBy(entries, (entry) => (byFile ? `${entry.day}/${entry.file}` : `${entry.day} ${entry.run}`))
  return [...groups].map(([key, members]) => groupOf(byFile ? key : (key.split(' ')[0] ?? key), members))
}

function groupOf(name: string, entries: readonly PlacedEntry[]): Group {
  const sum = (of: (entry: PlacedEntry) => number): number => entries.reduce((n, entry) => n + of(entry), 0)
  const times = entries.flatMap(({ firstMarketTimeMs, lastMarketTimeMs }) => [firstMarketTimeMs, lastMarketTimeMs])
  const known = times.filter((time) => time !== null)
  const iso = (pick: (...times: number[]) => number): string | null =>
    known.length === 0 ? null : new Date(pick(...known)).toISOString()
  return {
    name,
    run: entries[0]?.run ?? 0,
    files: entries.length,
    messages: sum(({ messages }) => messages),
    contracts: sum(({ contracts }) => contracts),
    bytes: sum(({ bytes }) => bytes),
    fromSeq: entries[0]?.fromSeq ?? 0,
    toSeq: entries.at(-1)?.toSeq ?? 0,
    missing: sum(({ missing }) => missing.reduce((n, [first, last]) => n + last - first + 1, 0)),
    underlyings: new Set(entries.flatMap(({ underlyings }) => underlyings)).size,
    firstMarketTime: iso(Math.min),
    lastMarketTime: iso(Math.max),
  }
}

const head = ['stored', 'run', 'files', 'messages', 'missing', 'contracts', 'size', 'names', 'market time']

const cells = (group: Group): readonly string[] => [
  group.name,
  String(group.run),
  String(group.files),
  String(group.messages),
  String(group.missing),
  String(group.contracts),
  bytesText(group.bytes),
  String(group.underlyings),
  group.firstMarketTime === null ? '-' : `${minute(group.firstMarketTime)} to ${minute(group.lastMarketTime ?? '')}`,
]

const minute = (iso: string): string => iso.slice(0, 16).replace('T', ' ')
