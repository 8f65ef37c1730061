import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { StrikeflowError } from '../../shared/model/errors.ts'
import type { Guard } from '../../shared/runtime/guard.ts'
import { heartbeat } from '../../shared/runtime/heartbeat.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import { CpuWait, hangLimits, HangWatch, lookMs } from './hang-watch.ts'
import { RestartDelay } from './restart-delay.ts'
import { ServiceLog } from './service-log.ts'

export interface ChildSpec {
  readonly name: string
  /** Script and arguments for node. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Settings that depend on when it starts; asked for before each start. */
  readonly freshEnv?: () => Promise<Readonly<Record<string, string>>>
  readonly logFile: string
  /** True for a job that ends by itself: with exit code 0 it is done. @default false */
  readonly endsByItself?: boolean
  /** Its event loop may stand for this long, with the CPU it needs, before it is killed. 0: for ever. */
  readonly hangSeconds: number
  /** True where opening what it serves may hold its event loop for minutes. @default false */
  readonly blocksAtStart?: boolean
}

export type ChildState = 'starting' | 'running' | 'restarting' | 'ended' | 'stopped'
/** What a service said in its ready line. */
export type ReadyFacts = Readonly<Record<string, string | number>>

/** SIGTERM first; a service that has not come to rest by then is killed. */
const stopLimitMs = 20_000

/** While modules are loaded, and while a large database is opened, no heartbeat comes. */
const loadSeconds = 120
const blockingStartSeconds = 1_800

/** A service as a process of its own, started again whenever it ends unasked or its event loop stands. */
export class ChildService implements AsyncDisposable {
  readonly spec: ChildSpec
  readonly #log: Logger
  readonly #guard: Guard
  #child: ChildProcess | null = null
  #state: ChildState = 'starting'
  readonly #restartDelay = new RestartDelay()
  #restarts = 0
  #stopping = false
  #facts: ReadyFacts | null = null
  #pinned: Readonly<Record<string, string>> = {}
  #wasReady = false
  #lastFatal: string | null = null
  #lastEnd: string | null = null
  readonly #serviceLog: ServiceLog
  readonly #firstReady = Promise.withResolvers<ReadyFacts>()
  readonly #ended = Promise.withResolvers<number>()

  /** The guard ends its process where this one can no longer do so. */
  constructor(spec: ChildSpec, log: Logger, guard: Guard) {
    this.spec = spec
    this.#log = log
    this.#guard = guard
    this.#serviceLog = new ServiceLog(spec.logFile, log)
    this.#firstReady.promise.catch(() => {})
    void this.#supervise()
  }

  get state(): ChildState {
    return this.#state
  }

  get restarts(): number {
    return this.#restarts
  }

  /** Why it was started again the last time; null before that. */
  get lastEnd(): string | null {
    return this.#lastEnd
  }

  /** Log lines that are missing because the disk was full, until it takes lines again. */
  get missingLogLines(): number {
    return this.#serviceLog.missing
  }

  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  /** Of the process running now; null while it is starting. */
  get facts(): ReadyFacts | null {
    return this.#facts
  }

  /** Resolves when it is up for the first time; rejects when it ends before that. */
  get ready(): Promise<ReadyFacts> {
    return this.#firstReady.promise
  }

  /** Resolves with the exit code of a job that ends by itself. */
  get ended(): Promise<number> {
    return this.#ended.promise
  }

  /** Settings for every later start, such as the port others have been told. */
  pin(env: Readonly<Record<string, string>>): void {
    this.#pinned = env
  }

  async #supervise(): Promise<void> {
    while (!this.#stopping) {
      const freshEnv = await this.#freshEnvironment()
      if (this.#stopping) break
      const startedMs = performance.now()
      const { code, why } = await this.#runOnce(freshEnv)
      const livedMs = performance.now() - startedMs
      this.#facts = null
      // What never came up will not come up by being started again: a wrong setting, a busy port.
      const isDone = this.spec.endsByItself === true && code === 0
      if (isDone || this.#stopping || !this.#wasReady) {
        this.#state = this.#stopping ? 'stopped' : 'ended'
        this.#ended.resolve(code)
        this.#firstReady.reject(new StrikeflowError('internal', this.#whyItEnded(why)))
        return
      }
      this.#restarts += 1
      this.#lastEnd = why
      this.#state = 'restarting'
      this.#log.warn(
        { child: this.spec.name, exitCode: code, why, restarts: this.#restarts },
        'service ended, starting it again',
      )
      await delay(this.#restartDelay.after(livedMs))
    }
    this.#state = 'stopped'
  }

  async #freshEnvironment(): Promise<Readonly<Record<string, string>>> {
    while (this.spec.freshEnv !== undefined && !this.#stopping) {
      try {
        return await this.spec.freshEnv()
      } catch (err) {
        this.#log.warn({ err, child: this.spec.name }, 'cannot prepare the start yet')
        await delay(1000)
      }
    }
    return {}
  }

  async #runOnce(freshEnv: Readonly<Record<string, string>>): Promise<{ readonly code: number; readonly why: string }> {
    // A group of its own: Ctrl-C in the terminal must reach the services through us, in order, not all at once.
    const child = spawn(process.execPath, this.spec.args, {
      env: { ...this.spec.env, ...freshEnv, ...this.#pinned },
      // The channel brings heartbeats; its end tells the service that this process is gone, even after kill -9.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    })
    this.#child = child
    child.once('exit', this.#guard.watch(child.pid))
    onLines(child.stderr, (line) => this.#onLog(line))
    onLines(child.stdout, (line) => this.#onLine(line))
    const hang = this.#watchForHang(child)
    try {
      const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
      if (signal !== null) this.#serviceLog.write(JSON.stringify({ msg: `killed by ${signal}` }))
      const why = hang.found ?? (signal === null ? `ended with code ${code}` : `killed by ${signal}`)
      return { code: code ?? 128, why }
    } catch (err) {
      // Nothing was started: too many processes, no memory.
      this.#log.error({ err, child: this.spec.name }, 'cannot start the process')
      return { code: 1, why: `could not be started (${(err as NodeJS.ErrnoException).code ?? 'unknown'})` }
    } finally {
      hang.stop()
      this.#child = null
    }
  }

  /** Looks once a second whether the event loop of the child turns, and kills the child when it stands. */
  #watchForHang(child: ChildProcess): { found: string | null; readonly stop: () => void } {
    const watch = new HangWatch(lookMs)
    const wait = new CpuWait(child.pid ?? 0, 'main')
    let hasBeaten = false
    child.on('message', (message) => {
      if (message !== heartbeat) return
      hasBeaten = true
      watch.alive()
    })
    const hang = { found: null as string | null, stop: () => clearInterval(timer) }
    let lastMs = performance.now()
    const timer = setInterval(() => {
      const nowMs = performance.now()
      watch.look(nowMs - lastMs, wait.sinceLastMs())
      lastMs = nowMs
      if (hang.found !== null || this.#stopping || !watch.hangs(hangLimits(this.#hangSeconds(hasBeaten)))) return
      hang.found = `hung for ${watch.silentSeconds} s`
      this.#log.error(
        { child: this.spec.name, pid: child.pid, silentSeconds: watch.silentSeconds },
        'the event loop of the service stands, killing it',
      )
      child.kill('SIGKILL')
    }, lookMs)
    return hang
  }

  #hangSeconds(hasBeaten: boolean): number {
    const { hangSeconds, blocksAtStart = false } = this.spec
    if (hangSeconds === 0) return Infinity
    if (this.#facts === null && blocksAtStart) return blockingStartSeconds
    return hasBeaten ? hangSeconds : Math.max(loadSeconds, hangSeconds)
  }

  #onLog(line: string): void {
    this.#serviceLog.write(line)
    this.#lastFatal = fatalMessage(line) ?? this.#lastFatal
  }

  #whyItEnded(end: string): string {
    const why = this.#lastFatal === null ? end : `could not start: ${this.#lastFatal}`
    return `${this.spec.name} ${why} (log: ${this.spec.logFile})`
  }

  #onLine(line: string): void {
    const facts = readyFacts(line)
    if (facts === null) {
      this.#serviceLog.write(line)
      return
    }
    this.#facts = facts
    this.#wasReady = true
    this.#state = 'running'
    this.#firstReady.resolve(facts)
  }

  async stop(): Promise<void> {
    this.#stopping = true
    const child = this.#child
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    const forced = setTimeout(() => {
      this.#log.error({ child: this.spec.name, limitMs: stopLimitMs }, 'service did not stop, killing it')
      child.kill('SIGKILL')
    }, stopLimitMs)
    await exited
    clearTimeout(forced)
    this.#serviceLog[Symbol.dispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

function onLines(input: Readable | null, listener: (line: string) => void): void {
  if (input !== null) createInterface({ input }).on('line', listener)
}

/** Why a service gave up, from its log line of the highest level; null for any other line. */
function fatalMessage(line: string): string | null {
  if (line.startsWith('strikeflow: ')) return line.slice('strikeflow: '.length)
  if (!line.includes('"level":60')) return null
  try {
    const { err, problem, msg } = JSON.parse(line) as { err?: { message?: string }; problem?: string; msg?: string }
    return problem ?? err?.message ?? msg ?? null
  } catch {
    return null
  }
}

function readyFacts(line: string): ReadyFacts | null {
  if (!line.startsWith('{"ready":true')) return null
  try {
    return JSON.parse(line) as ReadyFacts
  } catch {
    return null
  }
}
