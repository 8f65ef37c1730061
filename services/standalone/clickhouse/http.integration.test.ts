import { readdirSync } from 'node:fs'
import { get } from 'node:http'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { basic, httpTo, startClickHouse, type TestClickHouse } from '../../../tests/support/clickhouse.ts'

const maxSessions = 3
let server: TestClickHouse

beforeAll(async () => {
  server = await startClickHouse({
    args: ['--max-sessions', String(maxSessions)],
  })
})
afterAll(() => server[Symbol.asyncDispose]())

const { send, run, ok } = httpTo(() => server)
const spooled = (): string[] => readdirSync(`/dev/shm/strikeflow-clickhouse-${server.pid}`)

describe('queries', () => {
  test('answers a ping and a bare GET as a ClickHouse server does', async () => {
    const headers = basic(server.accounts.reader)
    for (const path of ['/ping', '/']) expect(await (await fetch(server.url + path, { headers })).text()).toBe('Ok.\n')
  })

  test('takes the query from the URL, from the body, or from both', async () => {
    expect((await send({ query: 'SELECT 1' })).text).toBe('1\n')
    expect((await run('SELECT 2')).text).toBe('2\n')
    expect((await send({ query: 'SELECT' }, { body: '3' })).text).toBe('3\n')
    expect((await send({ query: 'SELECT 4' }, { method: 'GET' })).text).toBe('4\n')
  })

  test('answers with the headers of a ClickHouse server', async () => {
    const { headers } = await run('SELECT 1 AS x FORMAT JSON', { query_id: 'mine' })
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'application/json; charset=UTF-8',
      'x-clickhouse-format': 'JSON',
      'x-clickhouse-query-id': 'mine',
      'x-clickhouse-timezone': 'UTC',
    })
    expect(JSON.parse(headers.get('x-clickhouse-summary') ?? '')).toMatchObject({ result_rows: '1', written_rows: '0' })
  })

  test('takes the format from the query before the header before the parameter', async () => {
    const init = { body: 'SELECT 1 AS x', headers: { 'X-ClickHouse-Format': 'JSONEachRow' } }
    expect((await send({ default_format: 'CSV' }, init)).text).toBe('{"x":1}\n')
    expect((await send({ default_format: 'CSVWithNames' }, { body: 'SELECT 1 AS x' })).text).toBe('"x"\n1\n')
    expect((await send({}, { ...init, body: 'SELECT 1 AS x FORMAT TSV -- FORMAT JSON' })).text).toBe('1\n')
  })

  test('binds parameters of every kind, with their escapes', async () => {
    const query =
      'SELECT {s:String}, {n:Nullable(Int8)}, {a:Array(String)}, {d:DateTime64(3)} FROM system.{t:Identifier} FORMAT JSONCompactEachRow'
    const values = {
      s: String.raw`a\tb'c\\d`,
      n: String.raw`\N`,
      a: "['x','y']",
      d: '2026-01-02 03:04:05.678',
      t: 'one',
    }
    const parameters = Object.fromEntries(Object.entries(values).map(([name, value]) => [`param_${name}`, value]))
    expect(JSON.parse(await ok(query, parameters))).toEqual(["a\tb'c\\d", null, ['x', 'y'], '2026-01-02 03:04:05.678'])
  })

  test('runs parameterised queries side by side without mixing them up', async () => {
    const numbers = Array.from({ length: 200 }, (_, i) => String(i))
    const answers = await Promise.all(numbers.map((x) => ok('SELECT {x:UInt32}', { param_x: x })))
    expect(answers).toEqual(numbers)
  })

  test('keeps the database to the request', async () => {
    await ok('CREATE DATABASE IF NOT EXISTS other')
    expect(await ok('SELECT currentDatabase()', { database: 'other' })).toBe('other')
    const init = { body: 'SELECT currentDatabase()', headers: { 'X-ClickHouse-Database': 'other' } }
    expect((await send({}, init)).text).toBe('other\n')
    for (let i = 0; i < maxSessions; i += 1) expect(await ok('SELECT currentDatabase()')).toBe('default')
  })

  test.each([
    ['gzip', (bytes: Buffer) => gunzipSync(bytes)],
    ['zstd', (bytes: Buffer) => zstdDecompressSync(bytes)],
  ])('compresses the answer with %s when it is asked to', async (encoding, decompress) => {
    const url = `${server.url}/?enable_http_compression=1&query=${encodeURIComponent('SELECT number FROM numbers(1000)')}`
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      const headers = { ...basic(server.accounts.reader), 'Accept-Encoding': encoding }
      get(url, { headers }, (response) => {
        expect(response.headers['content-encoding']).toBe(encoding)
        void Array.fromAsync(response).then((chunks) => resolve(Buffer.concat(chunks as Buffer[])), reject)
      }).on('error', reject)
    })
    expect(decompress(bytes).toString().split('\n')).toHaveLength(1001)
  })

  test('leaves no result or body in memory', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => run(i % 2 === 0 ? 'SELECT 1' : 'SELECT nope')))
    expect(spooled()).toEqual([])
  })
})

describe('exceptions', () => {
  test.each([
    ['SELECT * FROM nope', 404, '60', 'UNKNOWN_TABLE'],
    ['SELECT nope()', 404, '46', 'UNKNOWN_FUNCTION'],
    ['SELECT 1 +', 400, '62', 'SYNTAX_ERROR'],
    ['SELEC 1', 403, '497', 'ACCESS_DENIED'],
    ['SELECT 1; SELECT 2', 400, '62', 'SYNTAX_ERROR'],
    ["SELECT 1 INTO OUTFILE '/tmp/x'", 500, '358', 'INTO_OUTFILE_NOT_ALLOWED'],
    ['SELECT throwIf(1)', 500, '395', 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO'],
    ['SELECT {x:String}', 500, '456', 'UNKNOWN_QUERY_PARAMETER'],
    ['SELECT 1 FORMAT Nope', 404, '73', 'UNKNOWN_FORMAT'],
  ])('words and codes the error of %s', async (sql, status, code, name) => {
    const reply = await run(sql)
    expect(reply).toMatchObject({
      status,
      text: expect.stringMatching(`^Code: ${code}\\. DB::Exception: [\\s\\S]*\\(${name}\\) \\(version `),
    })
    expect(reply.headers.get('X-ClickHouse-Exception-Code')).toBe(code)
  })

  test('refuses unknown settings and databases', async () => {
    expect(await run('SELECT 1', { nonsense: '1' })).toMatchObject({
      status: 404,
      text: expect.stringContaining('Code: 115'),
    })
    expect(await run('SELECT 1', { database: 'nope' })).toMatchObject({
      status: 404,
      text: expect.stringContaining('Code: 81'),
    })
    expect(await ok('SELECT currentDatabase()')).toBe('default')
  })

  test('ends a query at max_execution_time', async () => {
    const reply = await run('SELECT count() FROM system.numbers WHERE sipHash64(number) = 1', {
      max_execution_time: '0.3',
    })
    expect(reply).toMatchObject({ status: 408, text: expect.stringContaining('TIMEOUT_EXCEEDED') })
  })
})

describe('settings', () => {
  /** Asks as many times at once as there are sessions, so that each of them answers. */
  async function onEverySession(sql: string): Promise<string[]> {
    const slowly = `${sql.replace('SELECT ', 'SELECT sleep(0.2), ')} FORMAT TSV`
    const answers = await Promise.all(Array.from({ length: maxSessions }, () => ok(slowly)))
    return answers.map((answer) => answer.split('\t').slice(1).join('\t'))
  }

  test('forgets the settings of a request on every session', async () => {
    const [usual] = await onEverySession("SELECT getSetting('max_block_size')")
    expect(usual).not.toBe('777')
    const settings = { max_block_size: '777', async_insert: '1', max_threads: '1' }
    const query = "SELECT sleep(0.1), getSetting('max_block_size')"
    await Promise.all(
      Array.from({ length: maxSessions * 2 }, async () => expect(await ok(query, settings)).toBe('0\t777')),
    )
    const answers = await onEverySession("SELECT getSetting('max_block_size'), getSetting('async_insert')")
    expect(answers).toEqual(Array.from({ length: maxSessions }, () => `${usual}\tfalse`))
  })

  test('forgets what SET and USE say, since a request without session_id is a session of its own', async () => {
    for (const sql of ['SET max_block_size = 777', 'USE system']) {
      await Promise.all(Array.from({ length: maxSessions }, () => ok(sql)))
    }
    const answers = await onEverySession("SELECT getSetting('max_block_size') = 777, currentDatabase()")
    expect(new Set(answers)).toEqual(new Set(['0\tdefault']))
  })

  test('never drops an insert because an earlier one had a deduplication token', async () => {
    await ok(
      'CREATE TABLE tokens (a Int32) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100',
    )
    const query = 'INSERT INTO tokens FORMAT JSONEachRow'
    for (let round = 0; round < maxSessions; round += 1) {
      const tokened = { query, insert_deduplication_token: `t${round}` }
      await send(tokened, { body: `{"a":${round}}` })
      await send(tokened, { body: `{"a":${round}}` })
    }
    expect(await ok('SELECT count() FROM tokens')).toBe(String(maxSessions))
    const untokened = await Promise.all(
      Array.from({ length: 12 }, (_, i) => send({ query }, { body: `{"a":${100 + i}}` })),
    )
    expect(untokened.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 200))
    expect(await ok('SELECT count() FROM tokens')).toBe(String(maxSessions + 12))
  })

  test('forgets query parameters', async () => {
    await Promise.all(
      Array.from({ length: maxSessions }, () => ok('SELECT sleep(0.1), {leak:String}', { param_leak: 'x' })),
    )
    for (let i = 0; i < maxSessions; i += 1) expect(await run('SELECT {leak:String}')).toMatchObject({ status: 500 })
  })

  test('keeps settings and temporary tables of a named session, apart from all others', async () => {
    const session = { session_id: 's1' }
    await ok('CREATE TEMPORARY TABLE mine (a Int8)', session)
    await ok('SET max_block_size = 777', session)
    expect(await ok("SELECT count(), getSetting('max_block_size') FROM mine", session)).toBe('0\t777')
    expect((await run('SELECT count() FROM mine')).status).toBe(404)
    expect((await run('SELECT count() FROM mine', { session_id: 's2' })).status).toBe(404)
    expect(await run('SELECT 1', { session_id: 's3', session_check: '1' })).toMatchObject({
      text: expect.stringContaining('372'),
    })
  })
})
