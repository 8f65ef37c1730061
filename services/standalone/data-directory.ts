import { accessSync, constants, existsSync, lstatSync, mkdirSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { StrikeflowError } from '../../shared/model/errors.ts'
import { writeAtomically } from '../../shared/runtime/atomic-file.ts'
import { claimOwnerFile } from '../../shared/runtime/owner-file.ts'
import { isRunning, type ProcessName } from '../../shared/runtime/process-start.ts'
import { deleteOwnFiles, isEmpty, isOfEarlierVersion, linkAmongOwnFiles, readRegularFile } from './own-files.ts'

/** What a running stack says of itself in `stack.json`, so that other commands find it. */
export interface StackFacts extends ProcessName {
  readonly natsUrl: string
  readonly clickhouseUrl: string
  readonly apiUrl: string | null
  /** Null when nothing is archived. */
  readonly archiveDirectory: string | null
}

export interface DataDirectory {
  readonly root: string
  readonly nats: string
  readonly clickhouse: string
  readonly exports: string
  readonly archive: string
  readonly logs: string
  readonly stackFile: string
  /** Names the process that has the directory, from the first moment of its start to the last of its stop. */
  readonly ownerFile: string
  /** Its presence says that the directory is ours. */
  readonly markerFile: string
  /** What the simulator put into its market. */
  readonly groundTruthFile: string
}

const folders = ({ nats, clickhouse, exports, archive, logs }: DataDirectory): readonly string[] => [
  nats,
  clickhouse,
  exports,
  archive,
  logs,
]

function dataDirectory(path: string): DataDirectory {
  const root = resolve(path)
  return {
    root,
    nats: join(root, 'nats'),
    clickhouse: join(root, 'clickhouse'),
    exports: join(root, 'exports'),
    archive: join(root, 'archive'),
    logs: join(root, 'logs'),
    stackFile: join(root, 'stack.json'),
    ownerFile: join(root, 'owner.json'),
    markerFile: join(root, '.strikeflow'),
    groundTruthFile: join(root, 'ground-truth.ndjson'),
  }
}

/** A data directory that no other stack can take before this is disposed. */
export interface ClaimedDirectory extends DataDirectory, Disposable {}

/**
 * Makes the directory ready; with `fresh`, without the data of earlier starts. Refuses a directory of somebody else's, one with
 * links in it, and one that a living stack has. Throws StrikeflowError `config`.
 */
export async function claimDataDirectory(path: string, fresh: boolean): Promise<ClaimedDirectory> {
  const directory = writableDirectory(path)
  markAsOurs(directory)
  refuseLinks(directory)
  const owned = claimOwnerFile(directory.ownerFile, ({ pid }) => alreadyRunning(directory, pid))
  try {
    refuseEarlierStack(directory)
    if (fresh) await deleteOwnFiles(directory.root)
    // Left by a stack that was killed: its addresses may be another's by now.
    await rm(directory.stackFile, { force: true })
    for (const folder of folders(directory)) await mkdir(folder, { recursive: true })
    return { ...directory, [Symbol.dispose]: () => owned[Symbol.dispose]() }
  } catch (error) {
    owned[Symbol.dispose]()
    throw error
  }
}

/** Returns the directory, made and writable. Throws StrikeflowError `config` when it cannot be. */
export function writableDirectory(path: string): DataDirectory {
  const directory = dataDirectory(path)
  try {
    makeDirectory(directory.root)
    accessSync(directory.root, constants.W_OK)
    // `data` itself may be a link to a larger disk: what counts is the directory it leads to.
    return dataDirectory(realpathSync(directory.root))
  } catch (cause) {
    throw cannotWrite(directory, cause)
  }
}

function cannotWrite({ root }: DataDirectory, cause: unknown): StrikeflowError {
  const { code = 'unknown' } = cause as NodeJS.ErrnoException
  return new StrikeflowError('config', `Cannot write to ${root} (${code}); choose another --data directory`, { cause })
}

/** Step by step: where nothing can be made, as below /proc, Node's own `recursive` never comes back. */
function makeDirectory(path: string): void {
  const parent = dirname(path)
  if (!existsSync(parent)) makeDirectory(parent)
  try {
    mkdirSync(path)
  } catch (error) {
    // There already, or made by somebody else meanwhile; a file is none.
    if (!isDirectory(path)) throw error
  }
}

const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

const markerKind = 'strikeflow data directory'

/** Writes the marker into an empty directory and, once, into one that an earlier version has used. Refuses any other. */
function markAsOurs(directory: DataDirectory): void {
  const { root, markerFile } = directory
  if (readRegularFile(markerFile)?.includes(`"${markerKind}"`) === true) return
  if (!isEmpty(root) && !isOfEarlierVersion(root)) {
    throw new StrikeflowError(
      'config',
      `${root} holds files that are not of strikeflow, so nothing is written or deleted there. ` +
        `Name an empty directory or a new one with --data, such as --data ${join(root, 'strikeflow')}`,
    )
  }
  if (lstatSync(markerFile, { throwIfNoEntry: false }) !== undefined) {
    throw new StrikeflowError(
      'config',
      `${markerFile} is not the file that strikeflow puts there: remove it, or choose another --data directory`,
    )
  }
  const marker = { kind: markerKind, purpose: 'strikeflow keeps its data here; --fresh deletes it' }
  try {
    writeFileSync(markerFile, `${JSON.stringify(marker)}\n`, { flag: 'wx' })
  } catch (cause) {
    // Another start on the same empty directory was faster.
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cannotWrite(directory, cause)
  }
}

function refuseLinks({ root }: DataDirectory): void {
  const link = linkAmongOwnFiles(root)
  if (link === null) return
  throw new StrikeflowError(
    'config',
    `${link.path} is a link to ${link.target}, and no link is followed inside a data directory. ` +
      'Remove it, or put the whole directory there and name it with --data',
  )
}

const alreadyRunning = ({ root }: DataDirectory, pid: number): StrikeflowError =>
  new StrikeflowError(
    'config',
    `A stack is already running on ${root} (pid ${pid}). Stop it with "npx strikeflow stop --data ${root}", or choose another --data directory.`,
  )

/** A stack of an earlier version has no owner file; it is known by its `stack.json` and its command line. */
function refuseEarlierStack(directory: DataDirectory): void {
  const pid = pidOfEarlierStack(directory)
  if (pid !== null) throw alreadyRunning(directory, pid)
}

function pidOfEarlierStack({ stackFile }: DataDirectory): number | null {
  try {
    const { pid, start = null } = JSON.parse(readRegularFile(stackFile) ?? '{}') as Partial<StackFacts>
    if (pid === undefined || !isRunning({ pid, start })) return null
    const commandLine = readRegularFile(`/proc/${pid}/cmdline`) ?? 'standalone'
    return commandLine.includes('services/standalone/main.ts') ? pid : null
  } catch {
    return null
  }
}

export async function writeStackFacts(directory: DataDirectory, facts: StackFacts): Promise<void> {
  await writeAtomically(directory.stackFile, [Buffer.from(`${JSON.stringify(facts, null, 2)}\n`)])
}
