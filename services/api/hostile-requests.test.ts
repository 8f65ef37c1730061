import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestApp, type TestApp } from './test-app.ts'

let t: TestApp
beforeEach(async () => {
  t = await startTestApp()
})
afterEach(() => t[Symbol.asyncDispose]())

/** For titles that fit on a line. */
const shown = (text: string) => (text.length > 40 ? `${text.slice(0, 20)}… of ${text.length} characters` : text)

const ask = async (path: string) => t.app.request(path)

describe('a hostile request', () => {
  const tickers = [
    '..%2f..%2fetc%2fpasswd',
    '..%2F',
    '..%5c',
    '%00',
    'SPY%00',
    'A'.repeat(5000),
    'A'.repeat(33),
    '%E2%82%AC',
    '%EF%BC%A1',
    '%C5%BF',
    '%E2%84%AA',
    '%',
    '%zz',
    '%E0%A4%A',
    '%2541',
    '%252e%252e%252f',
    'SPY%0d%0aX-Injected:1',
    'SPY;DROP',
    "'",
    '%20',
    'a%20b',
    '<script>',
    '${7*7}',
    '*',
    ':ticker',
  ]
  const routes = ['/options/TICKER/snapshot', '/features/TICKER/latest', '/alerts/ticker/TICKER']

  it.each(tickers.flatMap((ticker) => routes.map((route) => [route, shown(ticker), ticker] as const)))(
    'at %s with %s is refused before anything is looked up',
    async (route, _, ticker) => {
      const response = await ask(route.replace('TICKER', () => ticker))
      const text = await response.text()
      expect(response.status).toBe(400)
      expect(response.headers.get('content-type')).toBe('application/problem+json')
      expect(JSON.parse(text)).toMatchObject({ status: 400, title: 'Bad request' })
      expect(text.length).toBeLessThan(300)
      expect(text).not.toMatch(/passwd|script|\n|node_modules|\.ts/)
    },
  )

  it.each([
    'min_score=101',
    'min_score=100.1',
    'min_score=-1',
    'min_score=',
    'min_score=NaN',
    'min_score=Infinity',
    'min_score=1e1',
    'min_score=0x10',
    'min_score=5+',
    'min_score=5%00',
    'min_score=50&min_score=60',
    'limit=0',
    'limit=1001',
    'limit=1e9',
    'limit=-1',
    'limit=1.5',
    'limit=',
    'limit=01',
    'limit=10;DROP',
    'offset=1',
    '__proto__=1',
    'constructor=1',
    'LIMIT=1',
    'limit[]=1',
    `limit=${'1'.repeat(30)}`,
  ])('for alerts with %s is refused', async (query) => {
    const response = await ask(`/alerts?${query}`)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ status: 400 })
  })

  it.each(['/alerts/latest?x=1', '/scans/latest?limit=5', '/options/SPY/snapshot?x', '/features/SPY/latest?x=1'])(
    'at %s with a parameter nobody knows is refused',
    async (path) => {
      expect((await ask(path)).status).toBe(400)
    },
  )

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('by %s is refused', async (method) => {
    const response = await t.app.request('/alerts/latest', { method })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('GET, HEAD')
    const metrics = await (await ask('/metrics')).text()
    expect(metrics).toContain('strikeflow_api_requests_total{route="unmatched",status="405",service="api"} 1')
  })

  it('for an address that is not there gets a problem that says where to look', async () => {
    for (const path of ['/nothing', '/alerts/latest/', '/alerts%2flatest', '//', '/options//snapshot']) {
      const response = await ask(path)
      expect(response.status).toBe(404)
      expect(response.headers.get('content-type')).toBe('application/problem+json')
    }
  })
})
