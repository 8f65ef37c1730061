import { join } from 'node:path'
import { isDiskFull } from '../../shared/runtime/disk-full.ts'
import { Guard } from '../../shared/runtime/guard.ts'
import { createLogger } from '../../shared/runtime/logger.ts'
import { readSettings } from '../../shared/runtime/config.ts'
import { ownName } from '../../shared/runtime/process-start.ts'
import { printReady } from '../../shared/runtime/ready-line.ts'
import { type Composition, runService, type Service } from '../../shared/runtime/run-service.ts'
import { exitForSetting, settingsOrExit } from '../../shared/runtime/settings-or-exit.ts'
import { ensureSecrets } from '../../shared/runtime/secrets.ts'
import { logSettings } from '../../shared/runtime/settings.ts'
import { standaloneSettings } from './config.ts'
import { claimDataDirectory, writeStackFacts } from './data-directory.ts'
import { createStandalone } from './standalone.ts'
import { startStack } from './stack.ts'

/*
 * The whole pipeline on one machine: starts a real nats-server, the embedded ClickHouse and every service as processes of
 * their own, starts again what ends, and shows a board. Ctrl-C stops all of it, sources first.
 */
const settings = settingsOrExit(() => readSettings('STANDALONE', standaloneSettings, process.env))
const { level } = settingsOrExit(() =>
  readSettings('LOG', logSettings.extend({ level: logSettings.shape.level.default('warn') }), {
    LOG_LEVEL: process.env['LOG_LEVEL'],
  }),
)
// Before anything is written there: it may be somebody else's.
const directory = await claimDataDirectory(settings.dataDirectory, settings.fresh).catch(exitForSetting)
/** Seconds in which a service that notices the end of this process may stop by itself. */
const graceSeconds = 3
const guard = new Guard(graceSeconds)
process.on('exit', () => {
  // After a second Ctrl-C, or a stop that takes too long, some still run, and some of those may hang.
  guard.killAll()
  directory[Symbol.dispose]()
})
// The terminal belongs to the board; what went wrong stands in the file and, when it ends everything, on the terminal too.
const log = createLogger({ service: 'standalone', level, file: join(directory.root, 'standalone.log') })

/**
 * Children get what a process needs and the settings of their own kind. Prefixes that other programs use as well (API_, LOG_)
 * are not passed on: a stray API_KEY would be refused as a misspelt setting.
 */
const passedOn =
  /^(PATH|HOME|USER|TMPDIR|NODE_.*|SSL_.*|(HTTPS?|NO)_PROXY|(COLLECTOR|PROCESSOR|ARCHIVER|EXPORTER|EMBEDDED_CLICKHOUSE)_.*|(API|HEALTH)_ALLOWED_HOSTS)$/
const environment = Object.fromEntries(
  Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && passedOn.test(entry[0]),
  ),
)

const say = (text: string): void => void process.stderr.write(`  ${text}\n`)

process.exitCode = await runService(log, async (composition) => {
  try {
    return await compose(composition)
  } catch (error) {
    process.stderr.write(`strikeflow: ${(error as Error).message}\n${remedy(error as Error)}`)
    throw error
  }
})

/** What a person can do about it, where that is known. */
function remedy({ message }: Error): string {
  return /port \d+|EADDRINUSE/.test(message)
    ? 'Stop what uses the port, or choose others: --nats-port, --clickhouse-port, --api-port (0 = any).\n'
    : ''
}

async function compose({ opened }: Composition): Promise<Service> {
  process.stderr.write(`starting strikeflow on ${directory.root}\n`)
  const stack = opened(
    await startStack({
      settings,
      directory,
      secrets: await ensureSecrets(directory.root),
      log,
      guard,
      environment: { ...environment, LOG_LEVEL: 'info', TZ: 'UTC' },
      onProgress: say,
    }),
  )
  const { natsUrl, clickhouseUrl, apiUrl } = stack
  const archiveDirectory = settings.archive ? directory.archive : null
  await untilRoom(() => writeStackFacts(directory, { ...ownName(), natsUrl, clickhouseUrl, apiUrl, archiveDirectory }))
  if (!process.stdout.isTTY) printReady({ service: 'standalone', natsUrl, clickhouseUrl, apiUrl: apiUrl ?? '' })
  return createStandalone({ stack, settings, directory, log, out: process.stdout })
}

/** A disk that is full now is no reason to stop what has just come up. */
async function untilRoom(write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (err) {
    if (!isDiskFull(err)) throw err
    log.error({ err }, 'cannot write stack.json yet, other commands do not find this stack')
    setTimeout(() => void untilRoom(write), 1000).unref()
  }
}

if (process.exitCode === 0) process.stdout.write('stopped\n')
