import { loadavg } from 'node:os'
import { createLogger } from '../../shared/runtime/logger.ts'
import { runService } from '../../shared/runtime/run-service.ts'
import { type Stand, startStand } from './stand.ts'

export interface BenchContext {
  readonly stand: Stand
  readonly signal: AbortSignal
  readonly onProgress: (text: string) => void
  /** Over the last minute, when it began. */
  readonly loadAverage: number
}

export interface BenchOptions<Report extends object, Input> {
  readonly isJson: boolean
  /** What needs no servers, before they are started. */
  readonly prepare: (context: Pick<BenchContext, 'signal' | 'onProgress'>) => Promise<Input>
  readonly measure: (input: Input, context: BenchContext) => Promise<Report>
  readonly format: (report: Report) => string
  /** What is wrong with what was measured; null when nothing is. @default nothing ever is */
  readonly fault?: (report: Report) => string | null
}

/**
 * Runs a measurement between servers of its own, which go with it also after a failure or Ctrl-C. Progress goes to stderr, the
 * report to stdout. Sets the exit code: 1 also for a report with a fault, 130 when it was broken off.
 */
export async function runBench<Report extends object, Input>(options: BenchOptions<Report, Input>): Promise<void> {
  const startedMs = performance.now()
  const onProgress = (text: string): void => {
    process.stderr.write(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${text}\n`)
  }
  let isMeasured = false
  let fault: string | null = null
  const exitCode = await runService(createLogger({ service: 'bench', level: 'warn' }), async ({ opened, signal }) => {
    const loadAverage = loadavg()[0] ?? 0
    const input = await options.prepare({ signal, onProgress })
    const stand = opened(await unlessAborted(signal, startStand))
    onProgress('nats-server and ClickHouse are up')
    return {
      name: 'bench',
      async run() {
        const context = { stand, signal, onProgress, loadAverage }
        const report = await unlessAborted(signal, () => options.measure(input, context))
        process.stdout.write(`${options.isJson ? JSON.stringify(report) : options.format(report)}\n`)
        isMeasured = true
        fault = options.fault?.(report) ?? null
      },
    }
  })
  if (fault !== null) process.stderr.write(`${fault as string}\n`)
  // Broken off by a signal: in order, but without figures.
  process.exitCode = exitCode === 0 ? (isMeasured ? (fault === null ? 0 : 1) : 130) : exitCode
}

/** After Ctrl-C a request that fails because its server stops as well is no failure of its own. */
async function unlessAborted<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}

/** Reads a whole number from an option, `1_000` too; null when it was not given. Ends the process when it is none. */
export function wholeNumber(name: string, text: string | undefined, [least, most]: readonly [number, number]) {
  if (text === undefined) return null
  const value = Number(text.replaceAll('_', ''))
  if (Number.isInteger(value) && value >= least && value <= most) return value
  const [from, to] = [least, most].map((limit) => limit.toLocaleString('en-US'))
  process.stderr.write(`--${name}: expected a whole number from ${from} to ${to}, was ${text}\n`)
  return process.exit(2)
}
