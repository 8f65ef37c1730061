import { afterEach, describe, expect, it } from 'vitest'
import { type Answer, send } from '../../tests/support/http.ts'
import { type HealthServer, serveHealth } from './health.ts'
import { createRegistry } from './metrics.ts'

let server: HealthServer
afterEach(() => server[Symbol.asyncDispose]())

type Headers = Readonly<Record<string, string>>
const paths = ['/health/live', '/health/ready', '/health/startup', '/status', '/metrics']

async function serve(host = '127.0.0.1', allowedHosts: readonly string[] = []): Promise<void> {
  const checks = { ready: () => [], status: () => ({ stored: 12_345 }) }
  server = await serveHealth({ host, port: 0, allowedHosts }, createRegistry('test'), checks)
}

const ask = (path: string, headers?: Headers, method?: string): Promise<Answer> =>
  send(`http://127.0.0.1:${new URL(server.url).port}${path}`, { headers, method })

describe('the health port', () => {
  it.each(paths)('answers %s to somebody on this machine', async (path) => {
    await serve()
    expect((await ask(path)).status).toBe(200)
    expect((await ask(path, { Host: 'localhost:1' }, 'HEAD')).status).toBe(200)
  })

  it.each(paths)('refuses %s to a page of another site and under a foreign host name', async (path) => {
    await serve()
    for (const headers of [
      { Origin: 'http://localhost:9999' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' },
      { Host: 'evil.example' },
    ] as Headers[]) {
      const { status, body } = await ask(path, headers)
      expect(status).toBe(403)
      expect(body).not.toContain('12345')
    }
  })

  it('answers Prometheus under a configured name, and under any name where other machines reach it', async () => {
    await serve('127.0.0.1', ['desk.example'])
    expect((await ask('/metrics', { Host: 'desk.example:9100' })).status).toBe(200)
    await server[Symbol.asyncDispose]()
    await serve('0.0.0.0')
    expect((await ask('/metrics', { Host: 'pod-7.monitoring:9100' })).status).toBe(200)
    expect((await ask('/metrics', { Host: 'pod-7', Origin: 'http://evil.example' })).status).toBe(403)
  })

  it('changes nothing by any other method', async () => {
    await serve()
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
      expect((await ask('/health/live', {}, method)).status).toBe(405)
  })
})
