import { Command } from 'commander'
import { bugs } from './bugs.ts'
import { report, runSeeds } from './run-seeds.ts'
import { simulate } from './simulate.ts'

/** `npm run simulate`: one seed with its trace, or many with a table. Exits with 1 when a rule was broken. */

const tracedLines = 60

async function one(seed: number, bugName: string | null, isWhole: boolean): Promise<boolean> {
  const bug = bugs.find(({ name }) => name === bugName) ?? null
  const { trace, violations, tally, faults } = await simulate({ seed, bug, isTraced: true })
  const lines = isWhole ? trace : trace.slice(-tracedLines)
  print([
    ...(lines.length < trace.length ? [`… ${trace.length - lines.length} lines before (--trace shows all)`] : []),
    ...lines,
    `seed ${seed}: ${[...faults.values()].reduce((sum, count) => sum + count, 0)} faults, ${JSON.stringify(tally)}`,
    violations.length === 0 ? 'violations: 0' : 'violations:',
    ...violations.map(({ rule, text }) => `  ${rule}: ${text}`),
  ])
  return violations.length === 0
}

async function many(range: string, bugName: string | null): Promise<boolean> {
  const [from, to] = range.split('..').map(Number)
  if (from === undefined || to === undefined || !(from <= to)) throw new Error(`Expected A..B, was ${range}`)
  const seeds = Array.from({ length: to - from + 1 }, (_, i) => from + i)
  const startedMs = performance.now()
  const result = await runSeeds({ seeds, bug: bugName, untilFound: false })
  const seconds = (performance.now() - startedMs) / 1000
  print([report(result, bugName), `${seconds.toFixed(1)} s, ${(seeds.length / seconds).toFixed(1)} seeds/s`])
  return result.failed.length === 0
}

const print = (lines: readonly string[]): void => void process.stdout.write(`${lines.join('\n')}\n`)

const program = new Command('simulate')
  .option('--seed <n>', 'one seed, with the end of its trace')
  .option('--seeds <a..b>', 'many seeds, with a table', '1..500')
  .option('--bug <name>', `plants a bug: ${bugs.map(({ name }) => name).join('; ')}`)
  .option('--trace', 'with --seed: the whole trace')
  .parse()
const {
  seed,
  seeds,
  bug = null,
  trace = false,
} = program.opts<{ seed?: string; seeds: string; bug?: string; trace?: boolean }>()
if (bug !== null && !bugs.some(({ name }) => name === bug)) program.error(`There is no bug "${bug}"`)
const isSound = seed === undefined ? await many(seeds, bug) : await one(Number(seed), bug, trace)
process.exitCode = isSound ? 0 : 1
