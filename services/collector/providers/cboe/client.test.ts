import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import type { FetchOutcome } from '../provider.ts'
import { type CboeOptions, createCboe } from './cboe.ts'
import { type ProviderHold, retryAfterMs } from './client.ts'

const body = readFileSync(new URL('../../../../tests/fixtures/cboe/ACME.json', import.meta.url))

type Answer = (request: IncomingMessage, response: ServerResponse) => void

let stop: (() => void) | undefined
afterEach(() => stop?.())

async function serve(...answers: readonly Answer[]): Promise<{ baseUrl: string; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)] as Answer
    requests.push(request)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stop = () => {
    server.closeAllConnections()
    server.close()
  }
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

const options = {
  intervalMs: 1,
  maxConcurrency: 1,
  maxPasses: 1,
  timeoutMs: 5_000,
  maxBodyBytes: 1_000_000,
  maxRetryAfterMs: 1_000,
  userAgent: 'strikeflow-test',
  clock: Date.now,
  onDrift: () => {},
}

async function fetchOne(
  settings: Partial<CboeOptions> & { baseUrl: string },
  underlying = 'ACME',
  signal = new AbortController().signal,
): Promise<FetchOutcome> {
  const cboe = createCboe({ ...options, ...settings, underlyings: [underlying] })
  for await (const pass of cboe.passes(signal)) {
    for (const item of pass.items) return item.fetch({ scanId: 's', signal })
  }
  throw new Error('no pass')
}

const respond =
  (status: number, headers: Record<string, string>, content: string | Buffer = ''): Answer =>
  (_, response) => {
    response.writeHead(status, headers)
    response.end(content)
  }

const json = { 'content-type': 'application/json' }

describe('the cboe provider over HTTP', () => {
  it('asks for the chain under its path, as itself, and unpacks gzip', async () => {
    const { baseUrl, requests } = await serve(respond(200, { ...json, 'content-encoding': 'gzip' }, gzipSync(body)))
    const outcome = await fetchOne({ baseUrl })
    expect(outcome).toMatchObject({ kind: 'snapshot', snapshot: { meta: { underlying: 'ACME', listed: 8 } } })
    expect(requests[0]?.url).toBe('/api/global/delayed_quotes/options/ACME.json')
    expect(requests[0]?.headers).toMatchObject({ 'user-agent': 'strikeflow-test' })
    expect(requests[0]?.headers['accept-encoding']).toContain('gzip')
  })

  it('asks for an index behind an underscore', async () => {
    const { baseUrl, requests } = await serve(respond(404, {}))
    await fetchOne({ baseUrl }, 'SPX')
    expect(requests[0]?.url).toBe('/api/global/delayed_quotes/options/_SPX.json')
  })

  it('cannot be led out of its path by a name', async () => {
    const { baseUrl, requests } = await serve(respond(404, {}))
    await fetchOne({ baseUrl }, '../../admin')
    expect(requests[0]?.url).toBe('/api/global/delayed_quotes/options/..%2F..%2Fadmin.json')
  })

  it.each([
    [401, 'unauthorized'],
    [403, 'unauthorized'],
    [404, 'not_found'],
    [500, 'unreachable'],
    [503, 'unreachable'],
  ])('refuses status %i as %s', async (status, reason) => {
    const { baseUrl } = await serve(respond(status, json, '{}'))
    expect(await fetchOne({ baseUrl })).toMatchObject({ kind: 'refused', reason })
  })

  it.each([
    ['not_json', 'a page of HTML', '<!doctype html><title>Just a moment...</title>'],
    ['not_json', 'an empty body', ''],
    ['not_json', 'plain text', 'Too Many Requests\r\n'],
    ['truncated', 'JSON that ends early', body.subarray(0, body.length - 200)],
    ['malformed', 'a bare NaN', body.toString().replace('50.12', 'NaN')],
    ['schema', 'JSON of another shape', '{"error":"unknown symbol"}'],
  ])('refuses as %s: %s', async (reason, _, content) => {
    const { baseUrl } = await serve(respond(200, json, content))
    expect(await fetchOne({ baseUrl })).toMatchObject({ kind: 'refused', reason })
  })

  it('refuses a body that is cut off on the way as truncated', async () => {
    const { baseUrl } = await serve((_, response) => {
      response.writeHead(200, { ...json, 'content-length': String(body.length) })
      response.write(body.subarray(0, 500), () => response.destroy())
    })
    expect(await fetchOne({ baseUrl })).toMatchObject({ kind: 'refused', reason: 'truncated' })
  })

  it('refuses a gzip body that is cut off as truncated', async () => {
    const packed = gzipSync(body)
    const cut = packed.subarray(0, packed.length - 60)
    const { baseUrl } = await serve(respond(200, { ...json, 'content-encoding': 'gzip' }, cut))
    expect(await fetchOne({ baseUrl })).toMatchObject({ kind: 'refused', reason: 'truncated' })
  })

  it('refuses a body that unpacks to more than the cap', async () => {
    const bomb = gzipSync(Buffer.alloc(5_000_000, ' '))
    const { baseUrl } = await serve(respond(200, { ...json, 'content-encoding': 'gzip' }, bomb))
    expect(await fetchOne({ baseUrl })).toMatchObject({ kind: 'refused', reason: 'too_large' })
  })

  it('gives up at the deadline although bytes keep coming', async () => {
    const { baseUrl } = await serve((_, response) => {
      response.writeHead(200, json)
      const drip = setInterval(() => response.write(' '), 5)
      response.on('close', () => clearInterval(drip))
    })
    expect(await fetchOne({ baseUrl, timeoutMs: 100 })).toMatchObject({ kind: 'refused', reason: 'timeout' })
  })

  it('says unreachable where nobody listens', async () => {
    const { baseUrl } = await serve(respond(200, {}))
    stop?.()
    expect(await fetchOne({ baseUrl })).toMatchObject({ kind: 'refused', reason: 'unreachable' })
  })

  it('waits as long as a 429 asks, then tries once more', async () => {
    const { baseUrl, requests } = await serve(respond(429, { 'retry-after': '1' }), respond(200, json, body))
    const startedMs = Date.now()
    expect(await fetchOne({ baseUrl })).toMatchObject({ kind: 'snapshot' })
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(990)
    expect(requests).toHaveLength(2)
  })

  it('refuses as throttled what is still throttled after that', async () => {
    const { baseUrl, requests } = await serve(respond(429, { 'retry-after': '0' }))
    expect(await fetchOne({ baseUrl })).toMatchObject({ kind: 'refused', reason: 'throttled' })
    expect(requests).toHaveLength(2)
  })

  it('does not wait longer than its bound for a 429', async () => {
    const { baseUrl, requests } = await serve(respond(429, { 'retry-after': '3600' }))
    const held: ProviderHold[] = []
    const outcome = await fetchOne({ baseUrl, onHeld: (hold) => held.push(hold) })
    expect(outcome).toMatchObject({ kind: 'refused', reason: 'throttled' })
    expect(requests).toHaveLength(1)
    expect(held).toEqual([{ heldMs: 1_000, retryAfterMs: 3_600_000 }])
  })

  it('rejects only when the signal aborts', async () => {
    const stopping = new AbortController()
    const { baseUrl } = await serve(() => stopping.abort())
    await expect(fetchOne({ baseUrl }, 'ACME', stopping.signal)).rejects.toThrow(/abort/)
  })

  it('begins its passes on the grid of the clock, one an interval, and ends when the signal aborts', async () => {
    const stopping = new AbortController()
    const cboe = createCboe({
      ...options,
      maxPasses: null,
      intervalMs: 20,
      underlyings: [],
      baseUrl: 'http://127.0.0.1:9',
    })
    const starts: number[] = []
    for await (const { startedAtMs } of cboe.passes(stopping.signal)) {
      starts.push(startedAtMs)
      if (starts.length === 3) stopping.abort()
    }
    expect(starts).toHaveLength(3)
    const intervals = starts.map((startedAtMs) => Math.floor(startedAtMs / 20))
    expect(new Set(intervals).size).toBe(3)
  })
})

describe('retryAfterMs', () => {
  it('reads seconds and dates, and nothing else', () => {
    const nowMs = Date.UTC(2026, 10, 16, 12)
    expect(retryAfterMs('7', nowMs)).toBe(7_000)
    expect(retryAfterMs('Mon, 16 Nov 2026 12:00:30 GMT', nowMs)).toBe(30_000)
    expect(retryAfterMs('Mon, 16 Nov 2026 11:00:00 GMT', nowMs)).toBe(0)
    expect(retryAfterMs('soon', nowMs)).toBeNull()
    expect(retryAfterMs(null, nowMs)).toBeNull()
  })
})
