import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type Answer, send } from '../../tests/support/http.ts'
import { SlowRefusals } from '../../shared/runtime/slow-refusals.ts'
import { type AccessOptions, createAccess } from './access.ts'
import { apiSettings, secretsOf } from './config.ts'
import { serveApp } from './server.ts'
import { startTestApp } from './test-app.ts'

const readSecret = 'r'.repeat(43)
const writeSecret = 'w'.repeat(43)
const noWait = new SlowRefusals({ clock: () => 0, wait: () => Promise.resolve() })
const local: AccessOptions = {
  host: '127.0.0.1',
  allowedHosts: ['desk.example'],
  readSecret,
  writeSecret,
  slow: noWait,
}
const everywhere: AccessOptions = { ...local, host: '0.0.0.0' }
let opened = new AsyncDisposableStack()
afterEach(() => opened.disposeAsync())

type Headers = Readonly<Record<string, string>>
type Ask = (path: string, headers?: Headers, method?: string) => Promise<Answer>

/** The real server, on loopback whatever address the rules are made for. */
async function serve(options: AccessOptions): Promise<Ask> {
  opened = new AsyncDisposableStack()
  const app = opened.use(await startTestApp(createAccess(options)))
  await app.put('alerts', [{ id: 'a1', ticker: 'SPY', score: 90 }])
  const gauge = { inc: () => {}, dec: () => {} }
  const server = opened.use(await serveApp(app.app, apiSettings.parse({ port: '0' }), gauge))
  return (path, headers, method) => send(`${server.url}${path}`, { headers, method })
}

const paths = ['/', '/alerts/latest', '/alerts', '/health/ready', '/status', '/metrics', '/nothing']
const foreign = { Origin: 'http://localhost:9999' }

describe('a web page of another site', () => {
  it.each(paths)('gets nothing of %s', async (path) => {
    const ask = await serve(local)
    for (const headers of [
      foreign,
      { Origin: 'null' },
      { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' },
      { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' },
      { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' },
      { Host: 'evil.example:8061' },
      { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Key': 'x', 'Sec-WebSocket-Version': '13' },
    ] as Headers[]) {
      const { status, body, headers: answered } = await ask(path, headers)
      expect([headers, status]).toEqual([headers, 403])
      expect(body).not.toContain('a1')
      expect(Object.keys(answered).filter((name) => name.startsWith('access-control-'))).toEqual([])
    }
  })

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('is refused by %s, even with the write secret', async (method) => {
    const ask = await serve(local)
    const headers = { ...foreign, Authorization: `Bearer ${writeSecret}` }
    expect((await ask('/alerts/latest', headers, method)).status).toBe(403)
  })

  it('may link to the API: the answer is shown to the user, and in no frame', async () => {
    const ask = await serve(local)
    const link = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' }
    const { status, headers } = await ask('/alerts/latest', link)
    expect(status).toBe(200)
    expect(headers['content-security-policy']).toBe("frame-ancestors 'none'")
  })

  it('is counted as refused', async () => {
    const ask = await serve(local)
    await ask('/alerts/latest', foreign)
    expect((await ask('/metrics')).body).toContain(
      'strikeflow_api_requests_total{route="unmatched",status="403",service="api"} 1',
    )
  })
})

describe('somebody on this machine', () => {
  it('reads without a credential, under a loopback name or a configured one', async () => {
    const ask = await serve(local)
    for (const Host of ['localhost', '127.0.0.1:8061', '[::1]:8061', 'desk.example'])
      expect((await ask('/alerts/latest', { Host })).status).toBe(200)
  })

  it('gets the protecting headers with every answer', async () => {
    const ask = await serve(local)
    const { headers } = await ask('/alerts/latest')
    const again = await ask('/alerts/latest', { 'If-None-Match': String(headers['etag']) })
    expect(again.status).toBe(304)
    const answers = [again, await ask('/alerts', foreign), ...(await Promise.all(paths.map((path) => ask(path))))]
    for (const { headers: found } of answers) {
      expect(found['content-security-policy']).toBe("frame-ancestors 'none'")
      expect(found['x-content-type-options']).toBe('nosniff')
    }
  })
})

describe.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('%s', (method) => {
  it.each([
    ['no credential', {}],
    ['a wrong one', { Authorization: 'Bearer wrong' }],
    ['the reader secret', { Authorization: `Bearer ${readSecret}` }],
    ['the write secret without its scheme', { Authorization: writeSecret }],
    ['the write secret as a password', { Authorization: `Basic ${btoa(`api-write:${writeSecret}`)}` }],
    ['two secrets', { Authorization: `Bearer wrong, Bearer ${writeSecret}` }],
    ['an empty secret', { Authorization: 'Bearer ' }],
    ['more than the secret', { Authorization: `Bearer ${writeSecret}x` }],
  ] as const)('with %s is refused before its route', async (_, headers) => {
    const ask = await serve(local)
    for (const path of ['/alerts/latest', '/nothing', '/health/live', '/metrics']) {
      const answer = await ask(path, headers, method)
      expect(answer.status).toBe(401)
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="strikeflow"')
      expect(answer.body).not.toContain(writeSecret)
    }
  })

  it('with the write secret reaches its route, which says that there is none', async () => {
    const ask = await serve(local)
    for (const scheme of ['Bearer', 'bearer']) {
      const answer = await ask('/alerts/latest', { Authorization: `${scheme} ${writeSecret}` }, method)
      expect(answer.status).toBe(405)
    }
  })

  it('is refused where no write secret is configured', async () => {
    const ask = await serve({ ...local, writeSecret: null })
    for (const Authorization of ['Bearer ', 'Bearer null', 'Bearer undefined'])
      expect((await ask('/alerts/latest', { Authorization }, method)).status).toBe(401)
  })
})

describe('on a port that other machines reach', () => {
  it('nothing but health and metrics is told without a credential, whatever the host name', async () => {
    const ask = await serve(everywhere)
    for (const path of [
      '/',
      '/alerts/latest',
      '/nothing',
      '/health/live/../../alerts',
      '/metrics?x',
      '//metrics',
      '/status/',
    ])
      expect([path, (await ask(path, { Host: 'desk.other.example' })).status]).toEqual([path, 401])
    for (const path of ['/health/live', '/health/ready', '/health/startup', '/status', '/metrics'])
      expect([path, (await ask(path, { Host: '10.0.0.5:8061' })).status]).toEqual([path, 200])
  })

  it.each([
    ['the reader secret', `Bearer ${readSecret}`],
    ['name and secret, as curl -K data/secrets/curl-reader sends them', `Basic ${btoa(`reader:${readSecret}`)}`],
    ['the write secret', `Bearer ${writeSecret}`],
  ])('%s lets somebody read', async (_, Authorization) => {
    const ask = await serve(everywhere)
    expect((await ask('/alerts/latest', { Authorization })).status).toBe(200)
  })

  it.each(['Bearer x', 'Basic x', `Basic ${btoa(`other:${readSecret}`)}`, `Basic ${btoa('reader:')}`, 'Basic ', ''])(
    'the credential %j is refused',
    async (Authorization) => {
      const ask = await serve(everywhere)
      const answer = await ask('/alerts/latest', { Authorization })
      expect(answer.status).toBe(401)
      expect(answer.headers['www-authenticate']).toContain('Basic')
    },
  )

  it('a page of another site is refused even with a credential that the browser remembers', async () => {
    const ask = await serve(everywhere)
    const headers = { ...foreign, Authorization: `Basic ${btoa(`reader:${readSecret}`)}` }
    expect((await ask('/alerts/latest', headers)).status).toBe(403)
  })
})

describe('repeated wrong secrets', () => {
  it('are answered later and later, while no secret and the right one are answered at once', async () => {
    const waits: number[] = []
    const slow = new SlowRefusals({ clock: () => 0, wait: (ms) => Promise.resolve(waits.push(ms)) })
    const ask = await serve({ ...local, slow })
    for (let i = 0; i < 9; i++)
      expect((await ask('/alerts/latest', { Authorization: `Bearer wrong${i}` }, 'POST')).status).toBe(401)
    expect(waits).toEqual([100, 200, 400, 800])
    expect((await ask('/alerts/latest', {}, 'POST')).status).toBe(401)
    expect((await ask('/alerts/latest', { Authorization: `Bearer ${writeSecret}` }, 'POST')).status).toBe(405)
    expect(waits).toHaveLength(4)
  })
})

describe('the settings', () => {
  it('of a port that other machines reach need a secret', async () => {
    const settings = apiSettings.parse({ host: '0.0.0.0' })
    expect(() => secretsOf(settings)).toThrow('API_READ_SECRET_FILE')
    const directory = await mkdtemp(join(tmpdir(), 'strikeflow-access-'))
    const readSecretFile = join(directory, 'reader')
    await writeFile(readSecretFile, `${readSecret}\n`, { mode: 0o600 })
    expect(secretsOf({ ...settings, readSecretFile })).toEqual({ readSecret, writeSecret: null })
    await rm(directory, { recursive: true })
  })
})
