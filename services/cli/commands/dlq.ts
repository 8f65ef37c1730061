import type { Command } from 'commander'
import type { Bus } from '../../../shared/bus/connect.ts'
import {
  cutText,
  type DeadLetter,
  deadLetterAt,
  deadLetters,
  dropDeadLetter,
  replayDeadLetter,
} from '../../../shared/bus/dead-letters.ts'
import { createPublisher } from '../../../shared/bus/publisher.ts'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import { printable } from '../../../shared/model/printable.ts'
import type { Env } from '../../../shared/runtime/config.ts'
import { wholeNumber } from '../arguments.ts'
import type { Role } from '../accounts.ts'
import { openBus } from '../open-bus.ts'
import { readable } from '../readable-message.ts'
import { findRunningStack } from '../running-stack.ts'

interface ServerOptions {
  readonly nats?: string
  readonly data: string
}

interface ManyOptions extends ServerOptions {
  readonly all?: true
  readonly reason?: string
}

/** `strikeflow dlq list | show | replay | drop`: the messages that could not be processed. */
export function registerDlq(program: Command, environment: Env): void {
  const withBus = withBusOf(environment)
  const dlq = program
    .command('dlq')
    .description('dead letters: messages that were given up, and what to do with them')
    .addHelpText(
      'after',
      `
A dead letter is the whole message with the reason of its death. It has its commit row, so nothing waits for it.

Examples:
  npx strikeflow dlq list                       what there is, and why
  npx strikeflow dlq show 3                     one of them with headers and contents
  npx strikeflow dlq replay 3                   publish it again, after what killed it is mended
  npx strikeflow dlq replay --all --reason compute_failed
  npx strikeflow dlq drop 3                     take it away for good

Exit codes: 0 done (with --all, what is not whole is left and named), 1 a server is away, 2 wrong use or no such dead letter.`,
    )
  withServer(dlq.command('list').description('lists them, oldest first')).action((options: ServerOptions) =>
    withBus(options, 'reader', list),
  )
  withServer(dlq.command('show').description('shows one').argument('<seq>', 'number from the list', sequence)).action(
    (seq: string, options: ServerOptions) => withBus(options, 'reader', (bus) => show(bus, Number(seq))),
  )
  const replay = dlq
    .command('replay')
    .description('publishes them again on their first subject, under a new message id')
  withMany(replay).action((seqs: readonly string[], options: ManyOptions, command: Command) =>
    withBus(options, 'services', async (bus) => {
      const publisher = createPublisher(bus, { publisherId: `dlq/${process.pid}` })
      for (const seq of await chosen(bus, seqs, options, command)) {
        const letter = await found(bus, seq)
        const cut = cutText(letter)
        if (cut !== null && options.all === true) {
          console.error(`${seq}  left where it is: ${cut}`)
          continue
        }
        const streamSeq = await replayDeadLetter(bus, publisher, letter)
        console.log(printable(`${seq}  published again on ${letter.subject} as ${streamSeq}`))
      }
    }),
  )
  withMany(dlq.command('drop').description('takes them away for good')).action(
    (seqs: readonly string[], options: ManyOptions, command: Command) =>
      withBus(options, 'services', async (bus) => {
        for (const seq of await chosen(bus, seqs, options, command)) {
          const { subject } = await found(bus, seq)
          await dropDeadLetter(bus, seq)
          console.log(printable(`${seq}  dropped  ${subject}`))
        }
      }),
  )
}

const sequence = wholeNumber(1, 2 ** 53 - 1)

const withServer = (command: Command): Command =>
  command
    .option('--nats <url>', 'server (default: the stack running on the data directory, else NATS_URL)')
    .option('--data <directory>', 'data directory of the running stack', 'data')

const withMany = (command: Command): Command =>
  withServer(command)
    .argument('[seq...]', 'numbers from the list')
    .option('--all', 'all of them')
    .option('--reason <reason>', 'with --all: only those that died of this')

const withBusOf =
  (environment: Env) =>
  async (options: ServerOptions, role: Role, run: (bus: Bus) => Promise<void>): Promise<void> => {
    const place = { nats: options.nats, stack: await findRunningStack(options.data) }
    await using bus = await openBus(place, environment, { name: 'dlq', role })
    await run(bus)
  }

async function list(bus: Bus): Promise<void> {
  let count = 0
  for await (const { seq, subject, reason, error, diedAtMs } of deadLetters(bus)) {
    console.log(printable(`${seq}  ${new Date(diedAtMs).toISOString()}  ${reason}  ${subject}  ${error}`))
    count += 1
  }
  console.error(count === 1 ? '1 dead letter' : `${count} dead letters`)
}

async function show(bus: Bus, seq: number): Promise<void> {
  const letter = await found(bus, seq)
  for (const [name, value] of letter.headers) console.log(printable(`${name}: ${value}`))
  const cut = cutText(letter)
  if (cut !== null) console.log(printable(`(not whole: ${cut})`))
  const streamSeq = letter.streamSeq ?? 0
  console.log(readable({ subject: letter.subject, streamSeq, headers: letter.headers, payload: letter.payload }))
}

/**
 * Sequences, each once and in their order: an older chain after a newer one of its kind would be late. Numbers alone, since the letters
 * together may be more than fits in memory. All of those given by number are there.
 */
async function chosen(
  bus: Bus,
  seqs: readonly string[],
  { all, reason }: ManyOptions,
  command: Command,
): Promise<readonly number[]> {
  if (all === true && seqs.length > 0) command.error('error: give either numbers or --all')
  if (all !== true && seqs.length === 0) command.error('error: say which: numbers from the list, or --all')
  if (reason !== undefined && all !== true) command.error('error: --reason goes with --all')
  for (const seq of seqs) sequence(seq)
  if (all !== true) {
    const numbers = [...new Set(seqs.map(Number))].toSorted((a, b) => a - b)
    for (const seq of numbers) await found(bus, seq)
    return numbers
  }
  const numbers: number[] = []
  for await (const letter of deadLetters(bus)) {
    if (reason === undefined || letter.reason === reason) numbers.push(letter.seq)
  }
  if (numbers.length === 0) console.error(reason === undefined ? 'no dead letters' : `no dead letters of ${reason}`)
  return numbers
}

async function found(bus: Bus, seq: number): Promise<DeadLetter> {
  const letter = await deadLetterAt(bus, seq)
  if (letter === null) throw new StrikeflowError('config', `There is no dead letter ${seq}: see "strikeflow dlq list"`)
  return letter
}
