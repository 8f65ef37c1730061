import { type Command, InvalidArgumentError, Option } from 'commander'
import { inputSources, type InputOptions, type ReplayReport } from '../../../shared/model/replay.ts'
import type { Env } from '../../../shared/runtime/config.ts'
import { instant, nonEmpty, tickers, wholeNumber } from '../arguments.ts'
import { progressText, sparsely } from '../progress.ts'
import { renderReplay } from '../replay/render.ts'
import { adviseOn, placesOf, runJob } from '../replay/run-job.ts'

interface ReplayOptions {
  readonly from?: number
  readonly to?: number
  readonly into: string
  readonly compare?: true
  readonly replace?: true
  readonly source: InputOptions['source']
  readonly underlyings?: string
  readonly data: string
  readonly nats?: string
  readonly archive?: string
  readonly list: string
  readonly json?: true
}

const help = `
--from and --to are market time: the range is every message whose chain is of that time, the first instant included, the last not.
Within it messages go in the order of the stream, as the commit rows name them; those that could not be read (dead letters) belong to
the range they stand in. Without --from it begins with the first message, without --to it ends with the last one committed.

It begins from the detector states stored before the range, computes with the parameters the rows say they were computed with, writes
to the scratch database only, and publishes nothing. A chain that was a duplicate, late or given up is so again. See docs/replay.md.

Asks the stack that runs on --data, else the servers of CLICKHOUSE_* and NATS_*.

Exit codes:
  0  replayed; with --compare: every row is identical
  1  a row differs, is missing or is too many
  2  wrong use
  3  messages or states are nowhere any more: they are named, nothing is compared
  4  the rows were computed by other code or parameters than can be had here: said which, nothing is computed
  5  it could not be carried out: a server is away

Examples:
  npx strikeflow replay --into scratch --compare                        everything
  npx strikeflow replay --from 2026-06-22T14:00:00Z --to 2026-06-22T15:00:00Z --into scratch --replace --compare
  npx strikeflow replay --from 2026-06-22 --to 2026-06-23 --into scratch --source archive --underlyings SPY,AAPL`

/** `strikeflow replay`: a range once more, through the same code to the same rows. */
export function registerReplay(program: Command, environment: Env): void {
  program
    .command('replay')
    .description('runs a range again through the same processor into a scratch database, and compares the rows')
    .option('--from <time>', 'market time, from this on (a day, or an instant with its zone)', instant)
    .option('--to <time>', 'market time, up to this, without it', instant)
    .requiredOption('--into <database>', 'scratch database for the rows; made with all tables', databaseName)
    .option('--replace', 'drops the scratch database of an earlier replay first')
    .option('--compare', 'compares all tables row by row with what is stored')
    .addOption(sourceOption())
    .option('--underlyings <list>', 'only these, such as SPY,AAPL', tickers)
    .option('--data <directory>', 'data directory of the running stack', nonEmpty, 'data')
    .option('--nats <url>', 'server of the stream (default: the running stack)')
    .option('--archive <directory>', 'the raw archive (default: below the data directory)', nonEmpty)
    .option('--list <number>', 'differing rows that are shown; all are counted', wholeNumber(0, 10_000), '20')
    .option('--json', 'one JSON object as the last line')
    .addHelpText('after', help)
    .action(async (options: ReplayOptions, command: Command) => {
      if (options.from !== undefined && options.to !== undefined && options.from >= options.to)
        command.error('error: --from is not before --to')
      process.exitCode = await replay(options, environment)
    })
}

export const sourceOption = (): Option =>
  new Option('--source <kind>', 'where messages are read: the stream first, then the archive; or one of them')
    .choices(inputSources)
    .default('auto')

function databaseName(text: string): string {
  if (!/^[A-Za-z]\w{0,62}$/.test(text)) throw new InvalidArgumentError('Letters, digits and _ only, a letter first.')
  return text
}

async function replay(options: ReplayOptions, environment: Env): Promise<number> {
  const { from, to, underlyings, into, replace = false, compare = false, list, json = false } = options
  const show = sparsely((text) => console.error(text))
  const report: ReplayReport[] = []
  const code = await runJob(
    {
      kind: 'replay',
      ...(await placesOf(options, environment)),
      fromMs: from ?? null,
      toMs: to ?? null,
      underlyings: underlyings?.split(',') ?? null,
      into,
      replace,
      compare,
      listed: Number(list),
    },
    environment,
    (line) => {
      if (line.kind === 'progress') show(() => progressText('replayed', { ...line, unit: 'messages' }))
      if (line.kind === 'replay') report.push(line)
    },
  )
  await adviseOn(code, options.data, environment)
  for (const each of report) console.log(json ? JSON.stringify(each) : renderReplay(each))
  return code
}
