import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { listen } from '../../shared/runtime/health.ts'
import type { ApiSettings } from './config.ts'
import type { App } from './routes/route.ts'

export interface ApiServer extends AsyncDisposable {
  readonly url: string
}

const maxHeaderBytes = 16_384
const checkIntervalMs = 1000
const drainMs = 5000

/** Told of every connection that begins and ends. */
export interface ConnectionGauge {
  inc(): void
  dec(): void
}

/** Serves the app over HTTP with every limit set; Node's own are minutes or none. */
export async function serveApp(app: App, settings: ApiSettings, connections: ConnectionGauge): Promise<ApiServer> {
  const server = createAdaptorServer({
    fetch: app.fetch,
    serverOptions: {
      requestTimeout: settings.requestTimeoutMs,
      headersTimeout: settings.headersTimeoutMs,
      maxHeaderSize: maxHeaderBytes,
      connectionsCheckingInterval: checkIntervalMs,
    },
  }) as Server
  server.timeout = settings.idleTimeoutMs
  server.maxConnections = settings.maxConnections
  server.on('connection', (socket) => {
    connections.inc()
    socket.once('close', () => connections.dec())
  })
  await listen(server, settings.host, settings.port)
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${settings.host}:${port}`,
    [Symbol.asyncDispose]: () => closeServer(server),
  }
}

/** Answers what was asked, then closes; a client that takes longer is cut off. */
async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeIdleConnections()
  const cut = setTimeout(() => server.closeAllConnections(), drainMs)
  await closed
  clearTimeout(cut)
}
