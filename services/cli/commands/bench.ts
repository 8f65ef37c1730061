import type { Env } from '../../../shared/runtime/config.ts'
import type { Command } from 'commander'
import { wholeNumber } from '../arguments.ts'
import { runScript } from '../run-script.ts'

const benches = ['pipeline', 'kernel'] as const

interface BenchOptions {
  readonly json?: true
  readonly contracts?: string
  readonly profile?: string
  readonly input?: string
}

/** `strikeflow bench NAME`: figures beside their floor and a peer, in one run. */
export function registerBench(program: Command, environment: Env): void {
  program
    .command('bench')
    .description(`measures: ${benches.join(', ')}`)
    .argument('<name>', 'which')
    .option('--json', 'one JSON object as the last line')
    .option('--contracts <n>', 'size of the input, in contracts', wholeNumber(1, 10 ** 9))
    .option('--input <kind>', 'of the pipeline: recording (ten passes), or simulator (1.5 M contracts)')
    .option('--profile <directory>', 'leaves a CPU profile of the processor there')
    .action(async (name: string, options: BenchOptions, command: Command) => {
      if (!benches.includes(name as (typeof benches)[number]))
        command.error(`no bench "${name}"; there are: ${benches.join(', ')}`)
      const args = [
        ...(options.json === true ? ['--json'] : []),
        ...(options.contracts === undefined ? [] : ['--contracts', options.contracts]),
        ...(options.input === undefined ? [] : ['--input', options.input]),
        ...(options.profile === undefined ? [] : ['--profile', options.profile]),
      ]
      process.exitCode = await runScript(`bench/${name}.ts`, args, environment)
    })
}
