import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { busSettings } from '../../../shared/bus/settings.ts'
import { type InputOptions, type Job, type ReplayLine, replayExit } from '../../../shared/model/replay.ts'
import { type Env, readSettings } from '../../../shared/runtime/config.ts'
import { readPasswordFile } from '../../../shared/runtime/secrets.ts'
import { busAccount, storeAccount } from '../accounts.ts'
import { guard, scriptPath } from '../run-script.ts'
import { findRunningStack, whereToLook } from '../running-stack.ts'

export interface PlaceOptions {
  readonly data: string
  readonly nats?: string
  readonly archive?: string
  readonly source: InputOptions['source']
}

/** Where the rows and the messages are: the stack that runs on the data directory, else what the environment says. */
export async function placesOf(options: PlaceOptions, environment: Env): Promise<Pick<Job, 'store' | 'inputs'>> {
  const stack = await findRunningStack(options.data)
  const { url, database, user, ...store } = storeAccount(stack, 'services', environment)
  const nats = readSettings('NATS', busSettings, environment)
  const servers = options.nats !== undefined ? [options.nats] : stack !== null ? [stack.natsUrl] : nats.url
  const isStack = stack !== null && servers[0] === stack.natsUrl
  const { token = '', ...account } = busAccount(isStack ? stack : null, 'services', environment)
  // Without a stack and without a word about a server there is none to wait for.
  const isKnown = options.nats !== undefined || stack !== null || environment['NATS_URL'] !== undefined
  return {
    store: { url, database, user, password: passwordOf(store) },
    inputs: {
      source: options.source,
      nats:
        isKnown || options.source === 'stream'
          ? { servers, user: account.user ?? '', password: passwordOf(account), token }
          : null,
      archive: options.archive ?? stack?.archiveDirectory ?? join(options.data, 'archive'),
    },
  }
}

interface Password {
  readonly password?: string | undefined
  readonly passwordFile?: string | undefined
}

const passwordOf = ({ password = '', passwordFile }: Password): string =>
  passwordFile === undefined ? password : readPasswordFile(passwordFile)

/** Runs a job in a process of the processor's code; resolves with its exit code when it has ended. */
export async function runJob(job: Job, environment: Env, onLine: (line: ReplayLine) => void): Promise<number> {
  const script = scriptPath('services/processor/replay/main.ts')
  const env = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined))
  const child = spawn(process.execPath, [script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env,
  })
  child.once('exit', guard.watch(child.pid))
  // Left open: its end tells the other side that nobody waits any more.
  child.stdin.on('error', () => {})
  child.stdin.write(`${JSON.stringify(job)}\n`)
  const end = (signal: NodeJS.Signals): void => void child.kill(signal)
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  process.on('SIGHUP', end)
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (line) => onLine(JSON.parse(line) as ReplayLine))
  const [code] = (await once(child, 'close')) as [number | null]
  process.off('SIGTERM', end)
  process.off('SIGINT', end)
  process.off('SIGHUP', end)
  return code ?? replayExit.failed
}

/** Says where a stack could be, when there was none and nothing came of the job. */
export async function adviseOn(code: number, dataDirectory: string, environment: Env): Promise<void> {
  const advice = code === replayExit.failed ? await whereToLook(dataDirectory, environment) : null
  if (advice !== null) console.error(advice)
}
