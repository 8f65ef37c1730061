import { get } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { basic, httpTo, startClickHouse, type TestClickHouse } from '../../../tests/support/clickhouse.ts'

let server: TestClickHouse
beforeAll(async () => {
  server = await startClickHouse({ args: ['--reader-max-result-rows', '1000'] })
})
afterAll(() => server[Symbol.asyncDispose]())

const { send, ok } = httpTo(() => server)
const reader = httpTo(() => server, 'reader')

describe('users', () => {
  test('refuses everybody without a credential, and a wrong one, with 403 and code 516', async () => {
    const init = { method: 'POST', body: 'SELECT 1' }
    const wrong = [
      basic({ user: 'services', password: 'wrong' }),
      basic({ user: 'default', password: '' }),
      basic({ user: 'reader', password: server.accounts.services.password }),
    ]
    for (const headers of [{}, ...wrong]) {
      const response = await fetch(server.url, { ...init, headers })
      expect(response.status).toBe(403)
      expect(await response.text()).toContain('Code: 516')
    }
  })

  test('answers right credentials at once while wrong ones are slowed down', async () => {
    const guess = async (): Promise<string> => {
      await send({}, { body: 'SELECT 1', headers: basic({ user: 'services', password: 'guess' }) })
      return 'wrong credentials'
    }
    for (let i = 0; i < 8; i += 1) await guess()
    const slow = guess()
    const first = await Promise.race([slow, ok('SELECT 1').then(() => 'right credentials')])
    expect(first).toBe('right credentials')
    await slow
  })

  test('takes credentials as headers or basic authentication, and never from the URL', async () => {
    const body = 'SELECT 1'
    const { user, password } = server.accounts.reader
    const headers = { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': password }
    expect((await fetch(server.url, { method: 'POST', body, headers })).status).toBe(200)
    expect((await fetch(server.url, { method: 'POST', body, headers: basic(server.accounts.reader) })).status).toBe(200)
    const inUrl = await fetch(`${server.url}/?user=${user}&password=${password}`, { method: 'POST', body })
    expect(inUrl.status).toBe(403)
    expect(await inUrl.text()).toContain('must not be part of the URL')
  })

  test('lets a reader read, with parameters, a database, settings of the format and a time limit', async () => {
    await ok('CREATE TABLE IF NOT EXISTS readable (a Int32) ENGINE = Memory')
    for (const sql of [
      'SELECT 1',
      'SHOW TABLES',
      'DESCRIBE TABLE readable',
      'EXPLAIN SELECT 1',
      'EXISTS TABLE readable',
    ]) {
      expect((await reader.run(sql, { max_execution_time: '10' })).status).toBe(200)
    }
    const parameters = { param_x: '7', database: 'system', max_execution_time: '10' }
    expect(await reader.ok("SELECT {x:Int8}, currentDatabase(), getSetting('max_execution_time')", parameters)).toBe(
      '7\tsystem\t10',
    )
    const quoted = { output_format_json_quote_64bit_integers: '1' }
    expect(await reader.ok('SELECT toUInt64(1) AS x FORMAT JSONEachRow', quoted)).toBe('{"x":"1"}')
    expect(await reader.ok('SELECT toUInt64(1) AS x FORMAT JSONEachRow')).toBe('{"x":1}')
  })

  test.each([
    'INSERT INTO readable VALUES (1)',
    'CREATE TABLE x (a Int8) ENGINE = Memory',
    'DROP TABLE readable',
    'SET max_threads = 1',
    'SET readonly = 0',
    'SELECT 1 SETTINGS max_threads = 1',
    'SELECT 1 SETTINGS readonly = 0',
    'WITH 1 AS x INSERT INTO readable SELECT x',
    'EXPLAIN SELECT 1 SETTINGS readonly = 0',
  ])('answers READONLY to a reader for %s', async (sql) => {
    await ok('CREATE TABLE IF NOT EXISTS readable (a Int32) ENGINE = Memory')
    expect(await reader.run(sql)).toMatchObject({ status: 500, text: expect.stringContaining('Code: 164') })
    expect(await ok('SELECT count() FROM readable')).toBe('0')
  })

  test('keeps a reader within its limits, whatever it asks for', async () => {
    const limits = await reader.ok(
      "SELECT getSetting('max_execution_time'), getSetting('max_memory_usage'), getSetting('max_result_rows')",
      { max_execution_time: '0' },
    )
    expect(limits).toBe(`60\t${2 * 1024 ** 3}\t1000`)
    for (const [name, value] of [
      ['max_execution_time', '3600'],
      ['max_memory_usage', String(64 * 1024 ** 3)],
      ['max_threads', '64'],
      ['format_schema', '/etc/passwd'],
    ] as const) {
      expect(await reader.run('SELECT 1', { [name]: value })).toMatchObject({ text: expect.stringContaining('164') })
    }
    expect(await reader.run('SELECT number FROM numbers(2000)')).toMatchObject({
      text: expect.stringContaining('TOO_MANY_ROWS_OR_BYTES'),
    })
  })

  test('lets nobody write through GET, not even our services', async () => {
    await ok('CREATE TABLE IF NOT EXISTS readable (a Int32) ENGINE = Memory')
    const headers = basic(server.accounts.services)
    for (const sql of [
      'CREATE TABLE got (a Int8) ENGINE = Memory',
      'CREATE TEMPORARY TABLE got (a Int8)',
      'INSERT INTO readable VALUES (1)',
      'DROP TABLE readable',
      'SET max_threads = 1',
    ]) {
      const response = await fetch(`${server.url}/?query=${encodeURIComponent(sql)}`, { headers })
      expect(await response.text()).toContain('(READONLY)')
    }
    expect(await ok('SELECT count() FROM readable')).toBe('0')
  })
})

describe('requests of web pages', () => {
  /** With `Host` and the headers of a browser, which `fetch` does not let anybody set. */
  const asked = (headers: Record<string, string>, path = '/?query=SELECT%201'): Promise<number> =>
    new Promise((resolve, reject) => {
      const all = { ...basic(server.accounts.services), ...headers }
      get(server.url + path, { headers: all, agent: false }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0))
      }).on('error', reject)
    })

  test.each([
    ['a rebound host name', { Host: 'evil.example:8123' }],
    ['an image of another site', { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' }],
    ['a page of another local port', { 'Sec-Fetch-Site': 'same-site' }],
    [
      'a link on another site',
      { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' },
    ],
    ['a form of another site', { Origin: 'http://evil.example' }],
    ['a sandboxed frame', { Origin: 'null' }],
    ['another local port', { Origin: 'http://localhost:9999' }],
  ])('refuses %s, with a right credential too', async (_, headers) => {
    expect(await asked(headers)).toBe(403)
    expect(await asked(headers, '/ping')).toBe(403)
  })

  test('answers health checks without a credential', async () => {
    for (const path of ['/ping', '/replicas_status']) {
      expect(await (await fetch(server.url + path)).text()).toBe('Ok.\n')
    }
  })
})
