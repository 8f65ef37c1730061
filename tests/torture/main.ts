import { Command, InvalidArgumentError } from 'commander'
import { bugs } from './bugs.ts'
import { report, totalFaults } from './report.ts'
import { torture } from './torture.ts'

/** `strikeflow torture`: a stack of its own, and everything that can happen to it. Exits with 1 when a promise was broken. */

/** A busy machine takes its time over each, and is given up to three times as long for them. */
const faultsPerMinute = 40

interface Options {
  readonly minutes: number
  readonly seed?: number
  readonly bug?: string
  readonly json?: true
  readonly keep?: true
}

const number = (text: string): number => {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('Expected a number above 0.')
  return value
}

const options = new Command('torture')
  .option('--minutes <n>', '', number, 1.5)
  .option('--seed <n>', '', number)
  .option('--bug <name>', '')
  .option('--json', '')
  .option('--keep', '')
  .parse()
  .opts<Options>()

const { minutes, seed = Date.now() % 1_000_000, bug, json = false, keep = false } = options
if (bug !== undefined && !bugs.some(({ name }) => name === bug)) {
  process.stderr.write(`There is no bug "${bug}"; there are: ${bugs.map(({ name }) => name).join('; ')}\n`)
  process.exit(2)
}
const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
process.once('SIGTERM', () => stop.abort())
const say = (text: string): void => void process.stderr.write(`${text}\n`)
const result = await torture({
  seed,
  durationMs: minutes * 60_000,
  leastFaults: minutes * faultsPerMinute,
  isKept: keep,
  say,
  bug,
  signal: stop.signal,
})
const again = `strikeflow torture --minutes ${minutes} --seed ${seed}`
if (keep || result.violations.length > 0) say(result.notes.join('\n'))
const print = (text: string): void => void process.stdout.write(`${text}\n`)
if (json) {
  const { notes: _, ...facts } = result
  print(
    JSON.stringify({
      ...facts,
      totalFaults: totalFaults(result),
      faults: Object.fromEntries(result.faults),
      ownEnds: Object.fromEntries(result.ownEnds),
      isSound: result.violations.length === 0,
    }),
  )
} else print(report(result, again))
process.exitCode = result.violations.length === 0 ? 0 : 1
