import type { Env } from '../../../shared/runtime/config.ts'
import type { Command } from 'commander'
import { joiningEnvironment } from '../accounts.ts'
import { runScript } from '../run-script.ts'
import { findRunningStack } from '../running-stack.ts'

const services = {
  collector: 'fetches option chains and publishes them to CHAINS (settings COLLECTOR_*)',
  processor: 'computes features and alerts and writes them to ClickHouse (settings PROCESSOR_*)',
  archiver: 'keeps every message of CHAINS as files (settings ARCHIVER_*)',
  exporter: 'writes JSON documents and their archive (settings EXPORTER_*)',
  api: 'serves the exported documents over HTTP (settings API_*)',
} as const

/** `strikeflow collector|processor|archiver|exporter|api`: one service in the foreground, set up by its environment variables. */
export function registerServices(program: Command, environment: Env): void {
  for (const [name, what] of Object.entries(services)) {
    program
      .command(name)
      .description(what)
      .option('--data <directory>', 'data directory of a running stack to join', 'data')
      .addHelpText(
        'after',
        '\nJoins the stack that runs on the data directory, with its addresses and passwords, unless NATS_* and CLICKHOUSE_* name others.\nHEALTH_PORT and LOG_LEVEL apply to every service. All settings: .env.example',
      )
      .action(async ({ data }: { readonly data: string }) => {
        const stack = await findRunningStack(data)
        const joining = stack === null ? {} : joiningEnvironment(stack, environment)
        process.exitCode = await runScript(`services/${name}/main.ts`, [], { ...environment, ...joining })
      })
  }
}
