import { type Command, InvalidArgumentError } from 'commander'
import type { ProofReport } from '../../../shared/model/replay.ts'
import type { Env } from '../../../shared/runtime/config.ts'
import { nonEmpty } from '../arguments.ts'
import { renderProof } from '../replay/render-proof.ts'
import { adviseOn, type PlaceOptions, placesOf, runJob } from '../replay/run-job.ts'
import { sourceOption } from './replay.ts'

interface ProveOptions extends PlaceOptions {
  readonly all?: true
  readonly json?: true
}

const help = `
Reads the snapshot that raised the alert from the stream or the archive and the detector state stored before it, computes both
again with the parameters the rows name, in memory, and shows what is stored beside what came out. Writes and publishes nothing.

Exit codes: 0 proven, 1 differs, 2 the alert or one of its inputs is nowhere (or wrong use), 4 raised by other code or parameters
than can be had here, 5 it could not be carried out.

Example: npx strikeflow prove 0b5d7c0e-9f0e-8a53-b2f4-0f4f7a2c9d11`

/** `strikeflow prove`: one alert once more from what it names as its inputs. */
export function registerProve(program: Command, environment: Env): void {
  program
    .command('prove')
    .description('derives one alert again from its named inputs and shows both side by side')
    .argument('<alert-id>', 'its id, as in alerts_v1 and on alerts.>', uuid)
    .addOption(sourceOption())
    .option('--data <directory>', 'data directory of the running stack', nonEmpty, 'data')
    .option('--nats <url>', 'server of the stream (default: the running stack)')
    .option('--archive <directory>', 'the raw archive (default: below the data directory)', nonEmpty)
    .option('--all', 'shows every feature, also those that are the same')
    .option('--json', 'one JSON object as the last line')
    .addHelpText('after', help)
    .action(async (alertId: string, options: ProveOptions) => {
      const proofs: ProofReport[] = []
      const job = { kind: 'prove', ...(await placesOf(options, environment)), alertId } as const
      const code = await runJob(job, environment, (line) => {
        if (line.kind === 'prove') proofs.push(line)
      })
      await adviseOn(code, options.data, environment)
      process.exitCode = code
      for (const proof of proofs)
        console.log(options.json === true ? JSON.stringify(proof) : renderProof(proof, options.all === true))
    })
}

function uuid(text: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) {
    throw new InvalidArgumentError('Expected an alert id, such as 0b5d7c0e-9f0e-8a53-b2f4-0f4f7a2c9d11.')
  }
  return text.toLowerCase()
}
