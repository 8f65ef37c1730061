import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { connectBus } from '../../../shared/bus/connect.ts'
import { streamInfo } from '../../../shared/bus/streams.ts'
import type { Env } from '../../../shared/runtime/config.ts'
import { createLogger } from '../../../shared/runtime/logger.ts'
import { openStore } from '../../../shared/store/connect.ts'
import { committedMessages } from '../../../shared/store/queries/board.ts'
import { existingPath, speedFactor } from '../arguments.ts'
import { runScript } from '../run-script.ts'
import { findRunningStack } from '../running-stack.ts'
import { startOwnStack } from '../own-stack.ts'

interface IngestOptions {
  readonly data: string
  readonly speed: string
  readonly wait?: true
}

interface Endpoints {
  readonly natsUrl: string
  readonly clickhouseUrl: string
}

/** `strikeflow ingest PATH`: recordings into the pipeline, once. */
export function registerIngest(program: Command, environment: Env): void {
  program
    .command('ingest')
    .description('reads recordings into the pipeline and prints what was in them')
    .argument('<path>', 'a file or a directory: Cboe recordings (*.json.gz) or options-desk NDJSON')
    .option('--wait', 'until every snapshot is committed in ClickHouse, and say so')
    .option('--speed <factor>', 'recorded seconds per real second; 0 = as fast as possible', speedFactor, '0')
    .option(
      '--data <directory>',
      'data directory; a stack running on it is used, otherwise one is started for the while',
      'data',
    )
    .addHelpText('after', '\nExample: npx strikeflow ingest recordings/2026-06 --wait')
    .action(async (path: string, options: IngestOptions) => {
      await existingPath(path)
      const running = await findRunningStack(options.data)
      await using own = running === null ? await startOwnStack(options.data, environment) : null
      const endpoints = running ?? own
      if (endpoints === null) throw new TypeError('Expected a stack')
      const before = await chainsPosition(endpoints)
      const exitCode = await runScript('services/collector/main.ts', [], {
        ...environment,
        NATS_URL: endpoints.natsUrl,
        NATS_PROFILE: 'embedded',
        COLLECTOR_PROVIDER: 'recording',
        COLLECTOR_RECORDING_PATH: path,
        COLLECTOR_SPEED: options.speed,
        COLLECTOR_REPORT: 'true',
        LOG_LEVEL: environment['LOG_LEVEL'] ?? 'warn',
      })
      // A stack of our own ends with this command: what it has not committed would wait for the next start.
      if (exitCode === 0 && (options.wait === true || own !== null)) await waitForCommits(endpoints, before.lastSeq + 1)
      process.exitCode = exitCode
    })
}

/** Where CHAINS ends now. */
async function chainsPosition({ natsUrl }: Endpoints): Promise<{ readonly created: string; readonly lastSeq: number }> {
  const log = createLogger({ service: 'ingest', level: 'warn' })
  await using bus = await connectBus({ servers: natsUrl, name: 'ingest', log })
  // Awaited here: the connection closes with this scope.
  return await streamInfo(bus, 'CHAINS')
}

async function waitForCommits(endpoints: Endpoints, fromSeq: number): Promise<void> {
  const { created: incarnation, lastSeq } = await chainsPosition(endpoints)
  const expected = lastSeq - fromSeq + 1
  await using store = openStore({ url: endpoints.clickhouseUrl, database: 'strikeflow', user: 'default', password: '' })
  const startedMs = performance.now()
  let shownMs = startedMs
  for (;;) {
    const done = await committedMessages(store.query, { incarnation, fromSeq })
    const nowMs = performance.now()
    if (done >= expected) {
      console.log('every message is committed')
      return
    }
    if (nowMs - shownMs > 2000) {
      shownMs = nowMs
      console.error(progressText(done, expected, (nowMs - startedMs) / 1000))
    }
    await delay(100)
  }
}

function progressText(done: number, expected: number, seconds: number): string {
  const rate = done / seconds
  const eta = rate > 0 ? `, ${Math.ceil((expected - done) / rate)} s left` : ''
  return `committed ${done} of ${expected} messages, ${rate.toFixed(1)}/s${eta}`
}
