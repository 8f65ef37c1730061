import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from './metrics.ts'

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

/** Serves `/health/live`, `/health/ready`, `/health/startup`, `/status` and `/metrics`. Port 0 picks a free one. */
export async function serveHealth(
  { host, port }: { readonly host: string; readonly port: number },
  registry: Registry,
  checks: HealthChecks,
): Promise<HealthServer> {
  async function respond(url: string, response: ServerResponse): Promise<void> {
    const { status, type, body } = await answer(url, registry, checks)
    response.writeHead(status, { 'Content-Type': type })
    response.end(body)
  }

  const server = createServer((request, response) => {
    void respond(request.url ?? '/', response)
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
