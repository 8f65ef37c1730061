import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { measureRun, type Run, type RunOptions } from './run.ts'
import type { Comparison } from './report.ts'

export type CompareOptions = Omit<RunOptions, 'processors' | 'cores'> & {
  readonly rounds: number
  readonly cores: readonly [number, number] | null
}

/** One and two processors in turn. */
export async function compare({ rounds, cores, ...options }: CompareOptions): Promise<Comparison> {
  const runs: Record<1 | 2, Run[]> = { 1: [], 2: [] }
  for (let round = 0; round < rounds; round++) {
    for (const processors of [1, 2] as const) {
      options.signal.throwIfAborted()
      runs[processors].push(await measureRun({ ...options, processors, cores }))
    }
  }
  const [one, two] = [runs[1], runs[2]]
  const cpuRatio = rounded(median(two.map(cpu)) / median(one.map(cpu)))
  return {
    one,
    two,
    ratio: rounded(median(two.map(rate)) / median(one.map(rate))),
    ratioOfEvenWork: rounded(median(two.map(evenWork))),
    cpuRatio: Number.isNaN(cpuRatio) ? null : cpuRatio,
  }
}

const rate = ({ contractsPerSecond }: Run): number => contractsPerSecond
const cpu = ({ cpuSeconds }: Run): number => cpuSeconds ?? Number.NaN

const evenWork = ({ shares }: Run): number => shares.reduce((sum, share) => sum + share, 0) / Math.max(...shares)

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}

const rounded = (value: number): number => Math.round(1000 * value) / 1000

/** Two cores this process may use, by their numbers; null where there are fewer, or nothing to give them out with. */
export async function twoCores(): Promise<readonly [number, number] | null> {
  try {
    const { stdout } = await promisify(execFile)('taskset', ['--cpu-list', '--pid', String(process.pid)])
    const cores = (stdout.split(':').at(-1) ?? '').trim().split(',').flatMap(expand)
    const [first, second] = cores
    return first === undefined || second === undefined ? null : [first, second]
  } catch {
    return null
  }
}

/** `0-3` is four of them. */
function expand(range: string): readonly number[] {
  const [from = Number.NaN, to = from] = range.split('-').map(Number)
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}
