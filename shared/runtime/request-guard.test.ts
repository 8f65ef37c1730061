import { createServer, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createRequestGuard, type GuardedRequest, type GuardRules, isLoopbackHost } from './request-guard.ts'

type Headers = Readonly<Record<string, string>>

function request(headers: Headers, method = 'GET'): GuardedRequest {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  return { method, headers: lower, rawHeaders: Object.entries(headers).flat() }
}

const loopback: GuardRules = { boundHost: '127.0.0.1' }
const everywhere: GuardRules = { boundHost: '0.0.0.0' }
const host = { Host: 'localhost:8123' }

const isAllowed = (rules: GuardRules, headers: Headers, method?: string): boolean =>
  createRequestGuard(rules)(request(headers, method)) === null

describe('Host on a loopback port', () => {
  it.each([
    'localhost',
    'localhost:8123',
    'LOCALHOST:8123',
    'LocalHost',
    '127.0.0.1',
    '127.0.0.1:1',
    '127.255.255.254:65535',
    '[::1]',
    '[::1]:8123',
    '[0:0:0:0:0:0:0:1]:8123',
    '[0000::0001]',
  ])('allows the loopback name %s', (name) => {
    expect(isAllowed(loopback, { Host: name })).toBe(true)
  })

  it.each([
    'evil.example',
    'evil.example:8123',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil-localhost',
    'foo.localhost',
    'localhost.',
    'localhost.:8123',
    '127.0.0.1.',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '127.0.0.256',
    '128.0.0.1',
    '10.0.0.1',
    '0.0.0.0:8123',
    '[::]',
    '[::2]:8123',
    '[::ffff:127.0.0.1]',
    '[::1',
    '::1',
    '[::1]evil',
    '[::1%25lo]',
    '[127.0.0.1]',
    '',
    ' ',
    ':8123',
    'localhost:',
    'localhost:x',
    'localhost:8123:8123',
    'localhost:123456',
    'user@localhost',
    'localhost@evil.example',
    'evil.example@localhost:8123',
    'localhost,evil.example',
    'localhost evil.example',
    'localhost/evil',
    'http://localhost',
    'localhost#',
    'localhost?',
    'localhost\\evil',
    'localhost%00',
    'ｌocalhost',
    '-localhost',
    '.localhost',
  ])('refuses %j', (name) => {
    expect(isAllowed(loopback, { Host: name })).toBe(false)
  })

  it('refuses a request without Host', () => {
    expect(isAllowed(loopback, {})).toBe(false)
  })

  it('refuses a second Host header, whatever the two say', () => {
    const guard = createRequestGuard(loopback)
    for (const second of ['localhost', 'evil.example']) {
      const twice = { method: 'GET', headers: { host: 'localhost' }, rawHeaders: ['Host', 'localhost', 'HOST', second] }
      expect(guard(twice)).toMatch(/Host header/)
    }
  })

  it('does not take a value for a name', () => {
    const odd = { method: 'GET', headers: {}, rawHeaders: ['Referer', 'host', 'localhost', 'x', 'Host', 'localhost'] }
    expect(createRequestGuard(loopback)(odd)).toBe(null)
  })

  it('allows configured names in any case, and no part of them', () => {
    const rules = { ...loopback, allowedHosts: ['Desk.Example'] }
    expect(isAllowed(rules, { Host: 'desk.example:8061' })).toBe(true)
    expect(isAllowed(rules, { Host: 'DESK.EXAMPLE' })).toBe(true)
    expect(isAllowed(rules, { Host: 'a.desk.example' })).toBe(false)
    expect(isAllowed(rules, { Host: 'desk.example.' })).toBe(false)
    expect(isAllowed(rules, { Host: 'localhost' })).toBe(true)
  })

  it.each(['::1', 'localhost', '127.9.9.9', 'LOCALHOST'])('holds on a port bound to %s', (boundHost) => {
    expect(isAllowed({ boundHost }, { Host: 'evil.example' })).toBe(false)
  })
})

describe('Host on a port bound elsewhere', () => {
  it.each(['0.0.0.0', '::', '192.168.1.5', 'desk.example', '::ffff:127.0.0.1'])(
    'may be any name on %s',
    (boundHost) => {
      expect(isAllowed({ boundHost }, { Host: 'anything.example:8061' })).toBe(true)
    },
  )

  it('must be there once and well-formed', () => {
    expect(isAllowed(everywhere, {})).toBe(false)
    expect(isAllowed(everywhere, { Host: 'user@desk.example' })).toBe(false)
  })
})

describe.each([
  ['loopback', loopback],
  ['elsewhere', everywhere],
])('Origin and Sec-Fetch-Site on a port bound to %s', (_, rules) => {
  it.each([
    'http://evil.example',
    'http://localhost:9999',
    'http://localhost',
    'http://127.0.0.1:8123',
    'https://localhost:8443',
    'http://localhost:8123.evil.example',
    'http://localhost:8123@evil.example',
    'http://localhost:8123/',
    'ftp://localhost:8123',
    'chrome-extension://abcdef',
    'file://',
    'localhost:8123',
    'null',
    '',
    'http://localhost:8123, http://evil.example',
  ])('refuses the origin %j', (origin) => {
    expect(isAllowed(rules, { ...host, Origin: origin })).toBe(false)
    expect(isAllowed(rules, { ...host, Origin: origin }, 'POST')).toBe(false)
  })

  it.each([
    ['localhost:8123', 'http://localhost:8123'],
    ['LOCALHOST:8123', 'http://localhost:8123'],
    ['[::1]:8123', 'http://[::1]:8123'],
    ['localhost', 'http://localhost'],
    ['localhost', 'https://localhost'],
  ])('allows the own origin: Host %s, Origin %s', (name, origin) => {
    expect(isAllowed(rules, { Host: name, Origin: origin }, 'POST')).toBe(true)
  })

  it.each(['cross-site', 'same-site', '', 'Cross-Site', 'none, cross-site', 'unheard-of'])(
    'refuses Sec-Fetch-Site %j',
    (site) => {
      expect(isAllowed(rules, { ...host, 'Sec-Fetch-Site': site })).toBe(false)
    },
  )

  it.each(['none', 'same-origin'])('allows Sec-Fetch-Site %s', (site) => {
    expect(isAllowed(rules, { ...host, 'Sec-Fetch-Site': site })).toBe(true)
  })

  it.each(['OPTIONS', 'HEAD', 'PUT', 'DELETE'])('refuses a foreign page by %s as well', (method) => {
    expect(isAllowed(rules, { ...host, Origin: 'http://evil.example' }, method)).toBe(false)
    expect(isAllowed(rules, { ...host, 'Sec-Fetch-Site': 'cross-site' }, method)).toBe(false)
  })
})

describe('navigation', () => {
  const navigation = {
    ...host,
    'Sec-Fetch-Site': 'cross-site',
    'Sec-Fetch-Mode': 'navigate',
    'Sec-Fetch-Dest': 'document',
  }
  const api = { ...loopback, allowsNavigation: true }

  it('is let through by GET at the top level where it is allowed, and nowhere else', () => {
    expect(isAllowed(api, navigation)).toBe(true)
    expect(isAllowed({ ...everywhere, allowsNavigation: true }, navigation)).toBe(true)
    expect(isAllowed(loopback, navigation)).toBe(false)
  })

  it('is refused by another method, into a frame, by a script, or to another host', () => {
    expect(isAllowed(api, navigation, 'POST')).toBe(false)
    expect(isAllowed(api, navigation, 'HEAD')).toBe(false)
    for (const dest of ['iframe', 'frame', 'object', 'embed', 'image', 'script', 'empty'])
      expect(isAllowed(api, { ...navigation, 'Sec-Fetch-Dest': dest })).toBe(false)
    for (const mode of ['no-cors', 'cors', 'websocket'])
      expect(isAllowed(api, { ...navigation, 'Sec-Fetch-Mode': mode })).toBe(false)
    expect(isAllowed(api, { ...navigation, Host: 'evil.example' })).toBe(false)
    expect(isAllowed(api, { ...navigation, Origin: 'http://evil.example' })).toBe(false)
  })
})

describe('WebSocket handshakes', () => {
  it.each([
    { Upgrade: 'websocket' },
    { Upgrade: 'WebSocket' },
    { Upgrade: 'h2c, websocket' },
    { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' },
  ])('are refused: %j', (headers) => {
    expect(isAllowed({ ...loopback, allowsNavigation: true }, { ...host, ...(headers as unknown as Headers) })).toBe(
      false,
    )
  })

  it('are not confused with the offer of HTTP/2 that some HTTP clients make', () => {
    expect(isAllowed(loopback, { ...host, Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c' })).toBe(true)
  })
})

it('knows the loopback addresses that a port can be bound to', () => {
  for (const address of ['127.0.0.1', '127.0.0.2', '::1', 'localhost', '0:0:0:0:0:0:0:1'])
    expect(isLoopbackHost(address)).toBe(true)
  for (const address of ['0.0.0.0', '::', '10.0.0.1', 'desk', '', '127.0.0.1.evil.example'])
    expect(isLoopbackHost(address)).toBe(false)
})

it('sees both Host headers of a real request, of which Node itself keeps the first', async () => {
  const guard = createRequestGuard(loopback)
  const seen: (readonly [string | undefined, string | null])[] = []
  const server = createServer((message: IncomingMessage, response) => {
    seen.push([message.headers.host, guard(message)])
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.end('GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n')
  socket.resume()
  await once(socket, 'close')
  server.close()
  expect(seen).toEqual([['localhost', 'the Host header is missing, repeated or malformed']])
})
