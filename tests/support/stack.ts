import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { secretFiles } from '../../shared/runtime/secrets.ts'
import { openStore, type Store } from '../../shared/store/connect.ts'
import { accountIn, basic } from './clickhouse.ts'

const root = new URL('../../', import.meta.url).pathname

export interface StackOptions {
  readonly dataDirectory?: string
  /** Added to the environment: STANDALONE_*, PROCESSOR_*, COLLECTOR_*. */
  readonly env?: Readonly<Record<string, string>>
}

export interface TestStack extends AsyncDisposable {
  readonly dataDirectory: string
  readonly natsUrl: string
  /** For `connectBus`: where NATS is, and the user who may do everything. */
  readonly bus: { readonly servers: string; readonly user: string; readonly passwordFile: string }
  /** The header of somebody who may read ClickHouse. */
  readonly reader: { readonly Authorization: string }
  readonly clickhouseUrl: string
  readonly apiUrl: string
  readonly store: Store
  readonly process: ChildProcess
  /** Everything it wrote to the terminal so far. */
  output(): string
  /** Stops it in order and resolves with the exit code; the data directory stays. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** Starts the real stack, every service a process, on free ports and a directory of its own. */
export async function startTestStack({ dataDirectory, env = {} }: StackOptions = {}): Promise<TestStack> {
  const directory = dataDirectory ?? (await mkdtemp(join(tmpdir(), 'strikeflow-stack-')))
  const child = spawn(process.execPath, [join(root, 'services/standalone/main.ts')], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      STANDALONE_DATA_DIRECTORY: directory,
      STANDALONE_NATS_PORT: '0',
      STANDALONE_CLICKHOUSE_PORT: '0',
      STANDALONE_API_PORT: '0',
      ...env,
    },
  })
  const exited = once(child, 'close') as Promise<[number | null]>
  let output = ''
  child.stderr.on('data', (text) => (output += String(text)))
  const ready = Promise.withResolvers<Record<string, string>>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    output += `${line}\n`
    if (line.startsWith('{"ready":true')) ready.resolve(JSON.parse(line) as Record<string, string>)
  })
  const facts = await Promise.race([
    ready.promise,
    exited.then(([code]) => {
      throw new Error(`the stack ended with code ${code}:\n${output}`)
    }),
  ])
  const { services, directory: secrets } = secretFiles(directory)
  const url = facts['clickhouseUrl'] ?? ''
  const store = openStore({ url, database: 'strikeflow', user: 'services', password: '', passwordFile: services })
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    await store[Symbol.asyncDispose]()
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    const [code] = await exited
    return code
  }
  return {
    dataDirectory: directory,
    natsUrl: facts['natsUrl'] ?? '',
    bus: { servers: facts['natsUrl'] ?? '', user: 'services', passwordFile: services },
    reader: basic(accountIn(secrets, 'reader')),
    clickhouseUrl: url,
    apiUrl: facts['apiUrl'] ?? '',
    store,
    process: child,
    output: () => output,
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
      if (dataDirectory === undefined) await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Only what stores: NATS, ClickHouse, the processor. */
export const storeOnly = { STANDALONE_STAGES: 'store', STANDALONE_PROVIDER: 'none' } as const

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `strikeflow ARGS` as a person would and waits for its end. */
export async function strikeflow(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const child = spawn(process.execPath, [join(root, 'services/cli/main.ts'), ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (text) => (stdout += String(text)))
  child.stderr.on('data', (text) => (stderr += String(text)))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}
