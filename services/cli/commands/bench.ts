import type { Env } from '../../../shared/runtime/config.ts'
import type { Command } from 'commander'
import { wholeNumber } from '../arguments.ts'
import { runScript } from '../run-script.ts'

interface BenchOptions {
  readonly json?: true
  readonly contracts?: string
  readonly profile?: string
  readonly input?: string
  readonly minutes?: string
  readonly underlyings?: string
  readonly rounds?: string
}
type OptionName = Exclude<keyof BenchOptions, 'json'>

/** What each bench measures, and the options it has beside `--json`. */
const benches: Readonly<Record<string, { readonly what: string; readonly options: readonly OptionName[] }>> = {
  pipeline: { what: 'JetStream to queryable in ClickHouse', options: ['contracts', 'input', 'profile'] },
  latency: {
    what: 'publish to alert and to queryable at the pace of a market',
    options: ['minutes', 'underlyings', 'contracts', 'profile'],
  },
  scaling: { what: 'two processors over one', options: ['contracts', 'rounds'] },
  kernel: { what: 'implied volatilities and greeks', options: ['contracts'] },
}

/** `strikeflow bench NAME`: figures beside their floor and a peer, in one run. */
export function registerBench(program: Command, environment: Env): void {
  const names = Object.keys(benches)
  const list = Object.entries(benches).map(([name, { what, options }]) => {
    return `  ${name.padEnd(9)} ${what} (${options.map((option) => `--${option}`).join(', ')})`
  })
  program
    .command('bench')
    .description(`measures: ${names.join(', ')}`)
    .argument('<name>', 'which')
    .option('--json', 'one JSON object as the last line')
    .option(
      '--contracts <n>',
      'size of the input, in contracts; of the latency, in contracts a minute',
      wholeNumber(1, 10 ** 9),
    )
    .option('--input <kind>', 'of the pipeline: recording (ten passes), or simulator (1.5 M contracts)')
    .option('--minutes <n>', 'of the latency: how long it measures, at most 20 (10)', wholeNumber(1, 20))
    .option('--underlyings <n>', 'of the latency: chains a minute (1205)', wholeNumber(10, 6_000))
    .option('--rounds <n>', 'of the scaling: how often each is measured (2)', wholeNumber(1, 20))
    .option('--profile <directory>', 'leaves a CPU profile of the processor there')
    .addHelpText(
      'after',
      `\nBenches and their options:\n${list.join('\n')}\n\ndocs/benchmarks.md says what each figure means.`,
    )
    .action(async (name: string, options: BenchOptions, command: Command) => {
      const bench = benches[name]
      if (bench === undefined) return command.error(`no bench "${name}"; there are: ${names.join(', ')}`)
      const { json, ...given } = options
      const args = json === true ? ['--json'] : []
      for (const [option, value] of Object.entries(given) as [OptionName, string][]) {
        if (!bench.options.includes(option)) command.error(`the ${name} bench has no --${option}`)
        args.push(`--${option}`, value)
      }
      process.exitCode = await runScript(`bench/${name}.ts`, args, environment)
    })
}
