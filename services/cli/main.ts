#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { StrikeflowError } from '../../shared/model/errors.ts'
import { printableLines } from '../../shared/model/printable.ts'
import { registerArchive } from './commands/archive.ts'
import { registerBench } from './commands/bench.ts'
import { registerCalendar } from './commands/calendar.ts'
import { registerDlq } from './commands/dlq.ts'
import { registerDoctor } from './commands/doctor.ts'
import { registerGaps } from './commands/gaps.ts'
import { registerIngest } from './commands/ingest.ts'
import { registerMigrate } from './commands/migrate.ts'
import { registerProve } from './commands/prove.ts'
import { registerReplay } from './commands/replay.ts'
import { registerServices } from './commands/services.ts'
import { registerStart } from './commands/start.ts'
import { registerStop } from './commands/stop.ts'
import { registerTail } from './commands/tail.ts'
import { registerTorture } from './commands/torture.ts'
import { registerVerify } from './commands/verify.ts'

/*
 * `strikeflow <command>`: what a person types. It starts services as processes of their own and imports none of them.
 * Exit codes: 0 done, 1 failed, 2 wrong use.
 */
const environment = process.env
const packageFile = new URL('../../package.json', import.meta.url)
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { readonly version: string }
const program = new Command('strikeflow')
  .description('Collects option chains, computes features and alerts, stores them in ClickHouse.')
  .version(version)
  .showHelpAfterError('(run with --help for what is possible)')
  .exitOverride()

// Whatever a command prints may quote a message, a file or a table. Line breaks stay: tables have several lines.
for (const stream of ['log', 'error'] as const) {
  const print = console[stream]
  console[stream] = (...parts: unknown[]) =>
    print(...parts.map((part) => (typeof part === 'string' ? printableLines(part) : part)))
}

registerStart(program, environment)
registerStop(program)
registerIngest(program, environment)
registerTail(program, environment)
registerDlq(program, environment)
registerArchive(program, environment)
registerReplay(program, environment)
registerProve(program, environment)
registerMigrate(program, environment)
registerServices(program, environment)
registerBench(program, environment)
registerTorture(program, environment)
registerDoctor(program, environment)
registerCalendar(program)
registerGaps(program, environment)
registerVerify(program, environment)

try {
  await program.parseAsync(process.argv)
} catch (error) {
  process.exitCode = report(error)
}

function report(error: unknown): number {
  // commander has said what is wrong itself; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof StrikeflowError) {
    console.error(`strikeflow: ${error.message}`)
    return error.code === 'config' ? 2 : 1
  }
  console.error(environment['STRIKEFLOW_DEBUG'] === undefined ? `strikeflow: ${(error as Error).message}` : error)
  return 1
}
