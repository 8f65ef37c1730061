import { setTimeout as delay } from 'node:timers/promises'
import type { Guard } from '../../shared/runtime/guard.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import type { ChildState } from './child-service.ts'
import { CpuWait, hangLimits, HangWatch, lookMs } from './hang-watch.ts'
import { type NatsServer, type NatsServerOptions, startNats } from './nats/nats-server.ts'
import { greets } from './nats/probe.ts'

const firstRestartDelayMs = 250
/** As long as the disk is full every start fails. */
const longestRestartDelayMs = 5_000

interface Supervision {
  /** Ends the server where this process no longer can. */
  readonly guard: Guard
  /** A server that greets no client for so long is killed. 0: never. */
  readonly hangSeconds: number
}

/** The nats-server of the stack, started again on its port and store whenever it ends unasked or hangs. */
export class SupervisedNats implements AsyncDisposable {
  readonly spec = { name: 'nats' } as const
  readonly url: string
  readonly #options: NatsServerOptions
  readonly #supervision: Supervision
  readonly #log: Logger
  #server: NatsServer
  #state: ChildState = 'running'
  #restarts = 0
  #lastEnd: string | null = null
  /** Why this process killed it; null when it did not. */
  #killedFor: string | null = null
  #isAsking = false
  #supervising: Promise<void>
  readonly #watching: NodeJS.Timeout

  static async start(options: NatsServerOptions, supervision: Supervision): Promise<SupervisedNats> {
    return new SupervisedNats(options, supervision, await startGuarded(options, supervision))
  }

  private constructor(options: NatsServerOptions, supervision: Supervision, server: NatsServer) {
    this.#options = { ...options, port: server.port }
    this.#supervision = supervision
    this.#log = options.log
    this.#server = server
    this.url = server.url
    this.#supervising = this.#supervise()
    this.#watching = this.#watchForHang()
  }

  get state(): ChildState {
    return this.#state
  }

  get restarts(): number {
    return this.#restarts
  }

  get lastEnd(): string | null {
    return this.#lastEnd
  }

  get pid(): number {
    return this.#server.pid
  }

  /** Ends the server in order; it is started again like after any other end. */
  async restart(why: string): Promise<void> {
    if (this.#state !== 'running') return
    this.#killedFor = why
    this.#log.warn({ pid: this.pid, why }, 'restarting nats-server')
    await this.#server.stop()
  }

  async #supervise(): Promise<void> {
    for (;;) {
      const { code, signal } = await this.#server.exited
      if (this.#state === 'stopped') return
      this.#state = 'restarting'
      this.#restarts += 1
      this.#lastEnd = this.#killedFor ?? (signal === null ? `ended with code ${code}` : `killed by ${signal}`)
      this.#killedFor = null
      this.#log.warn(
        { exitCode: code, signal, why: this.#lastEnd, restarts: this.#restarts },
        'nats-server ended, starting it again',
      )
      await this.#startAgain()
    }
  }

  async #startAgain(): Promise<void> {
    let delayMs = firstRestartDelayMs
    while (this.#state === 'restarting') {
      await delay(delayMs)
      delayMs = Math.min(longestRestartDelayMs, 2 * delayMs)
      try {
        this.#server = await startGuarded(this.#options, this.#supervision)
        // The stop may have come while it was starting, and then nobody else would end it.
        if (this.#state === 'restarting') this.#state = 'running'
        else await this.#server.stop()
      } catch (err) {
        this.#log.error({ err }, 'nats-server does not start')
      }
    }
  }

  /** Asks the server once a second to greet a client, and kills it when it hangs. */
  #watchForHang(): NodeJS.Timeout {
    const { hangSeconds } = this.#supervision
    const limits = hangLimits(hangSeconds === 0 ? Infinity : hangSeconds)
    let watch = new HangWatch(lookMs)
    let wait = new CpuWait(this.pid, 'all')
    let watched = this.pid
    let lastMs = performance.now()
    return setInterval(() => {
      const nowMs = performance.now()
      const elapsedMs = nowMs - lastMs
      lastMs = nowMs
      if (watched !== this.pid || this.#state !== 'running') {
        watched = this.pid
        watch = new HangWatch(lookMs)
        wait = new CpuWait(watched, 'all')
        return
      }
      watch.look(elapsedMs, wait.sinceLastMs())
      void this.#ask(watch)
      if (watch.hangs(limits) && this.#killedFor === null) this.#kill(`hung for ${watch.silentSeconds} s`)
    }, lookMs)
  }

  async #ask(watch: HangWatch): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    if (await greets(this.#server.port)) watch.alive()
    this.#isAsking = false
  }

  #kill(why: string): void {
    this.#killedFor = why
    this.#log.error({ pid: this.pid, why }, 'killing nats-server')
    this.#server.kill('SIGKILL')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state = 'stopped'
    clearInterval(this.#watching)
    await this.#server.stop()
    await this.#supervising
  }
}

async function startGuarded(options: NatsServerOptions, { guard }: Supervision): Promise<NatsServer> {
  const server = await startNats(options)
  void server.exited.then(guard.watch(server.pid))
  return server
}
