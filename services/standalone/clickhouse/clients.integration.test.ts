import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Account, basic, startClickHouse, type TestClickHouse } from '../../../tests/support/clickhouse.ts'

let server: TestClickHouse
/** As the client names them. */
const login = ({ user, password }: Account) => ({ username: user, password })
const log = { level: ClickHouseLogLevel.OFF }
let client: ClickHouseClient

beforeAll(async () => {
  server = await startClickHouse()
  client = createClient({
    log,
    url: server.url,
    ...login(server.account),
    compression: { request: true, response: true },
    clickhouse_settings: { async_insert: 0, date_time_input_format: 'best_effort' },
  })
  await client.command({ query: 'CREATE DATABASE sf' })
  await client.command({ query: "CREATE TABLE sf.t (a Int32, b String DEFAULT 'dflt') ENGINE = MergeTree ORDER BY a" })
})
afterAll(async () => {
  await client.close()
  await server[Symbol.asyncDispose]()
})

describe('the unmodified @clickhouse/client', () => {
  test('inserts rows and reads them back with parameters', async () => {
    const values = [{ a: 1 }, { a: 2, b: "x'y\n" }]
    const inserted = await client.insert({ table: 'sf.t', values, format: 'JSONEachRow' })
    expect(inserted).toMatchObject({ executed: true, summary: { written_rows: '2' } })
    const query = 'SELECT * FROM sf.t WHERE a IN {wanted:Array(Int32)} AND b != {not:String} ORDER BY a'
    const result = await client.query({ query, query_params: { wanted: [1, 2], not: 'no\tne' }, format: 'JSONEachRow' })
    expect(await result.json()).toEqual([
      { a: 1, b: 'dflt' },
      { a: 2, b: "x'y\n" },
    ])
    expect(result.query_id).toMatch(/^[\da-f-]{36}$/)
  })

  test('streams objects in and rows out', async () => {
    await client.command({ query: 'CREATE TABLE sf.streamed (n Int64) ENGINE = MergeTree ORDER BY n' })
    const rows = Readable.from(Array.from({ length: 5000 }, (_, n) => ({ n })))
    await client.insert({ table: 'sf.streamed', values: rows, format: 'JSONEachRow' })
    const result = await client.query({ query: 'SELECT n FROM sf.streamed ORDER BY n', format: 'JSONEachRow' })
    let count = 0
    for await (const batch of result.stream<{ n: number }>()) count += batch.length
    expect(count).toBe(5000)
  })

  test('inserts an Arrow stream through input(), as the writer of the store does', async () => {
    await client.command({ query: 'CREATE TABLE sf.arrow (a Int32, d Decimal64(4)) ENGINE = MergeTree ORDER BY a' })
    const body = `SELECT toInt32(number + 1) AS a, if(number = 0, toInt64(43500), toInt64(-5)) AS d FROM numbers(2) FORMAT ArrowStream`
    const response = await fetch(server.url, { method: 'POST', body, headers: basic(server.account) })
    const bytes = Buffer.from(await response.arrayBuffer())
    const query = `INSERT INTO sf.arrow (a, d) SELECT a, reinterpret(d, 'Decimal64(4)') FROM input('a Int32, d Int64') FORMAT ArrowStream`
    const { stream } = await client.exec({
      query,
      values: Readable.from([bytes], { objectMode: false }),
      clickhouse_settings: { insert_deduplication_token: 'x', max_execution_time: 30 },
    })
    stream.resume()
    const result = await client.query({
      query: 'SELECT a, toString(d) AS d FROM sf.arrow ORDER BY a',
      format: 'JSONEachRow',
    })
    expect(await result.json()).toEqual([
      { a: 1, d: '4.35' },
      { a: 2, d: '-0.0005' },
    ])
  })

  test('gets a typed error with code and type', async () => {
    const failing = client.query({ query: 'SELECT * FROM sf.nope' })
    await expect(failing).rejects.toBeInstanceOf(ClickHouseError)
    await expect(failing).rejects.toMatchObject({ code: '60', type: 'UNKNOWN_TABLE' })
  })

  test('pings, with and without a query', async () => {
    expect(await client.ping()).toEqual({ success: true })
    expect(await client.ping({ select: true })).toEqual({ success: true })
  })

  test('aborts a query without ending one that comes after it', async () => {
    const query = 'SELECT sum(number) AS total FROM numbers(5000000)'
    for (let round = 0; round < 100; round++) {
      const leaving = new AbortController()
      const left = Array.from({ length: 4 }, () =>
        client.query({ query, abort_signal: leaving.signal }).catch(() => null),
      )
      setTimeout(() => leaving.abort(), round % 25)
      await Promise.race(left)
      const next = await Promise.all(Array.from({ length: 4 }, () => client.query({ query })))
      for (const result of next) expect(await result.text()).toContain('12499997500000')
      await Promise.all(left)
    }
  })

  test('aborts a query, which ends in the engine too', async () => {
    const leaving = new AbortController()
    const query = 'SELECT count() FROM system.numbers WHERE sipHash64(number) = 2'
    const endless = client.query({ query, abort_signal: leaving.signal })
    const still = `SELECT count() AS n FROM system.processes WHERE query LIKE '%= 2%' AND query NOT LIKE '%processes%'`
    const running = async (): Promise<unknown> => (await client.query({ query: still, format: 'JSONEachRow' })).json()
    const end = endless.then(() => 'answered', String)
    await expect.poll(running).toEqual([{ n: 1 }])
    leaving.abort()
    expect(await end).toMatch(/abort/i)
    await expect.poll(running).toEqual([{ n: 0 }])
  })

  test('works for a read-only user', async () => {
    await using api = createClient({ log, url: server.url, ...login(server.accounts.reader), database: 'sf' })
    const result = await api.query({
      query: 'SELECT count() AS n FROM t',
      format: 'JSON',
      clickhouse_settings: { max_execution_time: 30 },
    })
    expect((await result.json<{ n: number }>()).data).toEqual([{ n: 2 }])
    await expect(api.insert({ table: 't', values: [{ a: 9 }], format: 'JSONEachRow' })).rejects.toMatchObject({
      code: '164',
    })
  })

  test('keeps a session with its temporary table', async () => {
    await using own = createClient({ log, url: server.url, ...login(server.account), session_id: 'client-session' })
    await own.command({ query: 'CREATE TEMPORARY TABLE mine (a Int8)' })
    await own.insert({ table: 'mine', values: [{ a: 1 }], format: 'JSONEachRow' })
    expect(await (await own.query({ query: 'SELECT a FROM mine', format: 'JSONEachRow' })).json()).toEqual([{ a: 1 }])
  })
})

describe('curl', () => {
  const curl = (...args: string[]): string => execFileSync('curl', ['-sS', ...args], { encoding: 'utf8' })

  test('queries as the reader with the file made for it, which keeps the password off the command line', () => {
    const mine = ['-K', join(server.dataDir, 'secrets', 'curl-reader'), server.url]
    expect(curl(...mine, '--data-binary', 'SELECT 1 + 1')).toBe('2\n')
    expect(curl('-G', ...mine, '--data-urlencode', 'query=SELECT 3')).toBe('3\n')
    expect(curl(...mine, '-d', 'SELECT b FROM sf.t WHERE a = 1 FORMAT JSONEachRow')).toBe('{"b":"dflt"}\n')
    expect(curl('-o', '/dev/null', '-w', '%{http_code}', ...mine, '-d', 'SELECT * FROM nope')).toBe('404')
    expect(curl('-o', '/dev/null', '-w', '%{http_code}', server.url, '-d', 'SELECT 1')).toBe('403')
    const compressed = [`${server.url}/?enable_http_compression=1`, '-d', 'SELECT sum(number) FROM numbers(10)']
    expect(curl('--compressed', ...mine.slice(0, 2), ...compressed)).toBe('45\n')
  })

  test('inserts a file as services', () => {
    const { user, password } = server.account
    const url = `${server.url}/?query=INSERT%20INTO%20sf.t%20FORMAT%20CSV`
    expect(curl('-u', `${user}:${password}`, url, '--data-binary', '70,seventy\n')).toBe('')
    expect(curl('-u', `${user}:${password}`, server.url, '-d', 'SELECT b FROM sf.t WHERE a = 70')).toBe('seventy\n')
  })
})
