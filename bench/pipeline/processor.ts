import { cpuBetween, cpuSecondsOf, memoryOf } from './process-figures.ts'
import { type LogLine, startProcessor } from './processor-process.ts'
import type { Stand } from './stand.ts'

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
  readonly natsCpuSeconds: number | null
  /** Of the processor between the two ends of `seconds` alone. */
  readonly ownCpuSeconds: number | null
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

/** Runs the real processor on a stream that holds everything already, until all is committed. */
export async function runProcessor(options: ProcessorRunOptions): Promise<ProcessorRun> {
  const { stand, messages, signal } = options
  const servers = [stand.clickhouse.pid, stand.natsPid]
  const before = servers.map(cpuSecondsOf)
  const watch = createWatch(options)
  await using processor = startProcessor({ ...options, onLine: (line) => watch.look(line, processor.pid) })
  processor.child.once('exit', watch.stop)
  const watched = await Promise.race([watch.done, processor.ended, aborted(signal)])
  const committed = await committedMessages(stand)
  const endMs = Date.now()
  if (committed !== messages) throw new Error(`${committed} commit rows of outcome stored, expected ${messages}`)
  const [clickhouseCpuSeconds = null, natsCpuSeconds = null] = servers.map((pid, i) =>
    cpuBetween(before[i], cpuSecondsOf(pid)),
  )
  const cpuSeconds = cpuSecondsOf(processor.pid)
  return {
    seconds: (endMs - watched.startMs) / 1000,
    flushes: watched.flushes,
    rssMb: watched.rssMb,
    peakRssMb: memoryOf(processor.pid)?.peakRssMb ?? null,
    cpuSeconds,
    clickhouseCpuSeconds,
    natsCpuSeconds,
    ownCpuSeconds: cpuBetween(watched.startCpuSeconds, cpuSeconds),
  }
}

interface Watched {
  readonly startMs: number
  readonly startCpuSeconds: number | null
  readonly flushes: number
  readonly rssMb: readonly number[]
}

/** Follows the log until it says that all messages are committed: asking ClickHouse meanwhile would cost what is measured. */
function createWatch({ messages, passMessages }: Pick<ProcessorRunOptions, 'messages' | 'passMessages'>) {
  const { promise, resolve, reject } = Promise.withResolvers<Watched>()
  const rssMb: number[] = []
  let startMs = Number.NaN
  let startCpuSeconds: number | null = null
  let flushes = 0
  let committed = 0
  const stalled = (): void =>
    reject(new Error(`no commit for ${stallLimitMs} ms, ${committed} of ${messages} messages`))
  const stallTimer = setTimeout(stalled, stallLimitMs)
  return {
    done: promise,
    stop: () => clearTimeout(stallTimer),
    look({ msg, time, messages: written = 0 }: LogLine, pid: number): void {
      if (msg === 'partitions taken') {
        startMs = time
        startCpuSeconds = cpuSecondsOf(pid)
      }
      if (msg !== 'flush committed') return
      stallTimer.refresh()
      flushes += 1
      committed += written
      const memory = memoryOf(pid)
      if (memory !== null && committed >= (rssMb.length + 1) * passMessages) rssMb.push(memory.rssMb)
      if (committed < messages) return
      clearTimeout(stallTimer)
      resolve({ startMs, startCpuSeconds, flushes, rssMb })
    },
  }
}

export async function committedMessages({ store }: Pick<Stand, 'store'>): Promise<number> {
  const [row] = await store.query.rows<{ n: number }>(
    `SELECT uniqExact(snapshot_id) AS n FROM snapshots_v1 WHERE outcome = 'stored'`,
  )
  return row?.n ?? -1
}

export const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason as Error)
    if (signal.aborted) fail()
    signal.addEventListener('abort', fail, { once: true })
  })
