import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import type { Logger } from '../../../shared/runtime/logger.ts'
import { writeAtomically } from '../../../shared/runtime/atomic-file.ts'
import { accountLines, adoptStreams, type NatsPasswords } from './accounts.ts'
import { endWithParent } from './end-with-parent.ts'
import { ensureNatsServer } from '../../../shared/runtime/find-nats-server.ts'
import { endOrphan, type OrphanFiles } from './orphan.ts'

export interface NatsServerOptions {
  /** Store, config and log of the server; a later start on it goes on with the same messages. */
  readonly dataDir: string
  readonly log: Logger
  /** 0 or -1 takes any free port. @default -1 */
  readonly port?: number
  /** Bytes all streams together may reserve. @default 4 GB */
  readonly maxStoreBytes?: number
  /** Unsent bytes to one client at which the server cuts it off. @default 256 MB */
  readonly maxPendingBytes?: number
  /** @default 20000 */
  readonly startTimeoutMs?: number
  /** The server to run. @default the machine's own, else the project's copy */
  readonly binary?: string
  /** Its own among the servers of a cluster. @default 'strikeflow' */
  readonly name?: string
  /** Each message is on the disk before it is acknowledged; servers before 2.10 refuse to start with it. */
  readonly syncAlways?: boolean
  /** Lets in the users `services` and `reader` only. @default everybody who reaches the port */
  readonly passwords?: NatsPasswords
  /** Further lines of its configuration. */
  readonly configuration?: readonly string[]
}

export interface NatsServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly pid: number
  readonly logFile: string
  /** Resolves when the process has ended, asked or not. */
  readonly exited: Promise<NatsExit>
  /** Sends a signal and does not wait. */
  kill(signal: NodeJS.Signals): void
  /** Ends the server in order, the store flushed; SIGKILL when that takes too long. */
  stop(): Promise<void>
}

interface NatsExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const gb = 1024 ** 3
const stopLimitMs = 10_000

/** Starts a real nats-server with JetStream on loopback and waits until it serves. */
export async function startNats(options: NatsServerOptions): Promise<NatsServer> {
  const { log, startTimeoutMs = 20_000 } = options
  const binary = options.binary ?? (await ensureNatsServer(log))
  const dataDir = resolve(options.dataDir)
  const files = filesIn(dataDir)
  await endOrphan(files, log)
  await rm(files.portsDir, { recursive: true, force: true })
  await mkdir(files.portsDir, { recursive: true })
  if (options.passwords !== undefined) adoptStreams(files.storeDir)
  // It may hold passwords, and one of an earlier version is readable by everybody: replaced, not written into.
  await writeAtomically(files.configFile, [Buffer.from(serverConfig(options, files))], 0o600)
  await writeFile(files.ownerFile, String(process.pid))
  const logHandle = await open(files.logFile, 'a')
  const { size: logStart } = await logHandle.stat()
  // A process group of its own: Ctrl-C in the terminal must not end the bus before those who use it.
  const child = spawn(binary, ['-c', files.configFile], {
    stdio: ['ignore', logHandle.fd, logHandle.fd],
    detached: true,
  })
  const exited = exitOf(child)
  try {
    const port = await untilReady({ ...files, exited, logStart, startTimeoutMs, wanted: options.port ?? -1 })
    log.info({ pid: child.pid ?? 0, port, binary }, 'nats-server started')
    return natsServer(child, exited, port, files.logFile)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  } finally {
    await logHandle.close()
  }
}

interface ServerFiles extends OrphanFiles {
  readonly portsDir: string
  readonly storeDir: string
  readonly logFile: string
}

const filesIn = (dataDir: string): ServerFiles => ({
  portsDir: join(dataDir, 'ports'),
  storeDir: join(dataDir, 'store'),
  logFile: join(dataDir, 'nats-server.log'),
  configFile: join(dataDir, 'nats-server.conf'),
  pidFile: join(dataDir, 'nats-server.pid'),
  ownerFile: join(dataDir, 'owner.pid'),
})

function serverConfig(
  {
    port = -1,
    maxStoreBytes = 4 * gb,
    maxPendingBytes = gb / 4,
    name = 'strikeflow',
    syncAlways = false,
    passwords,
    configuration = [],
  }: NatsServerOptions,
  { portsDir, storeDir, pidFile }: ServerFiles,
): string {
  // JSON strings are valid here, and a path may hold anything. No sync_interval by itself: 2.9 refuses to start with it.
  return [
    `server_name: ${JSON.stringify(name)}`,
    'host: "127.0.0.1"',
    // The server's own meaning of 0 is its default port.
    `port: ${port === 0 ? -1 : port}`,
    `ports_file_dir: ${JSON.stringify(portsDir)}`,
    `pid_file: ${JSON.stringify(pidFile)}`,
    'max_payload: 8MB',
    `max_pending: ${maxPendingBytes}`,
    'jetstream {',
    `  store_dir: ${JSON.stringify(storeDir)}`,
    '  max_mem: 64MB',
    `  max_file: ${maxStoreBytes}`,
    ...(syncAlways ? ['  sync_interval: always'] : []),
    '}',
    ...(passwords === undefined ? [] : accountLines(passwords)),
    ...configuration,
    '',
  ].join('\n')
}

function exitOf(child: ChildProcess): Promise<NatsExit> {
  const { promise, resolve } = Promise.withResolvers<NatsExit>()
  child.once('exit', (code, signal) => resolve({ code, signal }))
  child.once('error', () => resolve({ code: null, signal: null }))
  return promise
}

interface Start extends ServerFiles {
  readonly exited: Promise<NatsExit>
  readonly logStart: number
  readonly startTimeoutMs: number
  readonly wanted: number
}

/** The ports file says where it listens, its log that it serves: after the store has been recovered. */
async function untilReady(start: Start): Promise<number> {
  const { exited, portsDir, startTimeoutMs, logFile } = start
  const until = performance.now() + startTimeoutMs
  let hasExited = false
  void exited.then(() => (hasExited = true))
  while (performance.now() < until) {
    if (hasExited) throw await startError(start)
    const port = await readPort(portsDir)
    if (port !== null && (await newLog(start)).includes('Server is ready')) return port
    await sleep(20)
  }
  throw new StrikeflowError('timeout', `nats-server was not ready after ${startTimeoutMs} ms, see ${logFile}`)
}

async function readPort(portsDir: string): Promise<number | null> {
  const file = (await readdir(portsDir)).find((name) => name.endsWith('.ports'))
  if (file === undefined) return null
  const text = await readFile(join(portsDir, file), 'utf8')
  const port = /nats:\/\/[^"]*:(\d+)/.exec(text)?.[1]
  return port === undefined ? null : Number(port)
}

const newLog = async ({ logFile, logStart }: Start): Promise<string> =>
  (await readFile(logFile)).subarray(logStart).toString()

async function startError(start: Start): Promise<StrikeflowError> {
  const { code, signal } = await start.exited
  const text = await newLog(start)
  if (/address already in use/i.test(text)) {
    return new StrikeflowError('config', `port ${start.wanted} on 127.0.0.1 is in use by another process (nats-server)`)
  }
  const reason = text.split('\n').findLast((line) => /\[(FTL|ERR)\]|nats-server:/.test(line)) ?? text.slice(-300)
  const end = signal ?? `code ${code}`
  return new StrikeflowError('config', `nats-server ended at its start (${end}): ${reason.trim()} (${start.logFile})`)
}

function natsServer(child: ChildProcess, exited: Promise<NatsExit>, port: number, logFile: string): NatsServer {
  const callOff = endWithParent(child.pid ?? 0)
  void exited.then(callOff)

  async function stop(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    const limit = setTimeout(() => child.kill('SIGKILL'), stopLimitMs)
    await exited
    clearTimeout(limit)
  }
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    pid: child.pid ?? 0,
    logFile,
    exited,
    kill: (signal) => void child.kill(signal),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
