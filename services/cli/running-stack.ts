import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

const stackSchema = z.object({
  pid: z.number(),
  natsUrl: z.string(),
  clickhouseUrl: z.string(),
  apiUrl: z.string().nullable(),
  archiveDirectory: z.string().nullable(),
})
export type RunningStack = z.output<typeof stackSchema>

/** The stack that runs on a data directory, by the file it leaves there; null when none does. */
export async function findRunningStack(dataDirectory: string): Promise<RunningStack | null> {
  try {
    const text = await readFile(join(dataDirectory, 'stack.json'), 'utf8')
    const stack = stackSchema.parse(JSON.parse(text))
    process.kill(stack.pid, 0)
    // A number may long belong to another program.
    const commandLine = await readFile(`/proc/${stack.pid}/cmdline`, 'utf8').catch(() => 'standalone')
    return commandLine.includes('standalone') ? stack : null
  } catch {
    return null
  }
}
