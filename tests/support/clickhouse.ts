import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { nodeFlags } from '../../services/standalone/clickhouse/node-flags.ts'

export interface TestClickHouse extends AsyncDisposable {
  readonly url: string
  readonly dataDir: string
  readonly pid: number
  readonly engineVersion: string
  /** The two users of the port, with their passwords. */
  readonly accounts: Readonly<Record<'services' | 'reader', Account>>
  /** Where our services find it, and as whom: for `openStore`. */
  readonly account: Account & { readonly url: string }
  /** The same as environment variables of a service of ours. */
  readonly env: Readonly<Record<string, string>>
  /** Runs a statement that changes the state of the server, such as SYSTEM STOP MERGES, past the port. */
  control(sql: string): Promise<void>
  /** What the process wrote to stderr so far: JSON lines. */
  log(): string
  /** SIGKILL, awaited; the data directory stays, for a second start on it. */
  kill9(): Promise<void>
  /** SIGTERM, awaited; returns the exit code. */
  stop(): Promise<number | null>
}

/** In the form in which `openStore` takes it. */
export interface Account {
  readonly user: string
  readonly password: string
}

export interface StartClickHouseOptions {
  /** @default a temporary one, removed on dispose */
  readonly dataDir?: string
  /** @default 0: any free port */
  readonly port?: number
  /** Further flags of the process: `['--max-sessions', '2']`. */
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

const mainFile = new URL('../../services/standalone/clickhouse/main.ts', import.meta.url).pathname
const startTimeoutMs = 120_000

/** Starts a real embedded ClickHouse as a process of its own; stopped when disposed. Its passwords lie below its data directory. */
export async function startClickHouse(options: StartClickHouseOptions = {}): Promise<TestClickHouse> {
  const isTemporary = options.dataDir === undefined
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'strikeflow-clickhouse-')))
  const flags = ['--data-dir', dataDir, '--port', String(options.port ?? 0), '--exit-with-parent', 'true']
  const child = spawn(process.execPath, [...nodeFlags, mainFile, ...flags, ...(options.args ?? [])], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...options.env },
  })
  let logged = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (logged += text))
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  const ready = await readyLine(child, exited, () => logged)
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    return exited
  }
  const services = accountIn(ready.secretsDir, 'services')
  return {
    url: ready.url,
    account: { url: ready.url, ...services },
    env: { CLICKHOUSE_URL: ready.url, CLICKHOUSE_USER: services.user, CLICKHOUSE_PASSWORD: services.password },
    dataDir,
    pid: child.pid ?? 0,
    engineVersion: ready.engineVersion,
    accounts: { services, reader: accountIn(ready.secretsDir, 'reader') },
    control: (sql) => control(child, sql),
    log: () => logged,
    async kill9() {
      await end('SIGKILL')
    },
    stop: () => end('SIGTERM'),
    async [Symbol.asyncDispose]() {
      await end('SIGTERM')
      if (isTemporary) await rm(dataDir, { recursive: true, force: true })
    },
  }
}

export const accountIn = (secretsDir: string, user: string): Account => ({
  user,
  password: readFileSync(join(secretsDir, user), 'utf8').trim(),
})

let asked = 0

/** Asks the embedded ClickHouse over the channel of its process, which only its parent has. */
export function control(child: ChildProcess, sql: string): Promise<void> {
  asked += 1
  const id = asked
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      child.off('message', onReply)
      child.off('exit', onExit)
      if (error === undefined) resolve()
      else reject(error)
    }
    const onReply = (reply: { readonly id?: number; readonly error?: string | null }): void => {
      if (reply.id !== id) return
      settle(typeof reply.error === 'string' ? new Error(reply.error) : undefined)
    }
    const onExit = (): void => settle(new Error('The embedded ClickHouse has ended'))
    child.on('message', onReply).once('exit', onExit)
    child.send({ id, control: sql }, (error) => {
      if (error !== null) settle(error)
    })
  })
}

interface ReadyLine {
  readonly url: string
  readonly secretsDir: string
  readonly engineVersion: string
}

async function readyLine(
  child: ChildProcess,
  exited: Promise<number | null>,
  logged: () => string,
): Promise<ReadyLine> {
  if (child.stdout === null) throw new Error('Expected a pipe as stdout')
  const line = once(createInterface({ input: child.stdout }), 'line').then(
    ([text]) => JSON.parse(String(text)) as ReadyLine,
  )
  const failed = exited.then((code) => {
    throw new Error(`Embedded ClickHouse ended with ${code} before it was ready:\n${logged()}`)
  })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`Embedded ClickHouse was not ready after ${startTimeoutMs} ms:\n${logged()}`))
    }, startTimeoutMs)
  })
  failed.catch(() => undefined)
  return Promise.race([line, failed, late]).finally(() => clearTimeout(timer))
}

interface HttpReply {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

type Parameters = Readonly<Record<string, string>>

export interface ClickHouseHttp {
  /** POST with these URL parameters. */
  readonly send: (parameters: Parameters, init?: RequestInit) => Promise<HttpReply>
  /** POST with the SQL as the body. */
  readonly run: (sql: string, parameters?: Parameters) => Promise<HttpReply>
  /** Like `run`, but throws what the server answers to a failure; returns the result without its last line end. */
  readonly ok: (sql: string, parameters?: Parameters) => Promise<string>
}

/** The header that says who asks. */
export const basic = ({ user, password }: Account): { readonly Authorization: string } => ({
  Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})

/** Plain HTTP to a server, for tests of the interface itself. */
export function httpTo(
  server: () => Pick<TestClickHouse, 'url' | 'accounts'>,
  user: keyof TestClickHouse['accounts'] = 'services',
): ClickHouseHttp {
  const send: ClickHouseHttp['send'] = async (parameters, init = {}) => {
    const { url, accounts } = server()
    const search = new URLSearchParams(parameters).toString()
    const headers = new Headers(init.headers)
    if (!headers.has('Authorization')) headers.set('Authorization', basic(accounts[user]).Authorization)
    const response = await fetch(`${url}/?${search}`, { method: 'POST', ...init, headers })
    return { status: response.status, text: await response.text(), headers: response.headers }
  }
  const run: ClickHouseHttp['run'] = (sql, parameters = {}) => send(parameters, { body: sql })
  return {
    send,
    run,
    async ok(sql, parameters) {
      const { status, text } = await run(sql, parameters)
      if (status !== 200) throw new Error(`${status}: ${text}`)
      return text.trimEnd()
    },
  }
}
