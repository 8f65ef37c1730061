import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { patientMs } from './patience.ts'

/** A process that was started. */
export interface Running {
  readonly pid: number
  readonly exited: Promise<number | NodeJS.Signals | null>
  signal(signal: NodeJS.Signals): void
}

export type Environment = Readonly<Record<string, string>>

/** Starts it; `extra` is added to its environment this once. */
export type Launch = (extra: Environment) => Promise<Running>

export const partKinds = ['processor', 'nats', 'clickhouse', 'archiver', 'publisher', 'exporter', 'api'] as const
export type PartKind = (typeof partKinds)[number]

const restartMs = 300
/** A service breaks its stop off by itself after 25 s, with code 1. */
const brokenOffMs = 25_000
const stopLimitMs = 30_000

/** An exit nobody here asked for, or a stop that ended with another code than 0. */
export interface OwnEnd {
  readonly text: string
  /** It is no fault of the product: it counts, and is no violation. */
  readonly isExcused: boolean
}

/** One process of the stack under torture, started again when it ends and should not have. */
export class Part implements AsyncDisposable {
  readonly name: string
  readonly kind: PartKind
  readonly ownEnds: OwnEnd[] = []
  starts = 0
  readonly #launch: Launch
  #running: Running | null = null
  #isWanted = false
  #isEnding = false
  /** It was started to kill itself, at the latest while it stops. */
  #isDoomed = false
  #starting: Promise<void> | null = null

  constructor(kind: PartKind, name: string, launch: Launch) {
    this.kind = kind
    this.name = name
    this.#launch = launch
  }

  get isUp(): boolean {
    return this.#running !== null
  }

  get isWanted(): boolean {
    return this.#isWanted
  }

  get pid(): number {
    return this.#running?.pid ?? 0
  }

  /** Stopped by SIGSTOP, its own or another's. */
  get isFrozen(): boolean {
    return this.#running !== null && isStopped(this.#running.pid)
  }

  start(extra: Environment = {}): Promise<void> {
    this.#isWanted = true
    this.#starting ??= this.#startNow(extra).finally(() => {
      this.#starting = null
    })
    return this.#starting
  }

  /** Starts it to end by itself, at a named point; resolves when it has. It stays away then. */
  async startToEnd(extra: Environment): Promise<void> {
    await this.start(extra)
    this.#isDoomed = true
    this.#isWanted = false
    await this.#running?.exited
  }

  /** SIGKILL, awaited. It stays away until it is started. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** SIGTERM, awaited, SIGKILL where that takes too long; false then. */
  async stop(): Promise<boolean> {
    const fromMs = performance.now()
    const limit = new AbortController()
    const late = delay(patientMs(stopLimitMs), 'late', { signal: limit.signal }).catch(() => null)
    const ended = this.#end('SIGTERM')
    const end = await Promise.race([ended, late])
    limit.abort()
    if (end === 'late') await this.kill()
    // SIGTERM: it had not come to its handler yet. nats-server ends with 1 at every stop.
    else if (end !== 0 && end !== null && end !== 'SIGTERM' && this.kind !== 'nats' && !this.#isDoomed) {
      const tookMs = performance.now() - fromMs
      // Its limit does not grow with the load as those here do.
      const isTooBusy = tookMs >= brokenOffMs && patientMs(1) > 1
      this.#tell(`${end} when told to stop, after ${(tookMs / 1000).toFixed(1)} s`, isTooBusy)
    }
    return end !== 'late'
  }

  /** Nothing here takes a server away for as long as a service may take to stop; so a stop ends with 0, whatever is away. */
  #tell(text: string, isTooBusy = false): void {
    // The embedded engine does not live through everything that happens to its disk; the product's part is to bring it up again.
    this.ownEnds.push({ text, isExcused: isTooBusy || this.kind === 'clickhouse' })
  }

  freeze(): void {
    this.#running?.signal('SIGSTOP')
  }

  thaw(): void {
    this.#running?.signal('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw()
    await this.kill()
  }

  async #startNow(extra: Environment): Promise<void> {
    if (this.#running !== null) return
    const running = await this.#launch(extra)
    this.starts += 1
    this.#running = running
    this.#isEnding = false
    this.#isDoomed = false
    void running.exited.then((end) => this.#ended(running, end))
    // Somebody changed his mind while it started.
    if (!this.#isWanted) await this.kill()
  }

  #ended(running: Running, end: number | NodeJS.Signals | null): void {
    if (this.#running !== running) return
    this.#running = null
    if (this.#isEnding || !this.#isWanted) return
    this.#tell(String(end))
    void this.#restart()
  }

  async #restart(): Promise<void> {
    await delay(restartMs)
    if (this.#isWanted) await this.start()
  }

  /** Resolves with how it ended; null where it did not run. */
  async #end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    this.#isWanted = false
    if (this.#starting !== null) await this.#starting.catch(() => {})
    const running = this.#running
    if (running === null) return null
    this.#isEnding = true
    if (signal === 'SIGTERM') running.signal('SIGCONT')
    running.signal(signal)
    const end = await running.exited
    if (this.#running === running) this.#running = null
    return end
  }
}

export function isStopped(pid: number): boolean {
  try {
    return /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

export interface NodeScript {
  readonly script: string
  readonly env: Environment
  /** Of Node, before the script. */
  readonly flags?: readonly string[]
  readonly args?: readonly string[]
  /** Resolves the start only with the ready line. */
  readonly untilReady?: boolean
  /** Its log is appended there. */
  readonly logFile: string
  /** Called with its ready line. */
  readonly onReady?: (line: Readonly<Record<string, string>>) => void
}

const root = new URL('../../', import.meta.url).pathname

/** Starts a script of this project with nothing in its environment but what is given; it ends with this process. */
export function launchNode(options: NodeScript): Launch {
  const { script, env, flags = [], args = [], untilReady = false, logFile, onReady } = options
  return async (extra) => {
    const log = openSync(logFile, 'a')
    const child = spawn(process.execPath, [...flags, `${root}${script}`, ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', log, 'ipc'],
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env, ...extra },
    })
    closeSync(log)
    const running = runningOf(child)
    const ready = Promise.withResolvers<void>()
    createInterface({ input: child.stdout as Readable }).on('line', (line) => {
      if (!line.startsWith('{')) return
      onReady?.(JSON.parse(line) as Record<string, string>)
      ready.resolve()
    })
    if (untilReady) await Promise.race([ready.promise, running.exited])
    return running
  }
}

const runningOf = (child: ChildProcess): Running => ({
  pid: child.pid ?? 0,
  exited: once(child, 'exit').then(([code, signal]) => (signal ?? code) as number | NodeJS.Signals | null),
  signal: (signal) => void child.kill(signal),
})
