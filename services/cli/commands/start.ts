import type { Env } from '../../../shared/runtime/config.ts'
import { existingPath, nonEmpty, speedFactor, tickers, wholeNumber } from '../arguments.ts'
import { type Command, Option } from 'commander'
import { runScript } from '../run-script.ts'

interface StartOptions {
  readonly provider?: string
  readonly ingest?: string
  readonly underlyings?: string
  readonly data?: string
  readonly fresh?: true
  readonly speed?: string
  readonly seed?: string
  readonly processors?: string
  readonly natsPort?: string
  readonly clickhousePort?: string
  readonly apiPort?: string
  readonly archive: boolean
}

/** `strikeflow start`: the whole stack on this machine. */
export function registerStart(program: Command, environment: Env): void {
  program
    .command('start')
    .description('runs the whole pipeline on this machine: NATS, ClickHouse and every service')
    .addOption(
      new Option('--provider <name>', 'where chains come from (default: simulator)').choices([
        'simulator',
        'cboe',
        'none',
      ]),
    )
    .option('--ingest <path>', 'read a file or directory of recordings instead of a provider')
    .option('--underlyings <list>', 'comma-separated tickers, such as SPY,AAPL (cboe needs them)', tickers)
    .option('--data <directory>', 'where everything is kept (default: data)', nonEmpty)
    .option('--fresh', 'discard what is in the data directory first')
    .option('--speed <factor>', 'simulated or recorded seconds per real second; 0 = as fast as possible', speedFactor)
    .option('--seed <number>', 'seed of the simulated market', wholeNumber(0, 2 ** 31 - 1))
    .option('--processors <number>', 'processes that share the partitions (default: 1)', wholeNumber(1, 64))
    .option('--no-archive', 'keep no files of the raw chains (default: <data>/archive)')
    .option('--nats-port <port>', 'NATS, 0 = any (default: 4222)', wholeNumber(0, 65_535))
    .option('--clickhouse-port <port>', 'ClickHouse HTTP, 0 = any (default: 8123)', wholeNumber(0, 65_535))
    .option('--api-port <port>', 'JSON API, 0 = any (default: 8061)', wholeNumber(0, 65_535))
    .addHelpText(
      'after',
      `
Examples:
  npm start                                             a simulated market of 25 underlyings
  npm start -- --provider cboe --underlyings SPY,AAPL   live delayed quotes, no key needed
  npm start -- --ingest DIR                             recordings, then it keeps serving them

Ctrl-C stops everything, a second one kills what has not stopped yet; "npx strikeflow stop" does it from elsewhere.
The next start goes on from the data directory.`,
    )
    .action(async (options: StartOptions, command: Command) => {
      await checkOptions(options, command)
      process.exitCode = await runScript('services/standalone/main.ts', [], {
        ...environment,
        // An option that is not given leaves its variable as it is.
        ...given({
          STANDALONE_PROVIDER: options.ingest === undefined ? options.provider : 'recording',
          STANDALONE_RECORDING_PATH: options.ingest,
          STANDALONE_UNDERLYINGS: options.underlyings,
          STANDALONE_DATA_DIRECTORY: options.data,
          STANDALONE_FRESH: options.fresh === true ? 'true' : undefined,
          STANDALONE_SPEED: options.speed ?? (options.ingest === undefined ? undefined : '0'),
          STANDALONE_SEED: options.seed,
          STANDALONE_PROCESSORS: options.processors,
          STANDALONE_NATS_PORT: options.natsPort,
          STANDALONE_CLICKHOUSE_PORT: options.clickhousePort,
          STANDALONE_API_PORT: options.apiPort,
          STANDALONE_ARCHIVE: options.archive ? undefined : 'false',
        }),
      })
    })
}

const given = (settings: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))

/** What only shows when options are seen together; said before anything is started. */
async function checkOptions({ provider, ingest, underlyings }: StartOptions, command: Command): Promise<void> {
  if (provider === 'cboe' && underlyings === undefined)
    command.error('error: --provider cboe needs --underlyings, such as SPY,AAPL')
  if (ingest === undefined) return
  if (provider !== undefined) command.error('error: give either --ingest or --provider')
  await existingPath(ingest)
}
