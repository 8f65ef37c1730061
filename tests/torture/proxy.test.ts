import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Proxy, type Toxic, type ToxicKind } from './proxy.ts'

let stack: AsyncDisposableStack
let proxy: Proxy
let received: Buffer[]

/** Sends back what it is sent, and ends when the other end does. */
beforeEach(async () => {
  stack = new AsyncDisposableStack()
  received = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      received.push(chunk)
      socket.write(chunk)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  stack.defer(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo
  proxy = stack.use(await Proxy.open(() => port))
})
afterEach(() => stack.disposeAsync())

const toxic = (kind: ToxicKind, change: Partial<Toxic> = {}): Toxic => ({
  kind,
  direction: 'both',
  ms: 50,
  bytes: 10,
  ...change,
})

/** What came back, and how the connection ended. */
async function talk(message: string): Promise<{ readonly back: string; readonly end: string }> {
  const socket = connect(proxy.port, '127.0.0.1')
  let end = 'closed'
  let back = ''
  socket.on('error', (error: NodeJS.ErrnoException) => (end = error.code ?? 'error'))
  socket.on('data', (chunk) => {
    back += chunk.toString()
    if (back.length >= message.length) socket.end()
  })
  socket.write(message)
  await once(socket, 'close').catch(() => once(socket, 'close'))
  return { back, end }
}

describe('the proxy', () => {
  it('passes everything on both ways while it has no toxic', async () => {
    const message = 'x'.repeat(300_000)
    expect(await talk(message)).toEqual({ back: message, end: 'closed' })
  })

  it('tells of a text on its way to the server, and of its absence', async () => {
    const passing = proxy.passing('needle', 5_000)
    await talk('hay')
    await talk('hay, a needle, hay')
    expect(await passing).toBe(true)
    expect(await proxy.passing('needle', 20)).toBe(false)
  })

  it('passes on what it cuts into slices unchanged', async () => {
    proxy.toxic = toxic('slicer', { bytes: 3 })
    expect((await talk('some thirty characters, in tens')).back).toBe('some thirty characters, in tens')
    expect(received.length).toBeGreaterThan(3)
  })

  it('holds everything back for the latency, each way', async () => {
    proxy.toxic = toxic('latency', { ms: 60 })
    const fromMs = performance.now()
    expect((await talk('hello')).back).toBe('hello')
    expect(performance.now() - fromMs).toBeGreaterThan(115)
  })

  it('takes its time by the bandwidth', async () => {
    proxy.toxic = toxic('bandwidth', { bytes: 1_000, direction: 'up' })
    const fromMs = performance.now()
    expect((await talk('x'.repeat(200))).back.length).toBe(200)
    expect(performance.now() - fromMs).toBeGreaterThan(190)
  })

  it('ends a connection after so many bytes, in the middle of them', async () => {
    proxy.toxic = toxic('limit-data', { bytes: 10, direction: 'down' })
    expect((await talk('more than ten characters')).back).toBe('more than ')
  })

  it('swallows what is sent during a timeout and then ends', async () => {
    proxy.toxic = toxic('timeout', { ms: 80 })
    expect(await talk('hello')).toMatchObject({ back: '' })
    expect(received).toEqual([])
  })

  it('ends what has lost bytes when the timeout is taken off before its end', async () => {
    proxy.toxic = toxic('timeout', { ms: 60_000 })
    const talking = talk('hello')
    await expect.poll(() => received.length, { timeout: 200 }).toBe(0)
    setTimeout(() => (proxy.toxic = null), 100)
    expect((await talking).back).toBe('')
  })

  it('resets the connection', async () => {
    proxy.toxic = toxic('reset-peer', { ms: 30, direction: 'up' })
    const socket = connect(proxy.port, '127.0.0.1')
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNRESET')
  })

  it('lets nobody through while it is down, ends who is there, and lets everybody through afterwards', async () => {
    const socket = connect(proxy.port, '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write('hello')
    await once(socket, 'data')
    proxy.toxic = toxic('down')
    expect(await text(socket)).toBe('')
    expect((await talk('hello')).back).toBe('')
    proxy.toxic = null
    expect((await talk('hello')).back).toBe('hello')
  })

  it('closes late with slow-close', async () => {
    proxy.toxic = toxic('slow-close', { ms: 120 })
    const fromMs = performance.now()
    expect((await talk('hello')).back).toBe('hello')
    expect(performance.now() - fromMs).toBeGreaterThan(115)
  })
})
