import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import type { TestClickHouse } from '../../tests/support/clickhouse.ts'
import { database, type Stand } from './stand.ts'

const script = new URL('../../services/processor/main.ts', import.meta.url).pathname

const logLine = z.object({
  level: z.number(),
  time: z.number(),
  msg: z.string(),
  messages: z.number().optional(),
  contracts: z.number().optional(),
  partitions: z.array(z.number()).optional(),
})
/** What the measurements read of the processor's log. */
export type LogLine = z.output<typeof logLine>

export interface ProcessorProcess extends AsyncDisposable {
  readonly pid: number
  readonly child: ChildProcess
  /** Rejects when it ends, asked or not. */
  readonly ended: Promise<never>
}

export interface ProcessorOptions {
  readonly stand: Pick<Stand, 'natsUrl'> & { readonly clickhouse: Pick<TestClickHouse, 'env'> }
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly onLine: (line: LogLine) => void
  readonly signal: AbortSignal
  /** Where to leave a CPU profile. */
  readonly profileDirectory?: string | null
  /** The only core it may run on. @default all */
  readonly core?: number | undefined
}

/** Starts the real processor, with the settings it has by itself but for those in the environment; ended when disposed. */
export function startProcessor(options: ProcessorOptions): ProcessorProcess {
  const child = start(options)
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>
  const ended = exited.then(([code, name]): never => {
    throw new Error(`the processor ended with ${name ?? code}`)
  })
  ended.catch(() => {})
  createInterface({ input: child.stderr ?? process.stdin }).on('line', (line) => {
    const entry = logLine.safeParse(parseJson(line))
    if (!options.signal.aborted && isNoteworthy(entry.data)) process.stderr.write(`${line}\n`)
    if (entry.success) options.onLine(entry.data)
  })
  return {
    pid: child.pid ?? 0,
    child,
    ended,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      await exited
    },
  }
}

function start({ stand, profileDirectory, environment, core }: ProcessorOptions): ChildProcess {
  const inherited = Object.entries(environment).filter(([name]) => /^(PATH|HOME|TMPDIR|PROCESSOR_\w+)$/.test(name))
  const profile =
    profileDirectory === null || profileDirectory === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`]
  const command = [process.execPath, ...profile, script]
  const pinned = core === undefined ? command : ['taskset', '--cpu-list', String(core), ...command]
  return spawn(pinned[0] ?? '', pinned.slice(1), {
    // The channel ends with this process, and the processor with it; Ctrl-C reaches it through us.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    detached: true,
    env: {
      ...Object.fromEntries(inherited),
      NATS_URL: stand.natsUrl,
      NATS_PROFILE: 'embedded',
      ...stand.clickhouse.env,
      CLICKHOUSE_DATABASE: database,
    },
  })
}

/** Warnings and worse, and what is no log line at all: a crash says why. */
const isNoteworthy = (entry: LogLine | undefined): boolean => (entry?.level ?? 50) >= 40

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line) as unknown
  } catch {
    return null
  }
}
