import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import { nonEmpty, wholeNumber } from '../arguments.ts'
import { sparsely } from '../progress.ts'
import { findOwner, stopByForce, stopInOrder } from '../stop-stack.ts'

interface StopOptions {
  readonly data: string
  readonly timeout: string
  readonly force?: boolean
}

const help = `
Does what Ctrl-C in the stack's own terminal does: the collector stops first, the processor writes what it has in hand, then
the stores close. The next start goes on from the data directory.

The stack is found by owner.json in the data directory: process number and time of its start. A process that has got the
number of an earlier stack is never touched.

Exit codes: 0 the stack has stopped, or none runs on this data directory, 1 it still runs after --timeout,
2 wrong use: no data directory of strikeflow, or a stack of another user.

Examples:
  npx strikeflow stop
  npx strikeflow stop --data /srv/strikeflow --timeout 60
  npx strikeflow stop --force              after 40 s, kill what hangs; nothing acknowledged is lost
  npx strikeflow stop --force --timeout 0  kill everything now`

/** `strikeflow stop`: ends the stack that runs on a data directory. */
export function registerStop(program: Command): void {
  program
    .command('stop')
    .description('stops the stack that runs on the data directory, in order, and waits until it has')
    .option('--data <directory>', 'data directory of the running stack', nonEmpty, 'data')
    .option('--timeout <seconds>', 'how long to wait', wholeNumber(0, 86_400), '40')
    .option('--force', 'kill what has not stopped by then')
    .addHelpText('after', help)
    .action(async (options: StopOptions) => {
      process.exitCode = await stop(options)
    })
}

async function stop({ data, timeout, force = false }: StopOptions): Promise<number> {
  const root = resolve(data)
  if (!isDataDirectory(root)) {
    throw new StrikeflowError(
      'config',
      `${root} is no data directory of strikeflow: name the one of the stack with --data`,
    )
  }
  const owner = await findOwner(root)
  if (owner === null) {
    console.log(`no stack runs on ${root}`)
    return 0
  }
  const fromMs = performance.now()
  const seconds = (): string => ((performance.now() - fromMs) / 1000).toFixed(1)
  console.error(`stopping the stack on ${root} (pid ${owner.pid})`)
  const show = sparsely((text) => console.error(text))
  let hasStopped = await stopInOrder(owner, Number(timeout) * 1000, () => {
    show(() => `waiting for pid ${owner.pid}: ${seconds()} of ${timeout} s`)
  })
  if (!hasStopped && force) {
    console.error(`pid ${owner.pid} has not stopped in ${timeout} s: killing it and its services`)
    hasStopped = await stopByForce(owner)
  }
  if (hasStopped) console.log(`stopped after ${seconds()} s`)
  else console.error(`strikeflow: pid ${owner.pid} still runs; "npx strikeflow stop --data ${root} --force" kills it`)
  return hasStopped ? 0 : 1
}

const isDataDirectory = (root: string): boolean =>
  ['.strikeflow', 'owner.json', 'stack.json'].some((name) => existsSync(join(root, name)))
