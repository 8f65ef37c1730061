import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { open, rm, stat, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { findNatsServer } from '../../../shared/runtime/find-nats-server.ts'
import { bytesText } from '../progress.ts'
import { fail, type Finding, ok, warn } from './finding.ts'
import { checkNatsVersion } from './versions.ts'

const run = promisify(execFile)
const gib = 1024 ** 3
const diskWarnBytes = 5 * gib
const diskFailBytes = gib
/** statfs(2). */
const tmpfsTypes = new Set([0x01021994, 0x858458f6])

export async function checkNatsBinary(): Promise<Finding> {
  const check = 'nats-server'
  const path = await findNatsServer()
  if (path === null) {
    return warn(
      check,
      'not on this machine',
      'the start brings it on Debian and Ubuntu; elsewhere: brew install nats-server',
    )
  }
  try {
    const { stdout } = await run(path, ['-v'], { timeout: 5000 })
    const { found, ...finding } = checkNatsVersion(
      check,
      /v?(\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1] ?? stdout.trim(),
      'embedded',
    )
    return { ...finding, found: `${found} at ${path}` }
  } catch (error) {
    return fail(check, `${path} does not run (${(error as Error).message.split('\n')[0]})`, 'install it anew')
  }
}

/** Where the data lies, or would lie: written to, how full it is, and whether it outlasts the machine. */
export async function checkDataDirectory(directory: string): Promise<readonly Finding[]> {
  const root = resolve(directory)
  const existing = await nearestExisting(root)
  const writable = await checkWritable(root, existing)
  try {
    const { bavail, bsize, type } = await statfs(existing)
    return [writable, checkSpace(bavail * bsize), checkFileSystem(root, type)]
  } catch (error) {
    return [
      writable,
      fail('disk', `cannot be read (${(error as NodeJS.ErrnoException).code})`, 'choose another --data'),
    ]
  }
}

async function nearestExisting(path: string): Promise<string> {
  const found = await stat(path).catch(() => null)
  const parent = dirname(path)
  return found !== null || parent === path ? path : nearestExisting(parent)
}

async function checkWritable(root: string, existing: string): Promise<Finding> {
  const check = 'data directory'
  const probe = join(existing, `.strikeflow-doctor-${randomUUID()}`)
  try {
    {
      await using file = await open(probe, 'wx')
      await file.sync()
    }
    await rm(probe)
    return ok(check, existing === root ? `${root} can be written` : `${root} is not there yet and can be made`)
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException
    return fail(
      check,
      `${existing} cannot be written (${code})`,
      'give this user the right to write there, or choose another --data',
    )
  }
}

export function checkSpace(freeBytes: number): Finding {
  const found = `${bytesText(freeBytes)} free`
  const advice = 'free some space, or choose another --data: NATS and ClickHouse stop writing on a full disk'
  if (freeBytes < diskFailBytes) return fail('disk', found, advice)
  return freeBytes < diskWarnBytes ? warn('disk', found, advice) : ok('disk', found)
}

export function checkFileSystem(root: string, type: number): Finding {
  if (!tmpfsTypes.has(type)) return ok('file system', 'on a disk')
  return warn(
    'file system',
    `${root} is in memory (tmpfs)`,
    'everything in it is gone at the next boot: choose another --data',
  )
}

export interface PortUse {
  readonly name: string
  readonly port: number
  /** The process of the running stack that has it, if one does. */
  readonly usedByPid: number | null
}

export async function checkPort({ name, port, usedByPid }: PortUse): Promise<Finding> {
  const check = `port ${port}`
  if (usedByPid !== null) return ok(check, `${name} of the running stack (pid ${usedByPid})`)
  const another = `choose another for ${name}: --${name}-port (0 = any)`
  if (port > 65_535) return fail(check, 'no port has this number', another)
  if (port === 0 || (await isFree(port))) return ok(check, `free for ${name}`)
  return fail(check, 'in use by another process', `stop that, or ${another}`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
