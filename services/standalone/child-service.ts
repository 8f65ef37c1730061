import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { StrikeflowError } from '../../shared/model/errors.ts'
import type { Guard } from '../../shared/runtime/guard.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import { RestartDelay } from './restart-delay.ts'

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
}

export type ChildState = 'starting' | 'running' | 'restarting' | 'ended' | 'stopped'
/** What a service said in its ready line. */
export type ReadyFacts = Readonly<Record<string, string | number>>

/** SIGTERM first; a service that has not come to rest by then is killed. */
const stopLimitMs = 20_000

/** A service as a process of its own, started again whenever it ends unasked. */
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
  readonly #firstReady = Promise.withResolvers<ReadyFacts>()
  readonly #ended = Promise.withResolvers<number>()

  /** The guard ends its process where this one can no longer do so. */
  constructor(spec: ChildSpec, log: Logger, guard: Guard) {
    this.spec = spec
    this.#log = log
    this.#guard = guard
    this.#firstReady.promise.catch(() => {})
    void this.#supervise()
  }

  get state(): ChildState {
    return this.#state
  }

  get restarts(): number {
    return this.#restarts
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
      const code = await this.#runOnce(freshEnv)
      const livedMs = performance.now() - startedMs
      this.#facts = null
      // What never came up will not come up by being started again: a wrong setting, a busy port.
      const isDone = this.spec.endsByItself === true && code === 0
      if (isDone || this.#stopping || !this.#wasReady) {
        this.#state = this.#stopping ? 'stopped' : 'ended'
        this.#ended.resolve(code)
        this.#firstReady.reject(new StrikeflowError('internal', this.#whyItEnded(code)))
        return
      }
      this.#restarts += 1
      this.#state = 'restarting'
      this.#log.warn(
        { child: this.spec.name, exitCode: code, restarts: this.#restarts },
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

  async #runOnce(freshEnv: Readonly<Record<string, string>>): Promise<number> {
    const logStream = createWriteStream(this.spec.logFile, { flags: 'a' })
    // A full disk must not end the supervisor as well.
    logStream.on('error', (err) => this.#log.error({ err, file: this.spec.logFile }, 'cannot write a service log'))
    // A group of its own: Ctrl-C in the terminal must reach the services through us, in order, not all at once.
    const child = spawn(process.execPath, this.spec.args, {
      env: { ...this.spec.env, ...freshEnv, ...this.#pinned },
      // The channel carries nothing; its end tells the service that this process is gone, even after kill -9.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    })
    this.#child = child
    child.once('exit', this.#guard.watch(child.pid))
    if (child.stderr !== null)
      createInterface({ input: child.stderr }).on('line', (line) => this.#onLog(line, logStream))
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on('line', (line) => this.#onLine(line, logStream))
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    this.#child = null
    if (signal !== null) logStream.write(`{"msg":"killed by ${signal}"}\n`)
    logStream.end()
    return code ?? 128
  }

  #onLog(line: string, logStream: NodeJS.WritableStream): void {
    logStream.write(`${line}\n`)
    this.#lastFatal = fatalMessage(line) ?? this.#lastFatal
  }

  #whyItEnded(code: number): string {
    const why = this.#lastFatal === null ? `ended with code ${code}` : `could not start: ${this.#lastFatal}`
    return `${this.spec.name} ${why} (log: ${this.spec.logFile})`
  }

  #onLine(line: string, logStream: NodeJS.WritableStream): void {
    const facts = readyFacts(line)
    if (facts === null) {
      logStream.write(`${line}\n`)
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
    if (child === null || child.exitCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    const forced = setTimeout(() => {
      this.#log.error({ child: this.spec.name, limitMs: stopLimitMs }, 'service did not stop, killing it')
      child.kill('SIGKILL')
    }, stopLimitMs)
    await exited
    clearTimeout(forced)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
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
