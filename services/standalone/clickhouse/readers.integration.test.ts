import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { basic, httpTo, startClickHouse, type TestClickHouse } from '../../../tests/support/clickhouse.ts'
import { waitFor } from '../../../tests/support/wait-for.ts'

const readerMaxSessions = 2
let server: TestClickHouse
beforeAll(async () => {
  const memory = ['--reader-max-memory-bytes', String(100 * 1024 ** 2), '--reader-max-result-bytes', '1000000']
  const sessions = ['--reader-max-sessions', String(readerMaxSessions), '--reader-max-waiting', '2']
  server = await startClickHouse({ args: ['--max-sessions', '1', ...sessions, ...memory] })
})
afterAll(() => server[Symbol.asyncDispose]())
afterEach(() => waitFor('no query of a reader', async () => (await running()) === 0))

const services = httpTo(() => server)
const reader = httpTo(() => server, 'reader')
const endless = 'SELECT count() FROM system.numbers WHERE sipHash64(number) = 1'
const running = async (): Promise<number> =>
  Number(
    await services.ok(
      "SELECT count() FROM system.processes WHERE query LIKE '%system.numbers%' AND query NOT LIKE '%processes%'",
    ),
  )

/** Endless queries of readers, whose clients leave when it is disposed. */
function occupy(queries: number, sql = endless): AsyncDisposable & { readonly ended: number } {
  const leaving = new AbortController()
  let ended = 0
  const init = { method: 'POST', body: sql, signal: leaving.signal, headers: basic(server.accounts.reader) }
  const sent = Array.from({ length: queries }, () =>
    fetch(server.url, init).then(
      () => (ended += 1),
      () => (ended += 1),
    ),
  )
  return {
    get ended() {
      return ended
    },
    async [Symbol.asyncDispose]() {
      leaving.abort()
      await Promise.all(sent)
    },
  }
}

test('readers that keep all their sessions busy do not hold up our services', async () => {
  await services.ok('CREATE TABLE busy (a Int32) ENGINE = MergeTree ORDER BY a')
  await using slow = occupy(readerMaxSessions + 2)
  await waitFor('all sessions of readers to be busy', async () => (await running()) === readerMaxSessions)
  for (let i = 0; i < 20; i += 1) {
    await services.send({ query: 'INSERT INTO busy FORMAT CSV' }, { body: `${i}\n` })
    await services.ok('SELECT 1')
  }
  expect(slow.ended).toBe(0)
  expect(await services.ok('SELECT count() FROM busy')).toBe('20')
})

test('refuses further readers while too many wait', async () => {
  await using slow = occupy(readerMaxSessions)
  await waitFor('all sessions of readers to be busy', async () => (await running()) === readerMaxSessions)
  await using waiting = occupy(2)
  await waitFor('a refusal', async () => (await reader.run('SELECT 1', {})).text.includes('TOO_MANY_SIMULTANEOUS'))
  expect(slow.ended + waiting.ended).toBe(0)
  expect(await services.ok('SELECT 1')).toBe('1')
})

test.each([endless, `EXPLAIN SELECT (${endless})`])('ends a query of a reader who has left: %s', async (sql) => {
  {
    await using left = occupy(1, sql)
    await waitFor('the query to run', async () => (await running()) === 1)
    expect(left.ended).toBe(0)
  }
  await waitFor('the query to end', async () => (await running()) === 0)
})

test('a GET of our services takes its turn among the readers', async () => {
  await using slow = occupy(readerMaxSessions)
  await waitFor('all sessions of readers to be busy', async () => (await running()) === readerMaxSessions)
  const gone = new AbortController()
  const get = services.send({ query: 'SELECT 2' }, { method: 'GET', signal: gone.signal }).catch(() => 'left')
  expect(await services.ok('SELECT 1')).toBe('1')
  expect(slow.ended).toBe(0)
  gone.abort()
  expect(await get).toBe('left')
})

test('ends what takes a reader too much time, memory or result', async () => {
  expect(await reader.run(endless, { max_execution_time: '0.3' })).toMatchObject({ status: 408 })
  const much = await reader.run('SELECT length(groupArray(number)) FROM numbers(100000000)')
  expect(much.text).toContain('MEMORY_LIMIT_EXCEEDED')
  // The engine sees the size of the first; the second is one constant for it, as often as there are rows.
  for (const row of ['repeat(toString(number), 200)', "repeat('x', 200)"]) {
    const long = await reader.run(`SELECT ${row} FROM numbers(10000)`)
    expect(long.text).toContain('TOO_MANY_ROWS_OR_BYTES')
  }
  const endlessly = await reader.run("SELECT repeat('x', 100) FROM numbers(90000000)")
  expect(endlessly.text).toContain('TOO_MANY_ROWS_OR_BYTES')
  expect(await services.ok("SELECT count() FROM (SELECT repeat('x', 200) FROM numbers(10000))")).toBe('10000')
})
