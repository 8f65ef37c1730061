import { type ChildProcess, spawn } from 'node:child_process'
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
  /** What the process wrote to stderr so far: JSON lines. */
  log(): string
  /** SIGKILL, awaited; the data directory stays, for a second start on it. */
  kill9(): Promise<void>
  /** SIGTERM, awaited; returns the exit code. */
  stop(): Promise<number | null>
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

/**
 * Starts a real embedded ClickHouse as a process of its own; stopped when disposed. Users `default`, `strikeflow` (write),
 * `strikeflow_api` and `strikeflow_grafana` (read), none with a password.
 */
export async function startClickHouse(options: StartClickHouseOptions = {}): Promise<TestClickHouse> {
  const isTemporary = options.dataDir === undefined
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'strikeflow-clickhouse-')))
  const flags = ['--data-dir', dataDir, '--port', String(options.port ?? 0), '--exit-with-parent', 'true']
  const child = spawn(process.execPath, [...nodeFlags, mainFile, ...flags, ...(options.args ?? [])], {
    stdio: ['ignore', 'pipe', 'pipe'],
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
  return {
    url: ready.url,
    dataDir,
    pid: child.pid ?? 0,
    engineVersion: ready.engineVersion,
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

interface ReadyLine {
  readonly url: string
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

/** Plain HTTP to a server, for tests of the interface itself. */
export function httpTo(url: () => string): ClickHouseHttp {
  const send: ClickHouseHttp['send'] = async (parameters, init = {}) => {
    const search = new URLSearchParams(parameters).toString()
    const response = await fetch(`${url()}/?${search}`, { method: 'POST', ...init })
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
