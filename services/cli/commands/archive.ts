import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { type Env, readSettings } from '../../../shared/runtime/config.ts'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import { busSettings } from '../../../shared/bus/settings.ts'
import { openStore } from '../../../shared/store/connect.ts'
import { storeSettings } from '../../../shared/store/settings.ts'
import { listArchive } from '../archive/list.ts'
import { type RestoreOptions, type Restored, restoreArchive } from '../archive/restore.ts'
import { auditArchive } from '../archive/verify.ts'
import { instant, nonEmpty, tickers } from '../arguments.ts'
import { stackStore, waitForCommits } from '../committed.ts'
import { openBus } from '../open-bus.ts'
import { startOwnStack } from '../own-stack.ts'
import { findRunningStack } from '../running-stack.ts'

type Rest = Omit<RestoreOptions, 'bus' | 'profile' | 'store'>

interface PlaceOptions {
  readonly data: string
  readonly directory?: string
  readonly json?: true
}

interface RestoreArguments extends PlaceOptions {
  readonly from?: number
  readonly to?: number
  readonly by: 'market' | 'stored'
  readonly underlyings?: string
  readonly nats?: string
  readonly append?: true
  readonly skipDamaged?: true
  readonly wait?: true
}

const directoryOf = ({ data, directory }: PlaceOptions): string => directory ?? join(data, 'archive')

function timeKind(text: string): string {
  if (text !== 'market' && text !== 'stored') throw new InvalidArgumentError('Expected market or stored.')
  return text
}

/** `strikeflow archive list | verify | restore`: the raw chains on disk. */
export function registerArchive(program: Command, environment: Env): void {
  const archive = program.command('archive').description('the raw chains kept as files: list, verify, restore')
  const place = (name: string, what: string): Command =>
    archive
      .command(name)
      .description(what)
      .option('--data <directory>', 'data directory; the archive lies below it', nonEmpty, 'data')
      .option('--directory <directory>', 'the archive itself, where it lies elsewhere', nonEmpty)
      .option('--json', 'one JSON object as the last line')

  place('list', 'what is archived, day by day: files, messages, sizes, market times')
    .option('--files', 'file by file')
    .action(async (options: PlaceOptions & { readonly files?: true }) => {
      const { json = false, files = false } = options
      if (!(await listArchive({ directory: directoryOf(options), json, files }))) process.exitCode = 1
    })

  place('verify', 'reads every file and compares it with the manifest; exit code 1 when something is damaged').action(
    async (options: PlaceOptions) => {
      if (!(await auditArchive({ directory: directoryOf(options), json: options.json ?? false }))) process.exitCode = 1
    },
  )

  place('restore', 'publishes archived chains into an empty CHAINS again, for the processor to store')
    .option('--from <time>', 'from this time on', instant)
    .option('--to <time>', 'up to this time, without it', instant)
    .option('--by <kind>', 'which time that is: of the market, or when it was stored', timeKind, 'market')
    .option('--underlyings <list>', 'only these, such as SPY,AAPL', tickers)
    .option(
      '--nats <url>',
      'server (default: the stack on the data directory, else NATS_URL; without either one is started)',
    )
    .option('--append', 'also into a CHAINS that holds messages')
    .option('--skip-damaged', 'goes on past damaged files, names them, and ends with code 1')
    .option('--wait', 'until every message is committed in ClickHouse, and say so')
    .addHelpText('after', '\nExample: npx strikeflow archive restore --from 2026-06-22 --to 2026-06-23 --wait')
    .action(async (options: RestoreArguments) => {
      const restored = await restore(options, environment)
      for (const { path, problem } of restored.damaged) console.error(`damaged, left out: ${path}: ${problem}`)
      if (options.json === true) console.log(JSON.stringify(restored))
      if (restored.messages === 0)
        throw new StrikeflowError('internal', `Nothing of this range is archived in ${directoryOf(options)}`)
      if (restored.damaged.length > 0) process.exitCode = 1
    })
}

async function restore(options: RestoreArguments, environment: Env): Promise<Restored> {
  const { from, to, by, underlyings, append = false, skipDamaged = false } = options
  const rest = {
    archive: {
      directory: directoryOf(options),
      fromMs: from,
      toMs: to,
      time: by,
      underlyings: underlyings?.split(','),
    },
    append,
    skipDamaged,
  } satisfies Rest
  const running = await findRunningStack(options.data)
  const isElsewhere = options.nats !== undefined || (running === null && environment['NATS_URL'] !== undefined)
  if (isElsewhere) return await restoreElsewhere(rest, environment, options)
  await using own = running === null ? await startOwnStack(options.data, environment) : null
  const endpoints = running ?? own
  if (endpoints === null) throw new TypeError('Expected a stack')
  await using store = stackStore(endpoints, environment)
  await using bus = await openBus({ stack: endpoints }, environment, { name: 'archive', role: 'services' })
  const restored = await restoreArchive({ ...rest, bus, profile: 'embedded', store })
  report(restored)
  if (options.wait === true || own !== null) await waitForCommits(endpoints, restored.fromSeq, environment)
  return restored
}

/** Into any server; how far its processor is, only the environment can say. */
async function restoreElsewhere(rest: Rest, environment: Env, { nats, wait }: RestoreArguments): Promise<Restored> {
  if (wait === true)
    throw new StrikeflowError('config', '--wait needs a stack on the data directory, not --nats or NATS_URL')
  const { profile } = readSettings('NATS', busSettings, environment)
  const isKnown = environment['CLICKHOUSE_URL'] !== undefined
  await using store = isKnown ? openStore(readSettings('CLICKHOUSE', storeSettings, environment)) : null
  await using bus = await openBus({ nats, stack: null }, environment, { name: 'archive', role: 'services' })
  const restored = await restoreArchive({ ...rest, bus, profile, store })
  report(restored)
  return restored
}

function report({ messages, duplicates }: Restored): void {
  const again = duplicates > 0 ? `, ${duplicates} of them there already` : ''
  console.log(`${messages} messages published${again}`)
}
