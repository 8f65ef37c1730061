import type { Command } from 'commander'
import type { Env } from '../../../shared/runtime/config.ts'
import { positiveNumber, wholeNumber } from '../arguments.ts'
import { runScript } from '../run-script.ts'

interface TortureOptions {
  readonly minutes: string
  readonly seed?: string
  readonly bug?: string
  readonly json?: true
  readonly keep?: true
}

/** `strikeflow torture`: what is promised, shown on a stack of its own to which everything happens. */
export function registerTorture(program: Command, environment: Env): void {
  program
    .command('torture')
    .description('kills, stops, cuts off and fills up the parts of a stack of its own, then looks for what was lost')
    .option(
      '--minutes <n>',
      'how long things go wrong; longer where a busy machine has not come to 40 faults a minute. What follows takes a minute or more',
      positiveNumber,
      '1.5',
    )
    .option(
      '--seed <n>',
      'which faults come when, as an earlier run printed it (default: another one each time)',
      wholeNumber(0, 2 ** 31),
    )
    .option('--bug <name>', 'plants a bug that the checker has to find; with an unknown name it says which there are')
    .option('--json', 'one JSON object as the last line')
    .option('--keep', 'leaves data and logs of the stack, and says where')
    .addHelpText(
      'after',
      `
Runs nats-server, ClickHouse, three processors, three publishers, an archiver, an exporter and the API in a temporary
directory, on ports of their own; a stack that runs already is not touched. As root, disk full is tried too, on a tmpfs.
Exit code 0: nothing lost, doubled, torn, out of order or different from an undisturbed run. 1: something was, or
could not be worked off, or a service ended by itself, or the API failed; the last line says how to repeat the run.

Example: npx strikeflow torture --minutes 10`,
    )
    .action(async ({ minutes, seed, bug, json, keep }: TortureOptions) => {
      const args = [
        '--minutes',
        minutes,
        ...(seed === undefined ? [] : ['--seed', seed]),
        ...(bug === undefined ? [] : ['--bug', bug]),
        ...(json === true ? ['--json'] : []),
        ...(keep === true ? ['--keep'] : []),
      ]
      process.exitCode = await runScript('tests/torture/main.ts', args, environment)
    })
}
