import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { isRunning, ownName, type ProcessName, processStart } from './process-start.ts'

const ownerSchema = z.object({
  pid: z.number().int().positive(),
  start: z.string().nullable().optional(),
  /** What earlier versions wrote in place of `start`: without the boot. */
  startedTicks: z.string().optional(),
})

/**
 * Makes this process the one owner of what the file stands for, until disposed. One that was killed is succeeded. Where the
 * owner lives, `refusal` says so.
 */
export function claimOwnerFile(file: string, refusal: (owner: ProcessName) => Error): Disposable {
  const text = JSON.stringify(ownName())
  for (let attempt = 0; ; attempt += 1) {
    try {
      writeFileSync(file, text, { flag: 'wx' })
      return { [Symbol.dispose]: () => release(file) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt >= 3) throw error
      const owner = readOwnerFile(file)
      if (owner !== null && isRunning(owner)) throw refusal(owner)
      rmSync(file, { force: true })
    }
  }
}

function release(file: string): void {
  if (readOwnerFile(file)?.pid === process.pid) rmSync(file, { force: true })
}

/** The process the file names, alive or not; null where there is no such file, or a crash cut it short. */
export function readOwnerFile(file: string): ProcessName | null {
  try {
    const { pid, start = null, startedTicks } = ownerSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
    if (startedTicks === undefined) return { pid, start }
    const now = processStart(pid)
    return { pid, start: now?.endsWith(`:${startedTicks}`) === true ? now : `${startedTicks} of an earlier version` }
  } catch {
    return null
  }
}
