import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createRegistry } from '../../shared/runtime/metrics.ts'
import { createApp } from './app.ts'
import { createMetrics } from './metrics.ts'
import { exportBytes, log, startTestApp, type TestApp, timestamp } from './test-app.ts'

let t: TestApp
beforeEach(async () => {
  t = await startTestApp()
})
afterEach(() => t[Symbol.asyncDispose]())

const alert = (id: string, ticker: string, score: number) => ({ id, ticker, score, detector_name: 'volume_spike' })
const alerts = [alert('a3', 'SPY', 70), alert('a2', 'BRK.B', 95.5), alert('a1', 'SPY', 90)]
const chain = { ticker: 'SPY', timestamp, underlying_price: 500, calls: [{ strike: 500, bid: null }], puts: [] }

const ask = async (path: string, headers: Record<string, string> = {}) => t.app.request(path, { headers })
async function body(path: string): Promise<Record<string, unknown>> {
  const response = await ask(path)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/json')
  return (await response.json()) as Record<string, unknown>
}
const ids = (document: Record<string, unknown>) => (document['alerts'] as { id: string }[]).map(({ id }) => id)

async function metric(line: string): Promise<void> {
  expect(await (await ask('/metrics')).text()).toContain(line)
}

describe('before anything is exported', () => {
  beforeEach(() => t.exports.poll())

  it.each([
    ['/alerts/latest', { export_timestamp: null, alerts_count: 0, alerts: [] }],
    ['/alerts?min_score=50', { export_timestamp: null, alerts_count: 0, alerts: [] }],
    ['/alerts/ticker/spy', { export_timestamp: null, ticker: 'SPY', alerts_count: 0, alerts: [] }],
    ['/options/SPY/snapshot', { ticker: 'SPY', timestamp: null, underlying_price: null, calls: [], puts: [] }],
    ['/scans/latest', { export_timestamp: null, scans_count: 0, scans: [] }],
    ['/features/SPY/latest', { ticker: 'SPY', features: {}, created_at: null, scan_id: null }],
  ])('answers %s with an empty result', async (path, expected) => {
    expect(await body(path)).toEqual(expected)
  })

  it('is ready all the same', async () => {
    expect((await ask('/health/ready')).status).toBe(200)
  })
})

describe('alerts', () => {
  beforeEach(() => t.put('alerts', alerts))

  it('are served byte for byte as exported', async () => {
    const response = await ask('/alerts/latest')
    expect(Buffer.from(await response.arrayBuffer())).toEqual(await t.put('alerts', alerts))
    expect(response.headers.get('x-data-age')).toBe('7')
  })

  it('are chosen by score, newest first, up to the limit', async () => {
    expect(ids(await body('/alerts'))).toEqual(['a3', 'a2', 'a1'])
    expect(ids(await body('/alerts?min_score=90'))).toEqual(['a2', 'a1'])
    expect(ids(await body('/alerts?min_score=71.5&limit=1'))).toEqual(['a2'])
    expect(await body('/alerts?min_score=100')).toEqual({ export_timestamp: timestamp, alerts_count: 0, alerts: [] })
  })

  it('of one underlying are found whatever the case, with none for one that has none', async () => {
    expect(ids(await body('/alerts/ticker/sPy'))).toEqual(['a3', 'a1'])
    expect(ids(await body('/alerts/ticker/brk.b'))).toEqual(['a2'])
    expect(await body('/alerts/ticker/QQQ')).toEqual({
      export_timestamp: timestamp,
      ticker: 'QQQ',
      alerts_count: 0,
      alerts: [],
    })
  })
})

describe('chains, features and scans', () => {
  it('are the exported rows', async () => {
    const features = { ticker: '^SPX', features: { spot: 5000 }, created_at: timestamp, scan_id: 's' }
    await t.put('chains', [chain])
    await t.put('features', [features])
    await t.put('scans', [{ id: 's1' }])
    expect(await body('/options/spy/snapshot')).toEqual(chain)
    expect(await body('/features/%5Espx/latest')).toEqual(features)
    expect(await body('/scans/latest')).toMatchObject({ scans_count: 1, scans: [{ id: 's1' }] })
  })

  it.each(['/options/QQQ/snapshot', '/features/qqq/latest', '/options/__proto__/snapshot', '/options/../snapshot'])(
    'are not found at %s when exported without that ticker',
    async (path) => {
      await t.put('chains', [chain])
      await t.put('features', [])
      const response = await ask(path)
      expect(response.status).toBe(404)
      expect(response.headers.get('content-type')).toBe('application/problem+json')
    },
  )

  it('name the ticker that is not there', async () => {
    await t.put('chains', [chain])
    const response = await ask('/options/qqq/snapshot')
    expect(await response.json()).toMatchObject({ status: 404, detail: 'No chain of QQQ in the latest export' })
  })
})

describe('a failure inside', () => {
  it('is answered without its words or stack', async () => {
    const broken = new Proxy(t.exports, {
      get(target, key) {
        if (key === 'current') throw new Error('password=hunter2')
        return Reflect.get(target, key) as unknown
      },
    })
    const registry = createRegistry('api')
    const failing = createApp({
      access: () => null,
      exports: broken,
      clock: Date.now,
      registry,
      metrics: createMetrics(registry),
      log,
      signal: t.stop.signal,
    })
    const response = await failing.request('/alerts/latest')
    expect(response.status).toBe(500)
    expect(await response.text()).toBe(
      '{"type":"about:blank","title":"Internal error","status":500,"detail":"The request failed; the log has the reason"}',
    )
    expect(await registry.metrics()).toContain('route="/alerts/latest",status="500"')
  })
})

describe('an unchanged answer', () => {
  it('is not sent again to a client that names its tag', async () => {
    await t.put('chains', [chain])
    for (const path of ['/options/SPY/snapshot', '/']) {
      const etag = (await ask(path)).headers.get('etag') ?? ''
      for (const header of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
        const response = await ask(path, { 'If-None-Match': header })
        expect(response.status).toBe(304)
        expect(response.headers.get('etag')).toBe(etag)
        expect(await response.text()).toBe('')
      }
      expect((await ask(path, { 'If-None-Match': '"other"' })).status).toBe(200)
    }
  })

  it('keeps its tag over exports that did not change it and gets another when they did', async () => {
    const tag = async () => (await ask('/options/SPY/snapshot')).headers.get('etag')
    await t.put('chains', [chain])
    const first = await tag()
    await t.put('chains', [chain, { ...chain, ticker: 'TLT' }], '2026-07-16T14:05:00.000Z')
    expect(await tag()).toBe(first)
    await t.put('chains', [{ ...chain, underlying_price: 501 }], '2026-07-16T14:10:00.000Z')
    expect(await tag()).not.toBe(first)
  })

  it('answers HEAD with the headers alone', async () => {
    await t.put('alerts', alerts)
    const response = await t.app.request('/alerts/latest', { method: 'HEAD' })
    expect(response.status).toBe(200)
    expect(response.headers.get('etag')).not.toBeNull()
    expect(await response.text()).toBe('')
  })
})

describe('a document that goes bad', () => {
  const path = '/alerts/latest'
  let good: Buffer
  beforeEach(async () => {
    good = await t.put('alerts', alerts)
  })

  const spoil = async (bytes: Buffer | string): Promise<Response> => {
    await writeFile(join(t.directory, 'alerts.json'), bytes)
    await t.exports.poll()
    return ask(path)
  }

  it.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, bytes.length - 30)],
    ['cut to nothing', () => Buffer.alloc(0)],
    ['with a byte changed', (bytes: Buffer) => Buffer.from(bytes.toString().replace('"a2"', '"aX"'))],
    ['that is a web page', () => Buffer.from('<html></html>')],
    [
      'of another name',
      () => Buffer.from('{"export_timestamp":"2026-07-16T14:00:00.000Z","scans_count":0,"scans":[]}'),
    ],
  ])('%s leaves the last good one, says so and counts it', async (_, change) => {
    const response = await spoil(change(good))
    expect(response.status).toBe(200)
    expect(response.headers.get('x-data-stale')).toBe('true')
    expect(Buffer.from(await response.arrayBuffer())).toEqual(good)
    await metric('strikeflow_api_export_loads_total{document="alerts",outcome="corrupt",service="api"} 1')
    expect(await (await ask('/health/ready')).json()).toEqual({ status: 'degraded' })
  })

  it('is not read again before it changes, and is taken again once it is good', async () => {
    await spoil('torn')
    await t.exports.poll()
    await metric('strikeflow_api_export_loads_total{document="alerts",outcome="corrupt",service="api"} 1')
    const response = await spoil(good)
    expect(response.headers.get('x-data-stale')).toBeNull()
  })

  it('leaves the last good one when it is removed', async () => {
    await rm(join(t.directory, 'alerts.json'))
    await t.exports.poll()
    const response = await ask(path)
    expect(response.headers.get('x-data-stale')).toBe('true')
    expect(Buffer.from(await response.arrayBuffer())).toEqual(good)
  })

  it('is followed by the running service without a restart', async () => {
    const running = t.exports.run(t.stop.signal)
    await writeFile(join(t.directory, 'alerts.json'), await exportBytes('alerts', alerts.slice(0, 1)))
    await expect.poll(async () => ids(await body(path))).toEqual(['a3'])
    t.stop.abort()
    await running
  })
})

describe('health, metrics and the index', () => {
  it('is not ready before the files were looked at, nor while stopping', async () => {
    expect((await ask('/health/startup')).status).toBe(503)
    await t.exports.poll()
    expect((await ask('/health/startup')).status).toBe(200)
    t.stop.abort()
    expect((await ask('/health/ready')).status).toBe(503)
    expect((await ask('/health/live')).status).toBe(200)
  })

  it('counts answers by route pattern, never by what was asked for', async () => {
    await ask('/options/SPY/snapshot')
    await ask('/options/%00/snapshot')
    await ask('/secret-path')
    const text = await (await ask('/metrics')).text()
    expect(text).toContain('route="/options/:ticker/snapshot",status="200"')
    expect(text).toContain('route="/options/:ticker/snapshot",status="400"')
    expect(text).toContain('route="unmatched",status="404"')
    expect(text).not.toMatch(/SPY|secret/)
  })

  it('has an index whose every example is an address that answers', async () => {
    await t.exports.poll()
    const { endpoints } = (await body('/')) as { endpoints: { example: string }[] }
    expect(endpoints.length).toBeGreaterThan(5)
    for (const { example } of endpoints) expect((await ask(example)).status).toBe(200)
  })
})
