import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StrikeflowError } from '../../../shared/model/errors.ts'

interface Owner {
  readonly pid: number
  /** When the process began, as the kernel counts it: tells a reused pid from the owner. */
  readonly startedTicks: string
}

/**
 * Makes this process the one owner of a data directory. chdb does not lock it, and two engines on one directory destroy
 * it. An owner that lives is named in the error; one that was killed is succeeded.
 */
export function ownDataDirectory(dataDir: string): Disposable {
  mkdirSync(dataDir, { recursive: true })
  const file = join(dataDir, 'owner.json')
  const me: Owner = { pid: process.pid, startedTicks: startedTicks(process.pid) ?? '' }
  for (let attempt = 0; ; attempt += 1) {
    try {
      writeFileSync(file, JSON.stringify(me), { flag: 'wx' })
      return { [Symbol.dispose]: () => release(file, me) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt >= 3) throw error
      const owner = readOwner(file)
      if (owner !== undefined && isAlive(owner)) {
        throw new StrikeflowError('config', `Data directory ${dataDir} belongs to the running process ${owner.pid}`)
      }
      rmSync(file, { force: true })
    }
  }
}

function release(file: string, me: Owner): void {
  if (readOwner(file)?.pid === me.pid) rmSync(file, { force: true })
}

function readOwner(file: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Owner
  } catch {
    // Cut short by a crash while it was written, or just removed: nobody's.
    return undefined
  }
}

function isAlive({ pid, startedTicks: ticks }: Owner): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const now = startedTicks(pid)
  return now === undefined || ticks === '' || now === ticks
}

/** Field 22 of /proc/PID/stat; undefined where there is no /proc. */
function startedTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
