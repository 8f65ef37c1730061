import { once } from 'node:events'
import { get } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ApiSettings, apiSettings } from './config.ts'
import { type ApiServer, serveApp } from './server.ts'
import { startTestApp, type TestApp, timestamp } from './test-app.ts'

let t: TestApp
let server: ApiServer
const sockets: Socket[] = []
/** As the server sees them. */
let connections: number

beforeEach(async () => {
  t = await startTestApp()
  connections = 0
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await server[Symbol.asyncDispose]()
  await t[Symbol.asyncDispose]()
})

const gauge = {
  inc: () => (connections += 1),
  dec: () => (connections -= 1),
}

async function serve(settings: Partial<ApiSettings> = {}): Promise<void> {
  server = await serveApp(t.app, { ...apiSettings.parse({ port: '0' }), ...settings }, gauge)
}

async function open(): Promise<Socket> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  sockets.push(socket)
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Sends the bytes as they are, which no HTTP client would, and returns all that comes back. */
async function sendRaw(request: string): Promise<string> {
  const socket = await open()
  socket.write(request)
  return readText(socket)
}

const rawGet = (path: string) => sendRaw(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)

describe('the server', () => {
  it('sends a chain with its length, byte for byte', async () => {
    const chain = { ticker: 'SPY', timestamp, underlying_price: 1, calls: [{ note: 'é'.repeat(20_000) }], puts: [] }
    await t.put('chains', [{ ...chain, ticker: 'A' }, chain, { ...chain, ticker: 'Z' }])
    await serve()
    const response = await fetch(`${server.url}/options/SPY/snapshot`)
    expect(await response.clone().json()).toEqual(chain)
    expect(response.headers.get('content-length')).toBe(String((await response.arrayBuffer()).byteLength))
  })

  it.each([
    ['dots', '/options/../../../../etc/passwd'],
    ['encoded slashes', '/options/..%2f..%2fetc%2fpasswd/snapshot'],
    ['NUL', '/options/%00/snapshot'],
    ['5,000 characters', `/options/${'A'.repeat(5000)}/snapshot`],
    ['a lone percent sign', '/options/%/snapshot'],
    ['backslashes', '/options/\\..\\..\\secret/snapshot'],
    ['another host', 'http://other.example/options/%2e%2e%2f/snapshot'],
    ['a huge limit', '/alerts?limit=1e9'],
  ])('answers %s, as no client would send them, with 400 or 404', async (_, path) => {
    await serve()
    const answer = await rawGet(path)
    expect(answer).toMatch(/^HTTP\/1\.1 40[04] /)
    expect(answer).not.toMatch(/root:|\.ts|node_modules/)
  })

  it('refuses headers beyond 16 KiB', async () => {
    await serve()
    expect(await rawGet(`/${'A'.repeat(20_000)}`)).toMatch(/^HTTP\/1\.1 431 /)
  })

  it('cuts off a client that does not finish its headers', async () => {
    await serve({ headersTimeoutMs: 1000, requestTimeoutMs: 1000 })
    expect(await sendRaw('GET / HTTP/1.1\r\nHost: loc')).toMatch(/^HTTP\/1\.1 408 /)
  })

  it('cuts off a client that says nothing at all', async () => {
    await serve({ idleTimeoutMs: 1000 })
    const socket = await open()
    await once(socket, 'close')
    await expect.poll(() => connections).toBe(0)
  })

  it('cuts off a client that does not take its answer', async () => {
    await t.put('scans', [{ id: 'x'.repeat(20_000_000) }])
    await serve({ idleTimeoutMs: 1000 })
    const request = get(`${server.url}/scans/latest`)
    const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream]
    response.pause()
    expect(connections).toBe(1)
    await expect.poll(() => connections, { timeout: 10_000 }).toBe(0)
    request.destroy()
  })

  it('holds no more connections than it was told', async () => {
    await serve({ maxConnections: 2 })
    await Promise.all([open(), open()])
    const third = await open()
    await once(third, 'close')
    expect(connections).toBe(2)
  })

  it('names the port when it is taken', async () => {
    await serve()
    const port = Number(new URL(server.url).port)
    await expect(serveApp(t.app, { ...apiSettings.parse({}), port }, gauge)).rejects.toThrow(
      `port ${port} on 127.0.0.1 is in use`,
    )
  })
})
