import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** What a network does to a connection, under the names and with the meaning of Shopify's Toxiproxy. */
export const toxicKinds = [
  'latency',
  'down',
  'bandwidth',
  'slow-close',
  'timeout',
  'reset-peer',
  'slicer',
  'limit-data',
] as const
export type ToxicKind = (typeof toxicKinds)[number]

export interface Toxic {
  readonly kind: ToxicKind
  /** `up` is towards the server. */
  readonly direction: 'up' | 'down' | 'both'
  /** Of latency, slow-close; until the end of timeout and reset-peer. */
  readonly ms: number
  /** Of bandwidth: a second. Of slicer: a slice. Of limit-data: in all. */
  readonly bytes: number
}

type Direction = 'up' | 'down'

/** Stands between one client and one server on loopback and spoils their connections while it has a toxic. */
export class Proxy implements AsyncDisposable {
  readonly port: number
  readonly #server: Server
  readonly #targetPort: () => number
  readonly #pairs = new Set<Pair>()
  #toxic: Toxic | null = null
  /** Accepted and yet to be connected; null while nobody is held. */
  #held: Socket[] | null = null
  /** Called with each piece on its way to the server, before it goes on. */
  #onUp: ((chunk: Buffer) => void) | null = null

  private constructor(server: Server, targetPort: () => number) {
    this.#server = server
    this.#targetPort = targetPort
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (client) => this.#accept(client))
  }

  static async open(targetPort: () => number): Promise<Proxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return new Proxy(server, targetPort)
  }

  get toxic(): Toxic | null {
    return this.#toxic
  }

  set toxic(toxic: Toxic | null) {
    this.#toxic = toxic
    for (const pair of this.#pairs) pair.become(toxic)
  }

  /** New connections wait, as before a load balancer with no server behind it, and are not refused. */
  hold(): void {
    this.#held ??= []
  }

  release(): void {
    const waiting = this.#held ?? []
    this.#held = null
    for (const client of waiting) if (!client.destroyed) this.#accept(client)
  }

  /** Resolves when a piece with this text comes by on its way to the server; false when none does in time. One may wait at a time. */
  async passing(text: string, limitMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const timer = setTimeout(() => resolve(false), limitMs)
    this.#onUp = (chunk) => chunk.includes(text) && resolve(true)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#onUp = null
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#held ?? []) client.destroy()
    for (const pair of this.#pairs) pair.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #accept(client: Socket): void {
    if (this.#toxic?.kind === 'down') {
      client.on('error', () => {})
      client.destroy()
      return
    }
    if (this.#held !== null) {
      client.on('error', () => {})
      this.#held.push(client)
      return
    }
    const server = connect({ port: this.#targetPort(), host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    client.on('data', (chunk: Buffer) => this.#onUp?.(chunk))
    const pair = new Pair(client, server, () => this.#pairs.delete(pair))
    this.#pairs.add(pair)
    pair.become(this.#toxic)
  }
}

/** One connection through the proxy. */
class Pair {
  readonly #client: Socket
  readonly #server: Socket
  readonly #onEnd: () => void
  #toxic: Toxic | null = null
  #timer: NodeJS.Timeout | null = null
  #left = Number.POSITIVE_INFINITY
  /** Bytes were swallowed: what would come after them is no stream any more. */
  #isBroken = false

  constructor(client: Socket, server: Socket, onEnd: () => void) {
    this.#client = client
    this.#server = server
    this.#onEnd = onEnd
    this.#pipe('up', client, server)
    this.#pipe('down', server, client)
  }

  become(toxic: Toxic | null): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#toxic = toxic
    this.#left = toxic?.kind === 'limit-data' ? toxic.bytes : Number.POSITIVE_INFINITY
    if (toxic?.kind === 'down' || (toxic === null && this.#isBroken)) this.destroy()
    if (toxic?.kind === 'timeout') this.#timer = setTimeout(() => this.destroy(), toxic.ms)
    if (toxic?.kind === 'reset-peer') this.#timer = setTimeout(() => this.#reset(), toxic.ms)
  }

  destroy(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#client.destroy()
    this.#server.destroy()
    this.#onEnd()
  }

  #reset(): void {
    this.#client.resetAndDestroy()
    this.#server.resetAndDestroy()
    this.#onEnd()
  }

  #pipe(direction: Direction, from: Socket, to: Socket): void {
    from.on('data', (chunk: Buffer) => {
      from.pause()
      void this.#pass(direction, chunk, to).then(() => from.resume())
    })
    from.on('end', () => void this.#whenClosing(direction).then(() => to.end()))
    from.on('error', () => this.destroy())
    from.on('close', () => void this.#whenClosing(direction).then(() => this.destroy()))
  }

  #strikes(direction: Direction): Toxic | null {
    const toxic = this.#toxic
    return toxic !== null && (toxic.direction === 'both' || toxic.direction === direction) ? toxic : null
  }

  async #whenClosing(direction: Direction): Promise<void> {
    const toxic = this.#strikes(direction)
    if (toxic?.kind === 'slow-close') await delay(toxic.ms)
  }

  async #pass(direction: Direction, chunk: Buffer, to: Socket): Promise<void> {
    const toxic = this.#strikes(direction)
    if (toxic?.kind === 'timeout') {
      this.#isBroken = true
      return
    }
    if (toxic?.kind === 'latency') await delay(toxic.ms)
    if (toxic?.kind === 'bandwidth') await delay((chunk.length / toxic.bytes) * 1_000)
    if (toxic?.kind === 'slicer') return this.#slice(chunk, to, toxic.bytes)
    if (toxic?.kind === 'limit-data') {
      const part = chunk.subarray(0, this.#left)
      this.#left -= part.length
      if (part.length > 0) await write(to, part)
      if (part.length < chunk.length || this.#left === 0) this.destroy()
      return
    }
    await write(to, chunk)
  }

  async #slice(chunk: Buffer, to: Socket, bytes: number): Promise<void> {
    // Large bodies in fewer slices: the point is where they are cut, not how long it takes.
    const step = Math.max(bytes, Math.ceil(chunk.length / 40))
    for (let at = 0; at < chunk.length; at += step) {
      await write(to, chunk.subarray(at, at + step))
      await delay(1)
    }
  }
}

/** Resolves when there is room for more, or nobody to write to. */
async function write(to: Socket, chunk: Buffer): Promise<void> {
  if (to.destroyed || to.writableEnded || to.write(chunk)) return
  await new Promise<void>((resolve) => {
    to.once('drain', resolve)
    to.once('close', resolve)
  })
}
