import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isDay, parseEntryName, parseFileName } from '../../shared/archive/entry.ts'
import { exportNames } from '../../shared/model/export-layout.ts'

/** A name that the stack gives to something in its data directory. */
interface OwnName {
  readonly matches: (name: string) => boolean
  /** For a folder of which only these names are ours. Without it everything inside is ours. */
  readonly inside?: readonly OwnName[]
  /** `--fresh` leaves it where it is. */
  readonly isKept?: true
}

const names = (pattern: RegExp, rest: Omit<OwnName, 'matches'> = {}): OwnName => ({
  matches: (name) => pattern.test(name),
  ...rest,
})

/** What a killed writer leaves behind: `writeAtomically` names it so. */
const unfinished = names(/^\..+\.[0-9a-f-]{36}\.tmp$/)
const documents = exportNames.join('|')

const exported: readonly OwnName[] = [
  unfinished,
  names(new RegExp(`^(${documents})\\.json$`)),
  names(/^archive$/, { inside: [names(new RegExp(`^(${documents})_\\d{8}_\\d{6}\\.json(\\.tmp)?$`))] }),
]

const archived: readonly OwnName[] = [
  unfinished,
  {
    matches: isDay,
    inside: [unfinished, { matches: (name) => parseEntryName(name) !== null || parseFileName(name) !== null }],
  },
]

const natsFiles = names(/^(nats-server\.(conf|log|pid)|owner\.pid|ports|store)$/)

/** What chdb and the process around it make. */
const clickhouseFiles = names(
  /^(access|caches|coordination|cores|data|dictionaries_lib|disks|flags|format_schemas|metadata|metadata_dropped|named_collections|owner\.json|preprocessed_configs|shadow|status|store|tmp|user_defined|user_files|user_scripts|uuid|workload)$/,
)

const logFiles = names(/^(clickhouse|nats|processor(-\d+)?|archiver|exporter|api|collector)\.log$/)

const ownNames: readonly OwnName[] = [
  names(/^(\.strikeflow|stack\.json|owner\.json|standalone\.log)$/, { isKept: true }),
  // Whoever has a credential of this directory keeps it, whatever becomes of the data.
  names(/^secrets$/, { isKept: true }),
  names(/^ground-truth\.ndjson$/),
  names(/^nats$/, { inside: [natsFiles] }),
  names(/^clickhouse$/, { inside: [clickhouseFiles] }),
  names(/^exports$/, { inside: exported }),
  names(/^archive$/, { inside: archived }),
  names(/^logs$/, { inside: [logFiles] }),
]

/** Deletes what the stack has made below the directory; what somebody else put there stays, and its folder with it. */
export async function deleteOwnFiles(root: string): Promise<void> {
  await deleteNames(root, ownNames)
}

async function deleteNames(path: string, own: readonly OwnName[]): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const name = own.find(({ matches }) => matches(entry.name))
    if (name === undefined || name.isKept === true) continue
    const below = join(path, entry.name)
    // `rm` takes a link away and leaves alone what it leads to.
    if (name.inside === undefined) await rm(below, { recursive: true, force: true })
    else if (entry.isDirectory()) {
      await deleteNames(below, name.inside)
      await rmdir(below).catch(ignoreNotEmpty)
    }
  }
}

function ignoreNotEmpty(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
}

/** The first link under a name of ours, and where it leads; null when there is none. */
export function linkAmongOwnFiles(root: string): { readonly path: string; readonly target: string } | null {
  return linkAmong(root, ownNames)
}

function linkAmong(path: string, own: readonly OwnName[]): { readonly path: string; readonly target: string } | null {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const name = own.find(({ matches }) => matches(entry.name))
    if (name === undefined) continue
    const below = join(path, entry.name)
    if (entry.isSymbolicLink()) return { path: below, target: readlinkSync(below) }
    const found = entry.isDirectory() && name.inside !== undefined ? linkAmong(below, name.inside) : null
    if (found !== null) return found
  }
  return null
}

/** A new file system and a file manager put these into an empty folder. */
const countsAsEmpty = new Set(['lost+found', '.DS_Store'])

export const isEmpty = (root: string): boolean => readdirSync(root).every((name) => countsAsEmpty.has(name))

/** True for a directory that a version before the marker has used: only a stack writes these files. */
export function isOfEarlierVersion(root: string): boolean {
  const text = (...path: readonly string[]): string => readRegularFile(join(root, ...path)) ?? ''
  return (
    /"natsUrl".*"clickhouseUrl"/s.test(text('stack.json')) ||
    /^\d+$/.test(text('nats', 'owner.pid')) ||
    text('nats', 'nats-server.conf').startsWith('server_name: "strikeflow"') ||
    /"startedTicks"/.test(text('clickhouse', 'owner.json')) ||
    text('clickhouse', 'metadata', 'strikeflow.sql') !== '' ||
    // An archive brought here by itself, to be restored.
    hasArchiveEntry(join(root, 'archive'))
  )
}

function hasArchiveEntry(archive: string): boolean {
  return namesIn(archive)
    .filter(isDay)
    .some((day) => namesIn(join(archive, day)).some((name) => parseEntryName(name) !== null))
}

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** The text of a file; null where there is none, or something else than a file. */
export function readRegularFile(path: string): string | null {
  try {
    return lstatSync(path).isFile() ? readFileSync(path, 'utf8') : null
  } catch {
    return null
  }
}
