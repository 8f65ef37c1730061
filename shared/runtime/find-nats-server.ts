import { execFile } from 'node:child_process'
import { access, constants, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { StrikeflowError } from '../model/errors.ts'
import type { Logger } from './logger.ts'

const run = promisify(execFile)

const binary = 'nats-server'
/** Where Debian puts servers; not on the PATH of an ordinary user. */
const systemFolders = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin']
const downloadLimitMs = 120_000

export interface FindOptions {
  /** The project's own copy lies here. @default <project>/.cache/nats-server */
  readonly cacheDir?: string | undefined
  /** Folders to look in instead of PATH and the system's. */
  readonly folders?: readonly string[] | undefined
}

const projectCache = resolve(import.meta.dirname, '../../.cache/nats-server')

/** Returns the path of a nats-server: the machine's own, else the project's copy, else one brought now. */
export async function ensureNatsServer(log: Logger, options: FindOptions = {}): Promise<string> {
  const found = await findNatsServer(options)
  if (found !== null) return found
  const { cacheDir = projectCache } = options
  log.info({ cacheDir }, 'bringing nats-server into the cache')
  return await bringFromDebian(cacheDir)
}

/** Returns the path of a nats-server on this machine, or null. */
export async function findNatsServer({ cacheDir = projectCache, folders }: FindOptions = {}): Promise<string | null> {
  const onPath = folders === undefined ? await whichOnPath() : null
  if (onPath !== null) return onPath
  for (const folder of [...(folders ?? systemFolders), cacheDir]) {
    const candidate = join(folder, binary)
    if (await isExecutable(candidate)) return candidate
  }
  return null
}

async function whichOnPath(): Promise<string | null> {
  try {
    const { stdout } = await run('sh', ['-c', `command -v ${binary}`])
    const found = stdout.trim()
    return isAbsolute(found) ? found : null
  } catch {
    return null
  }
}

async function isExecutable(file: string): Promise<boolean> {
  return await access(file, constants.X_OK).then(
    () => true,
    () => false,
  )
}

/**
 * Takes the server out of Debian's package without installing it: no root, no service, nothing outside the cache. A static Go
 * binary, so it runs from anywhere.
 */
async function bringFromDebian(cacheDir: string): Promise<string> {
  await mkdir(cacheDir, { recursive: true })
  const work = await mkdtemp(join(cacheDir, 'download-'))
  try {
    await downloadPackage(work)
    const deb = (await readdir(work)).find((file) => file.endsWith('.deb'))
    if (deb === undefined) throw new Error('apt-get downloaded no package')
    await run('dpkg', ['-x', deb, 'content'], { cwd: work, timeout: downloadLimitMs })
    const target = join(cacheDir, binary)
    // Renamed into place: another process that looks at the same time sees a whole file or none.
    await rename(join(work, 'content/usr/sbin', binary), target)
    return target
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.trim().replaceAll(/\s+/g, ' ').slice(0, 300) : String(cause)
    throw new StrikeflowError(
      'config',
      `nats-server is not on this machine and could not be brought (${reason}). Install it, 2.9.10 or later: ` +
        'Debian, Ubuntu: apt-get install nats-server; macOS: brew install nats-server; ' +
        `else put the binary from https://github.com/nats-io/nats-server/releases on the PATH or into ${cacheDir}`,
      { cause },
    )
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** A fresh machine may have no package lists yet; those of our own need no root. */
async function downloadPackage(work: string): Promise<void> {
  const options = { cwd: work, timeout: downloadLimitMs }
  try {
    await run('apt-get', ['download', binary], options)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw error
    await mkdir(join(work, 'lists/partial'), { recursive: true })
    await mkdir(join(work, 'cache/archives/partial'), { recursive: true })
    const own = ['-o', `Dir::State::lists=${join(work, 'lists')}`, '-o', `Dir::Cache=${join(work, 'cache')}`]
    await run('apt-get', [...own, 'update'], options)
    await run('apt-get', [...own, 'download', binary], options)
  }
}
