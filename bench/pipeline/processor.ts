import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { cpuSecondsOf, memoryOf } from './process-figures.ts'
import { database, type Stand } from './stand.ts'

const script = new URL('../../services/processor/main.ts', import.meta.url).pathname
/** Longest time without a commit. */
const stallLimitMs = 120_000

export interface ProcessorRun {
  /**
   * From the processor's own log line `partitions taken`, which it writes right before it opens its consumers and so before the
   * first message is pulled, to the answer of a query that sees the commit rows of all messages.
   */
  readonly seconds: number
  readonly flushes: number
  /** After each pass' worth of messages. */
  readonly rssMb: readonly number[]
  readonly peakRssMb: number | null
  readonly cpuSeconds: number | null
  readonly clickhouseCpuSeconds: number | null
}

export interface ProcessorRunOptions {
  readonly stand: Stand
  readonly messages: number
  readonly passMessages: number
  /** Where to leave a CPU profile. */
  readonly profileDirectory: string | null
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
}

const logLine = z.object({ level: z.number(), time: z.number(), msg: z.string(), messages: z.number().optional() })

/** Runs the real processor on a stream that holds everything already, until all is committed. */
export async function runProcessor(options: ProcessorRunOptions): Promise<ProcessorRun> {
  const { stand, messages, signal } = options
  const clickhouseCpuBefore = cpuSecondsOf(stand.clickhouse.pid)
  const child = start(options)
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>
  try {
    const watched = await Promise.race([
      watch(child, options),
      exited.then(([code, name]) => Promise.reject(new Error(`the processor ended with ${name ?? code}`))),
      aborted(signal),
    ])
    const committed = await committedMessages(stand)
    const endMs = Date.now()
    if (committed !== messages) throw new Error(`${committed} commit rows of outcome stored, expected ${messages}`)
    const pid = child.pid ?? 0
    const clickhouseCpu = cpuSecondsOf(stand.clickhouse.pid)
    return {
      seconds: (endMs - watched.startMs) / 1000,
      flushes: watched.flushes,
      rssMb: watched.rssMb,
      peakRssMb: memoryOf(pid)?.peakRssMb ?? null,
      cpuSeconds: cpuSecondsOf(pid),
      clickhouseCpuSeconds:
        clickhouseCpu === null || clickhouseCpuBefore === null ? null : clickhouseCpu - clickhouseCpuBefore,
    }
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await exited
  }
}

function start({ stand, profileDirectory, environment }: ProcessorRunOptions): ChildProcess {
  const inherited = Object.entries(environment).filter(([name]) => /^(PATH|HOME|TMPDIR|PROCESSOR_\w+)$/.test(name))
  const profile = profileDirectory === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`]
  return spawn(process.execPath, [...profile, script], {
    // The channel ends with this process, and the processor with it; Ctrl-C reaches it through us.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    detached: true,
    env: {
      ...Object.fromEntries(inherited),
      NATS_URL: stand.natsUrl,
      NATS_PROFILE: 'embedded',
      CLICKHOUSE_URL: stand.clickhouse.url,
      CLICKHOUSE_DATABASE: database,
    },
  })
}

interface Watched {
  readonly startMs: number
  readonly flushes: number
  readonly rssMb: readonly number[]
}

/** Follows the log until it says that all messages are committed: asking ClickHouse meanwhile would cost what is measured. */
function watch(child: ChildProcess, { messages, passMessages, signal }: ProcessorRunOptions): Promise<Watched> {
  const { promise, resolve, reject } = Promise.withResolvers<Watched>()
  const rssMb: number[] = []
  let startMs = Number.NaN
  let flushes = 0
  let committed = 0
  const stalled = (): void =>
    reject(new Error(`no commit for ${stallLimitMs} ms, ${committed} of ${messages} messages`))
  const stallTimer = setTimeout(stalled, stallLimitMs)
  createInterface({ input: child.stderr ?? process.stdin }).on('line', (line) => {
    const entry = logLine.safeParse(parseJson(line))
    if (!signal.aborted && isNoteworthy(entry.data)) process.stderr.write(`${line}\n`)
    if (!entry.success) return
    const { msg, time } = entry.data
    if (msg === 'partitions taken') startMs = time
    if (msg !== 'flush committed') return
    stallTimer.refresh()
    flushes += 1
    committed += entry.data.messages ?? 0
    const memory = memoryOf(child.pid ?? 0)
    if (memory !== null && committed >= (rssMb.length + 1) * passMessages) rssMb.push(memory.rssMb)
    if (committed < messages) return
    clearTimeout(stallTimer)
    resolve({ startMs, flushes, rssMb })
  })
  child.once('exit', () => clearTimeout(stallTimer))
  return promise
}

/** Warnings and worse, and what is no log line at all: a crash says why. */
const isNoteworthy = (entry: z.output<typeof logLine> | undefined): boolean => (entry?.level ?? 50) >= 40

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line) as unknown
  } catch {
    return null
  }
}

async function committedMessages({ store }: Stand): Promise<number> {
  const [row] = await store.query.rows<{ n: number }>(
    `SELECT uniqExact(snapshot_id) AS n FROM snapshots_v1 WHERE outcome = 'stored'`,
  )
  return row?.n ?? -1
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason as Error)
    if (signal.aborted) fail()
    signal.addEventListener('abort', fail, { once: true })
  })
