import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from './metrics.ts'
import { createRequestGuard, type RequestGuard } from './request-guard.ts'

export interface HealthChecks {
  /** Event loop and own progress only, never a dependency. @default always true */
  readonly live?: () => boolean
  /** True when the service can do its work; the reasons it cannot are shown. */
  readonly ready: () => readonly string[]
  /** What a person wants to see on the board: small, flat, cheap. */
  readonly status?: () => Readonly<Record<string, number | string | null>>
}

export interface HealthServer extends AsyncDisposable {
  readonly url: string
}

export interface HealthAddress {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  readonly allowedHosts: readonly string[]
}

/**
 * Serves `/health/live`, `/health/ready`, `/health/startup`, `/status` and `/metrics`. Nobody needs a credential, so the answers
 * must hold no secret; pages of other sites are refused all the same.
 */
export async function serveHealth(
  { host, port, allowedHosts }: HealthAddress,
  registry: Registry,
  checks: HealthChecks,
): Promise<HealthServer> {
  const guard = createRequestGuard({ boundHost: host, allowedHosts })
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, type, body } = refusal(request, guard) ?? (await answer(request.url ?? '/', registry, checks))
    response.writeHead(status, { 'Content-Type': type, 'X-Content-Type-Options': 'nosniff' })
    response.end(body)
  }

  const server = createServer((request, response) => {
    void respond(request, response)
  })
  await listen(server, host, port)
  const address = server.address() as AddressInfo
  return {
    url: `http://${host}:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function refusal(request: IncomingMessage, guard: RequestGuard): Answer | null {
  const reason = guard(request)
  if (reason !== null) return json(403, { status: `refused: ${reason}` })
  return request.method === 'GET' || request.method === 'HEAD' ? null : json(405, { status: 'expected GET or HEAD' })
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

async function answer(url: string, registry: Registry, checks: HealthChecks): Promise<Answer> {
  switch (url) {
    case '/metrics':
      return { status: 200, type: registry.contentType, body: await registry.metrics() }
    case '/status':
      return json(200, checks.status?.() ?? {})
    case '/health/live':
      return checks.live?.() === false ? json(503, { status: 'stuck' }) : json(200, { status: 'ok' })
    case '/health/startup':
    case '/health/ready': {
      const reasons = checks.ready()
      return reasons.length === 0 ? json(200, { status: 'ok' }) : json(503, { status: 'not ready', reasons })
    }
    default:
      return json(404, { status: 'not found' })
  }
}

const json = (status: number, body: unknown): Answer => ({
  status,
  type: 'application/json',
  body: JSON.stringify(body),
})

/** Listens, and names the port when it is busy. */
export async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new Error(`port ${port} on ${host} is in use by another process`) : error)
    })
    server.listen(port, host, resolve)
  })
}
