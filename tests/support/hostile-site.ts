import { readFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request as forward, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A port that a page tries, with the SQL for it. */
export interface Target {
  readonly port: number
  /** `METHOD` in it becomes the way of the attack. */
  readonly sql: string
}

/** What a page saw of one answer. */
export interface PageReport {
  readonly way: string
  readonly url: string
  readonly status: number | null
  readonly text: string
  readonly opened: boolean
}

export interface HostileSite extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Resolves with what the page reports once it has tried everything. */
  readonly report: Promise<readonly PageReport[]>
}

const pageOf = (name: 'cross-site' | 'rebound', targets: unknown): string =>
  readFileSync(new URL(`../fixtures/hostile-pages/${name}.html`, import.meta.url), 'utf8').replace(/= TARGETS$/m, () =>
    `= ${JSON.stringify(targets)}`.replaceAll('<', String.raw`\u003c`),
  )

/** Serves a page that attacks every target. `host` makes it another site (127.0.0.2) or only another port (127.0.0.1). */
export async function openHostileSite(host: string, targets: readonly Target[]): Promise<HostileSite> {
  const report = Promise.withResolvers<readonly PageReport[]>()
  const html = pageOf('cross-site', targets)
  const server = createServer((request, response) => {
    if (request.url === '/report') {
      return void takeReport(request, response, (reports) => {
        report.resolve(reports)
        return ''
      })
    }
    response.writeHead(request.url === '/' ? 200 : 404, { 'Content-Type': 'text/html; charset=utf-8' })
    response.end(request.url === '/' ? html : '')
  })
  return opened(server, host, report.promise)
}

/**
 * A proxy that answers for the host name evil.test: with a page first, and from then on with the stack's port of 127.0.0.1. So a browser sees
 * what it sees after DNS rebinding: requests with the page's own origin and host name, answered by the stack. One port after the other.
 */
export async function openRebinding(
  ports: readonly number[],
  sql: string,
  paths: readonly string[],
): Promise<HostileSite> {
  const report = Promise.withResolvers<readonly PageReport[]>()
  const html = pageOf('rebound', { sql, paths })
  const waiting = [...ports]
  const all: PageReport[] = []
  const next = (reports: readonly PageReport[]): string => {
    all.push(...reports)
    const port = waiting.shift()
    if (port !== undefined) return attackOn(port)
    report.resolve(all)
    return ''
  }
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://nowhere.test')
    if (!url.hostname.endsWith('evil.test')) return void response.writeHead(502).end()
    if (url.pathname === '/report') return void takeReport(request, response, next)
    if (url.pathname === '/attack') {
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' })
      return void response.end(html)
    }
    return passOn(url, request, response)
  })
  return { ...(await opened(server, '127.0.0.1', report.promise)), url: attackOn(waiting.shift() ?? 0) }
}

const attackOn = (port: number): string => `http://evil.test:${port}/attack`

async function opened(server: Server, host: string, report: Promise<readonly PageReport[]>): Promise<HostileSite> {
  await once(server.listen(0, host), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${host}:${port}/`,
    port,
    report,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function takeReport(
  request: IncomingMessage,
  response: ServerResponse,
  take: (reports: readonly PageReport[]) => string,
): Promise<void> {
  const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>))
  response.end(request.method === 'POST' ? take(JSON.parse(body.toString('utf8')) as readonly PageReport[]) : '')
}

function passOn({ port, pathname, search }: URL, request: IncomingMessage, response: ServerResponse): void {
  const { method, headers } = request
  const onward = forward({ host: '127.0.0.1', port, path: pathname + search, method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  })
  // Not HTTP, as NATS: the browser sees a bad gateway.
  onward.on('error', () => response.writeHead(502).end())
  request.pipe(onward)
}
