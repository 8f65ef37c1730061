import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { connectBus } from '../../../shared/bus/connect.ts'
import {
  type InputOptions,
  type Job,
  jobSchema,
  type ProofReport,
  replayExit,
  type ReplayLine,
  type ReplayReport,
} from '../../../shared/model/replay.ts'
import { readSettings } from '../../../shared/runtime/config.ts'
import { createLogger } from '../../../shared/runtime/logger.ts'
import { isConfigError, settingsOrExit } from '../../../shared/runtime/settings-or-exit.ts'
import { processorSettings } from '../config.ts'
import { openArchiveInput } from './archive-input.ts'
import { type InputSource, nothingToRead } from './inputs.ts'
import { prove } from './prove.ts'
import { replay } from './replay.ts'
import { openMain } from './scratch.ts'
import { openStreamInput } from './stream-input.ts'

/*
 * The processor's code once more over what it has worked off already, for `strikeflow replay` and `strikeflow prove`: the job comes as
 * the first line of the input (it holds passwords, which have no place among the arguments), lines of JSON go out.
 */
const settings = settingsOrExit(() => readSettings('PROCESSOR', processorSettings, process.env))
const packageFile = new URL('../../../package.json', import.meta.url)
const version = (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version

/** A server that is away stays away for a command. */
const connectLimitMs = 10_000

try {
  process.exitCode = await run(jobSchema.parse(JSON.parse(await firstLine())))
} catch (error) {
  const words = process.env['STRIKEFLOW_DEBUG'] === undefined ? (error as Error).message : (error as Error).stack
  const code = isConfigError(error) ? replayExit.usage : replayExit.failed
  // At once: what is still being tried, against a server that is away, must not keep whoever waits for the answer.
  process.stderr.write(`strikeflow: ${words}\n`, () => process.exit(code))
}
process.stdin.destroy()

/** Whoever gave the job keeps the input open for as long as he wants the answer. */
async function firstLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin })
  const [line] = (await once(lines, 'line')) as [string]
  lines.once('close', () => process.exit(process.exitCode ?? replayExit.failed))
  return line
}

async function run(job: Job): Promise<number> {
  await using open = new AsyncDisposableStack()
  const inputs = await openInputs(job.inputs, open)
  const main = open.use(openMain(job))
  if (job.kind === 'prove') {
    const report = await prove(job, { main, inputs, settings, version })
    print(report)
    return proofCode(report)
  }
  const report = await replay(job, { main, inputs, settings, version, onProgress: print })
  print(report)
  return replayCode(report)
}

async function openInputs(options: InputOptions, open: AsyncDisposableStack): Promise<readonly InputSource[]> {
  const { source, archive } = options
  const inputs: InputSource[] = []
  if (options.nats !== null && source !== 'archive') {
    inputs.push(open.use(await streamOrReason(options.nats, open, source === 'auto' && archive !== null)))
  }
  if (archive !== null && source !== 'stream') inputs.push(open.use(await openArchiveInput(archive)))
  return inputs
}

/** Where there is an archive as well, a server that is away is a reason to read that. */
async function streamOrReason(
  nats: NonNullable<InputOptions['nats']>,
  open: AsyncDisposableStack,
  hasOther: boolean,
): Promise<InputSource> {
  try {
    return await openStream(nats, open)
  } catch (error) {
    if (!hasOther) throw error
    return nothingToRead('stream', (error as Error).message)
  }
}

async function openStream(
  { servers, user, password, token }: NonNullable<InputOptions['nats']>,
  open: AsyncDisposableStack,
): Promise<InputSource> {
  const given = { ...(user !== '' && { user, password }), ...(token !== '' && { token }) }
  const log = createLogger({ service: 'replay', level: 'silent' })
  const signal = AbortSignal.timeout(connectLimitMs)
  const bus = await connectBus({ servers, name: 'replay', log, signal, ...given }).catch((cause: unknown) => {
    throw new Error(`NATS did not answer at ${servers.join(', ')}`, { cause })
  })
  return await openStreamInput(open.use(bus))
}

function replayCode({ missingCount, notReproducible, comparison }: ReplayReport): number {
  if (notReproducible.length > 0) return replayExit.notReproducible
  if (missingCount > 0) return replayExit.missing
  return comparison?.same === false ? replayExit.differs : replayExit.same
}

function proofCode({ verdict }: ProofReport): number {
  switch (verdict) {
    case 'proven':
      return replayExit.same
    case 'differs':
      return replayExit.differs
    case 'inputs missing':
      return replayExit.usage
    case 'not reproducible':
      return replayExit.notReproducible
  }
}

function print(line: ReplayLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
