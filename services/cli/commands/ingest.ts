import type { Command } from 'commander'
import type { Env } from '../../../shared/runtime/config.ts'
import { busAccount } from '../accounts.ts'
import { chainsPosition, waitForCommits } from '../committed.ts'
import { existingPath, speedFactor } from '../arguments.ts'
import { runScript } from '../run-script.ts'
import { findRunningStack } from '../running-stack.ts'
import { startOwnStack } from '../own-stack.ts'

interface IngestOptions {
  readonly data: string
  readonly speed: string
  readonly wait?: true
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
      const before = await chainsPosition(endpoints, environment)
      const { user, passwordFile } = busAccount(endpoints, 'services', environment)
      const exitCode = await runScript('services/collector/main.ts', [], {
        ...environment,
        NATS_URL: endpoints.natsUrl,
        ...(passwordFile !== undefined && { NATS_USER: user, NATS_PASSWORD_FILE: passwordFile }),
        NATS_PROFILE: 'embedded',
        COLLECTOR_PROVIDER: 'recording',
        COLLECTOR_RECORDING_PATH: path,
        COLLECTOR_SPEED: options.speed,
        COLLECTOR_REPORT: 'true',
        LOG_LEVEL: environment['LOG_LEVEL'] ?? 'warn',
      })
      // A stack of our own ends with this command: what it has not committed would wait for the next start.
      if (exitCode === 0 && (options.wait === true || own !== null))
        await waitForCommits(endpoints, before.lastSeq + 1, environment)
      process.exitCode = exitCode
    })
}
