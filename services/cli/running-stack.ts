import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import type { Env } from '../../shared/runtime/config.ts'
import { isRunning } from '../../shared/runtime/process-start.ts'

const stackSchema = z.object({
  pid: z.number(),
  /** Tells the stack from a later process with its number; an earlier version did not write it. */
  start: z.string().nullable().default(null),
  natsUrl: z.string(),
  clickhouseUrl: z.string(),
  apiUrl: z.string().nullable(),
  archiveDirectory: z.string().nullable(),
})
export interface RunningStack extends z.output<typeof stackSchema> {
  /** Its own secrets lie below it. */
  readonly dataDirectory: string
}

/** What to say when ClickHouse was not there: null where a stack runs or the environment names a server, which then is just away. */
export async function whereToLook(dataDirectory: string, environment: Env): Promise<string | null> {
  if (environment['CLICKHOUSE_URL'] !== undefined || (await findRunningStack(dataDirectory)) !== null) return null
  return `No stack runs on ${dataDirectory}: start one with "npm start", name its directory with --data, or set CLICKHOUSE_URL`
}

/** The stack that runs on a data directory, by the file it leaves there; null when none does. */
export async function findRunningStack(dataDirectory: string): Promise<RunningStack | null> {
  try {
    const text = await readFile(join(dataDirectory, 'stack.json'), 'utf8')
    const stack = stackSchema.parse(JSON.parse(text))
    if (!isRunning(stack)) return null
    const running = { ...stack, dataDirectory: resolve(dataDirectory) }
    if (stack.start !== null) return running
    const commandLine = await readFile(`/proc/${stack.pid}/cmdline`, 'utf8').catch(() => 'standalone')
    return commandLine.includes('standalone') ? running : null
  } catch {
    return null
  }
}
