import { measureRun, type Run, type RunOptions } from './run.ts'
import type { Comparison } from './report.ts'

export type CompareOptions = Omit<RunOptions, 'processors' | 'cores' | 'othersCore'> & {
  readonly rounds: number
  readonly cores: readonly [number, number] | null
}

/** One and two processors in turn; where they have cores of their own, also one with everything else on its core. */
export async function compare({ rounds, cores, ...options }: CompareOptions): Promise<Comparison> {
  const [one, two, oneCore]: [Run[], Run[], Run[]] = [[], [], []]
  for (let round = 0; round < rounds; round++) {
    options.signal.throwIfAborted()
    one.push(await measureRun({ ...options, processors: 1, cores, othersCore: null }))
    two.push(await measureRun({ ...options, processors: 2, cores, othersCore: null }))
    if (cores !== null) oneCore.push(await measureRun({ ...options, processors: 1, cores, othersCore: cores[0] }))
  }
  const rateOf = (runs: readonly Run[]): number => median(runs.map(rate))
  const cpuRatio = rounded(median(two.map(cpu)) / median(one.map(cpu)))
  return {
    one,
    two,
    oneCore,
    ratio: rounded(rateOf(two) / rateOf(one)),
    ratioToOneCore: oneCore.length === 0 ? null : rounded(rateOf(two) / rateOf(oneCore)),
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
