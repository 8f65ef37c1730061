import { setTimeout as delay } from 'node:timers/promises'
import type { Guard } from '../../shared/runtime/guard.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import type { ChildState } from './child-service.ts'
import { type NatsServer, type NatsServerOptions, startNats } from './nats/nats-server.ts'

const restartDelayMs = 250

/** The nats-server of the stack, started again on its port and store whenever it ends unasked. */
export class SupervisedNats implements AsyncDisposable {
  readonly spec = { name: 'nats' } as const
  readonly url: string
  readonly #options: NatsServerOptions
  readonly #log: Logger
  readonly #guard: Guard
  #server: NatsServer
  #state: ChildState = 'running'
  #restarts = 0
  #supervising: Promise<void>

  static async start(options: NatsServerOptions, guard: Guard): Promise<SupervisedNats> {
    return new SupervisedNats(options, await startGuarded(options, guard), guard)
  }

  private constructor(options: NatsServerOptions, server: NatsServer, guard: Guard) {
    this.#options = { ...options, port: server.port }
    this.#guard = guard
    this.#log = options.log
    this.#server = server
    this.url = server.url
    this.#supervising = this.#supervise()
  }

  get state(): ChildState {
    return this.#state
  }

  get restarts(): number {
    return this.#restarts
  }

  get pid(): number {
    return this.#server.pid
  }

  async #supervise(): Promise<void> {
    for (;;) {
      const { code, signal } = await this.#server.exited
      if (this.#state === 'stopped') return
      this.#state = 'restarting'
      this.#restarts += 1
      this.#log.warn({ exitCode: code, signal, restarts: this.#restarts }, 'nats-server ended, starting it again')
      await this.#startAgain()
    }
  }

  async #startAgain(): Promise<void> {
    while (this.#state === 'restarting') {
      await delay(restartDelayMs)
      try {
        this.#server = await startGuarded(this.#options, this.#guard)
        // The stop may have come while it was starting, and then nobody else would end it.
        if (this.#state === 'restarting') this.#state = 'running'
        else await this.#server.stop()
      } catch (err) {
        this.#log.error({ err }, 'nats-server does not start')
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state = 'stopped'
    await this.#server.stop()
    await this.#supervising
  }
}

async function startGuarded(options: NatsServerOptions, guard: Guard): Promise<NatsServer> {
  const server = await startNats(options)
  void server.exited.then(guard.watch(server.pid))
  return server
}
