import type { Env } from '../../../shared/runtime/config.ts'
import type { Command } from 'commander'
import { runScript } from '../run-script.ts'

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
      .addHelpText(
        'after',
        '\nNATS_URL, CLICKHOUSE_URL, HEALTH_PORT and LOG_LEVEL apply to every service. All settings: .env.example',
      )
      .action(async () => {
        process.exitCode = await runScript(`services/${name}/main.ts`, [], environment)
      })
  }
}
