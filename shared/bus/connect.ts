import { setTimeout as sleep } from 'node:timers/promises'
import { jetstream, type JetStreamClient, type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from 'nats'
import { StrikeflowError } from '../model/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import { readPasswordFile } from '../runtime/secrets.ts'
import { busError } from './errors.ts'
import { createFlowBudget, type FlowBudget } from './flow-budget.ts'
import type { BusAccount } from './settings.ts'

export interface BusOptions extends BusAccount {
  /** `nats://host:port`, one or several. */
  readonly servers: string | readonly string[]
  /** Shown by the server's monitoring and part of the inbox prefix, which permissions are written on. */
  readonly name: string
  readonly log: Logger
  /** Ordered sources open at the same time; they share the bytes under way. At most 40. @default 16 */
  readonly expectedSources?: number
  /** Ends the wait for the first connection. */
  readonly signal?: AbortSignal | undefined
}

/** One connection to NATS. Only `shared/bus` looks inside `connection`, `js` and `jsm`. */
export interface Bus extends AsyncDisposable {
  readonly name: string
  readonly log: Logger
  readonly inboxPrefix: string
  readonly connection: NatsConnection
  readonly js: JetStreamClient
  readonly jsm: JetStreamManager
  readonly budget: FlowBudget
  status(): 'connected' | 'disconnected'
  /** Resolves as soon as there is a connection; rejects when the signal aborts or the bus is closed for good. */
  connected(signal?: AbortSignal): Promise<void>
  /** Calls back at each change of the connection; returns the way to stop that. */
  onStatus(listener: (status: 'connected' | 'disconnected') => void): () => void
  /** Resolves when the connection is closed for good, with the error if it was not asked for: then the process should end. */
  readonly closed: Promise<Error | null>
}

const retryMs = 250
const drainLimitMs = 5_000

/** Connects, waiting as long as it takes for the first connection; afterwards reconnects for ever. */
export async function connectBus(options: BusOptions): Promise<Bus> {
  const connection = await firstConnection(options)
  try {
    const api = options.apiPrefix === undefined ? {} : { apiPrefix: options.apiPrefix }
    const js = jetstream(connection, api)
    return createBus(options, connection, js, await jetstreamManager(connection, { ...api, checkAPI: false }))
  } catch (error) {
    await connection.close()
    throw busError('cannot use the connection to NATS', error)
  }
}

async function firstConnection(options: BusOptions): Promise<NatsConnection> {
  const { servers, name, log, user, token, signal } = options
  const pass = options.passwordFile === undefined ? options.password : readPasswordFile(options.passwordFile)
  let attempt = 0
  while (true) {
    signal?.throwIfAborted()
    try {
      return await connect({
        servers: typeof servers === 'string' ? servers : [...servers],
        name,
        inboxPrefix: inboxPrefixOf(name),
        maxReconnectAttempts: -1,
        reconnectTimeWait: retryMs,
        reconnectJitter: retryMs,
        reconnectJitterTLS: retryMs,
        pingInterval: 10_000,
        timeout: 5_000,
        noAsyncTraces: true,
        ...(user === undefined ? {} : { user }),
        ...(pass === undefined ? {} : { pass }),
        ...(token === undefined ? {} : { token }),
      })
    } catch (cause) {
      const error = busError('cannot connect to NATS', cause)
      if (!error.retryable && !isRefused(cause)) throw error
      attempt += 1
      if (attempt % 20 === 1) log.warn({ servers, attempt, reason: error.message }, 'waiting for nats')
      await sleep(retryMs + Math.random() * retryMs, undefined, signal === undefined ? {} : { signal })
    }
  }
}

/** Each service has its own, so that permissions can keep one from reading another's replies. */
const inboxPrefixOf = (name: string): string => `_INBOX.${name.replaceAll(/[^A-Za-z0-9_-]/g, '_')}`

/** Nobody listens there yet, or the name does not resolve yet: both pass when the server comes up. */
const isRefused = (error: unknown): boolean => {
  const code =
    (error as NodeJS.ErrnoException).code ?? ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code
  return typeof code === 'string' && /^(ECONN|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EPIPE)/.test(code)
}

function createBus(
  { name, log, expectedSources = 16 }: BusOptions,
  connection: NatsConnection,
  js: JetStreamClient,
  jsm: JetStreamManager,
): Bus {
  const listeners = new Set<(status: 'connected' | 'disconnected') => void>()
  let status: 'connected' | 'disconnected' = 'connected'
  function become(next: 'connected' | 'disconnected'): void {
    if (status === next) return
    status = next
    for (const listener of listeners) listener(next)
  }
  void watch(connection, log, become)
  const closed = connection.closed().then((error) => {
    become('disconnected')
    return error instanceof Error ? error : null
  })
  const bus: Bus = {
    name,
    log,
    inboxPrefix: inboxPrefixOf(name),
    connection,
    js,
    jsm,
    budget: createFlowBudget(expectedSources),
    closed,
    status: () => status,
    onStatus(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    connected: (signal) => untilConnected(bus, signal),
    async [Symbol.asyncDispose]() {
      await close(connection, log)
    },
  }
  return bus
}

async function watch(
  connection: NatsConnection,
  log: Logger,
  become: (status: 'connected' | 'disconnected') => void,
): Promise<void> {
  for await (const event of connection.status()) {
    if (event.type === 'disconnect') {
      log.warn({ server: event.server }, 'nats disconnected')
      become('disconnected')
    } else if (event.type === 'reconnect') {
      log.info({ server: event.server }, 'nats reconnected')
      become('connected')
    } else if (event.type === 'error') {
      log.warn({ err: event.error }, 'nats reported an error')
    }
  }
}

async function untilConnected(bus: Bus, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  if (bus.connection.isClosed()) throw new StrikeflowError('bus', 'the connection to NATS is closed')
  if (bus.status() === 'connected') return
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const release = bus.onStatus((status) => status === 'connected' && resolve())
  const onAbort = (): void => reject(signal?.reason as Error)
  signal?.addEventListener('abort', onAbort)
  void bus.closed.then(() => reject(new StrikeflowError('bus', 'the connection to NATS is closed')))
  try {
    await promise
  } finally {
    release()
    signal?.removeEventListener('abort', onAbort)
  }
}

/** Drains what is under way, but a server that is away must not hold up the end of the process. */
async function close(connection: NatsConnection, log: Logger): Promise<void> {
  if (connection.isClosed()) return
  const limit = new AbortController()
  try {
    await Promise.race([
      connection.drain(),
      sleep(drainLimitMs, undefined, { signal: limit.signal }).then(() => {
        throw new StrikeflowError('timeout', `nats did not drain within ${drainLimitMs} ms`)
      }),
    ])
  } catch (err) {
    log.warn({ err }, 'nats closed without a complete drain')
    await connection.close().catch(() => {})
  } finally {
    limit.abort()
  }
}
