import type { Command } from 'commander'
import { systemClock } from '../../../shared/runtime/clock.ts'
import type { Env } from '../../../shared/runtime/config.ts'
import { nonEmpty } from '../arguments.ts'
import { renderFindings } from '../doctor/finding.ts'
import { examine } from '../doctor/run.ts'

interface DoctorArguments {
  readonly data: string
  readonly monitor?: string
  readonly json?: true
}

/** `strikeflow doctor`: what stands in the way of a start, and what to do about it. */
export function registerDoctor(program: Command, environment: Env): void {
  program
    .command('doctor')
    .description(
      'checks this machine, the settings and the servers, and says what to do; exit code 1 when something fails',
    )
    .option('--data <directory>', 'data directory; a stack running on it is looked at', nonEmpty, 'data')
    .option('--monitor <url>', "the NATS server's monitoring address, for its fsync setting")
    .option('--json', 'one JSON object as the last line')
    .addHelpText(
      'after',
      '\nLooks at the stack that runs on the data directory; where none does, at NATS_URL and CLICKHOUSE_URL if they are set.',
    )
    .action(async ({ data, monitor, json }: DoctorArguments) => {
      const findings = await examine({
        dataDirectory: data,
        environment,
        monitorUrl: monitor ?? null,
        nodeVersion: process.versions.node,
        clock: systemClock,
      })
      const isOk = findings.every(({ status }) => status !== 'fail')
      console.log(json === true ? JSON.stringify({ ok: isOk, findings }) : renderFindings(findings))
      if (!isOk) process.exitCode = 1
    })
}
