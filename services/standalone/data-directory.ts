import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs'
import { mkdir, readFile, rm, statfs, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { StrikeflowError } from '../../shared/model/errors.ts'

/** What a running stack says of itself in `stack.json`, so that other commands find it. */
export interface StackFacts {
  readonly pid: number
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
    groundTruthFile: join(root, 'ground-truth.ndjson'),
  }
}

/** Returns the directory, made and writable. Throws StrikeflowError `config` when it cannot be. */
export function writableDirectory(path: string): DataDirectory {
  const directory = dataDirectory(path)
  try {
    makeDirectory(directory.root)
    accessSync(directory.root, constants.W_OK)
    return directory
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException
    throw new StrikeflowError(
      'config',
      `Cannot write to ${directory.root} (${code}); choose another --data directory`,
      { cause },
    )
  }
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

/** Makes the directory ready; with `fresh`, empty. Refuses when a living stack is on it. */
export async function claimDataDirectory(directory: DataDirectory, fresh: boolean): Promise<void> {
  const running = await runningStack(directory)
  if (running !== null) {
    throw new StrikeflowError(
      'config',
      `A stack is already running on ${directory.root} (pid ${running.pid}). Stop it, or choose another --data directory.`,
    )
  }
  if (fresh) {
    for (const path of [...folders(directory), directory.groundTruthFile]) {
      await rm(path, { recursive: true, force: true })
    }
  }
  for (const path of folders(directory)) {
    await mkdir(path, { recursive: true })
  }
}

/** The stack that runs on this directory now; null when there is none. */
export async function runningStack(directory: DataDirectory): Promise<StackFacts | null> {
  try {
    const facts = JSON.parse(await readFile(directory.stackFile, 'utf8')) as StackFacts
    process.kill(facts.pid, 0)
    const commandLine = await readFile(`/proc/${facts.pid}/cmdline`, 'utf8').catch(() => 'standalone')
    // A number may long belong to another program.
    return commandLine.includes('standalone') ? facts : null
  } catch {
    return null
  }
}

export async function writeStackFacts(directory: DataDirectory, facts: StackFacts): Promise<void> {
  await writeFile(directory.stackFile, `${JSON.stringify(facts, null, 2)}\n`)
}

export async function freeBytes(directory: DataDirectory): Promise<number> {
  const { bavail, bsize } = await statfs(directory.root)
  return bavail * bsize
}
