import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { basic, httpTo, startClickHouse, type TestClickHouse } from '../../../tests/support/clickhouse.ts'

const endless = 'SELECT count() FROM system.numbers WHERE sipHash64(number) = 1'
/** Of a query that is ended before, by its client's leaving. */
const longSeconds = 40

async function waitFor(condition: () => Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Not within ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('queries side by side', () => {
  let server: TestClickHouse
  beforeAll(async () => {
    server = await startClickHouse({ args: ['--max-sessions', '2', '--max-waiting', '3'] })
  })
  afterAll(() => server[Symbol.asyncDispose]())
  afterEach(() => waitFor(async () => (await running().catch(() => null)) === 0))
  const { run, ok } = httpTo(() => server)

  const running = async (): Promise<number> =>
    Number(
      await ok(
        `SELECT count() FROM system.processes WHERE query LIKE '%system.numbers%' AND query NOT LIKE '%processes%'`,
      ),
    )

  /** Keeps so many sessions busy until it is disposed. */
  function occupy(sessions: number): AsyncDisposable & { readonly ended: number } {
    const leaving = new AbortController()
    let ended = 0
    const init = { method: 'POST', body: endless, signal: leaving.signal, headers: basic(server.account) }
    const queries = Array.from({ length: sessions }, () =>
      fetch(`${server.url}/?max_execution_time=${longSeconds}`, init).then(
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
        await Promise.all(queries)
      },
    }
  }

  test('answers a fast query while a slow one runs', async () => {
    await using slow = occupy(1)
    await waitFor(async () => (await running()) === 1)
    expect(await ok('SELECT 1')).toBe('1')
    expect(slow.ended).toBe(0)
  })

  test('answers pings while every session is busy, and lets further queries wait their turn', async () => {
    const waiting: Promise<string>[] = []
    {
      await using first = occupy(1)
      await waitFor(async () => (await running()) === 1)
      await using second = occupy(1)
      waiting.push(...[1, 2, 3].map(() => ok('SELECT 1')))
      for (let i = 0; i < 10; i += 1) expect(await (await fetch(`${server.url}/ping`)).text()).toBe('Ok.\n')
      expect(first.ended + second.ended).toBe(0)
    }
    expect(await Promise.all(waiting)).toEqual(['1', '1', '1'])
  })

  test('refuses a query when too many wait', async () => {
    const answers: { readonly status: number; readonly text: string }[] = []
    const sent: Promise<unknown>[] = []
    const isRefused = ({ status }: { readonly status: number }): boolean => status !== 200
    {
      await using slow = occupy(2)
      // One that comes before both sessions are busy is answered; those that come after wait, three of them.
      await waitFor(async () => {
        if (!answers.some(isRefused)) sent.push(run('SELECT 1').then((answer) => answers.push(answer)))
        return answers.some(isRefused) && sent.length - answers.length === 3
      })
      expect(slow.ended).toBe(0)
    }
    await Promise.all(sent)
    for (const { text } of answers.filter(isRefused)) expect(text).toContain('TOO_MANY_SIMULTANEOUS_QUERIES')
    expect(answers.filter((answer) => !isRefused(answer)).length).toBeGreaterThanOrEqual(3)
  })

  test('ends a query whose client has left', async () => {
    const leaving = new AbortController()
    const url = `${server.url}/?max_execution_time=${longSeconds}`
    const query = fetch(url, {
      method: 'POST',
      body: endless,
      signal: leaving.signal,
      headers: basic(server.account),
    }).catch(() => 'left')
    await waitFor(async () => (await running()) === 1)
    leaving.abort()
    expect(await query).toBe('left')
    await waitFor(async () => (await running()) === 0)
  })

  test('stores nothing of a body that is cut off', async () => {
    await ok('CREATE TABLE cut (a Int32) ENGINE = MergeTree ORDER BY a')
    const query = encodeURIComponent('INSERT INTO cut FORMAT CSV')
    const upload = request(`${server.url}/?query=${query}`, {
      method: 'POST',
      headers: { ...basic(server.account), 'Content-Length': 1000 },
    })
    upload.on('error', () => undefined)
    await new Promise((resolve) => upload.write('1\n2\n', resolve))
    const closed = new Promise((resolve) => upload.once('close', resolve))
    upload.destroy()
    await closed
    expect(await ok('SELECT count() FROM cut')).toBe('0')
  })

  test('streams a result of 300 MB without holding it', async () => {
    const sql = "SELECT number, repeat('x', 240) FROM numbers(1200000) FORMAT TSV"
    const response = await fetch(server.url, { method: 'POST', body: sql, headers: basic(server.account) })
    let bytes = 0
    for await (const chunk of response.body ?? []) bytes += (chunk as Uint8Array).length
    expect(bytes).toBeGreaterThan(290_000_000)
    expect(bytes).toBe(Number(response.headers.get('Content-Length')))
    expect(await ok('SELECT 1')).toBe('1')
  })
})

describe('the data directory', () => {
  let dataDir = ''
  beforeAll(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'strikeflow-clickhouse-'))
  })
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

  test('is open again with every acknowledged row after a kill -9', async () => {
    const rows = 200_000
    const killed = await startClickHouse({ dataDir })
    const before = httpTo(() => killed)
    await before.ok('CREATE DATABASE sf')
    await before.ok('CREATE TABLE sf.kept (a Int64, b String) ENGINE = MergeTree ORDER BY a')
    for (let part = 0; part < 4; part += 1) {
      await before.ok(
        `INSERT INTO sf.kept SELECT number, toString(number) FROM numbers(${(part * rows) / 4}, ${rows / 4})`,
      )
    }
    await killed.kill9()
    const startedMs = performance.now()
    await using again = await startClickHouse({ dataDir })
    const answer = await httpTo(() => again).ok('SELECT count(), uniqExact(a) FROM sf.kept')
    expect(answer).toBe(`${rows}\t${rows}`)
    process.stdout.write(`open and read ${Math.round(performance.now() - startedMs)} ms after a kill -9\n`)
    expect(existsSync(`/dev/shm/strikeflow-clickhouse-${killed.pid}`)).toBe(false)
  })

  test('is refused to a second process, which is told who has it', async () => {
    await using first = await startClickHouse({ dataDir })
    await expect(startClickHouse({ dataDir })).rejects.toThrow(`belongs to the running process ${first.pid}`)
    expect(await httpTo(() => first).ok('SELECT 1')).toBe('1')
  })

  test('is left in order by SIGTERM: running queries finish, exit code 0, no owner', async () => {
    const server = await startClickHouse({ dataDir })
    const { run, ok } = httpTo(() => server)
    const slow = run(endless, { max_execution_time: '5' })
    const isRunning =
      "SELECT count() FROM system.processes WHERE query LIKE '%sipHash64%' AND query NOT LIKE '%processes%'"
    await waitFor(async () => (await ok(isRunning)) === '1')
    expect(await server.stop()).toBe(0)
    expect(await slow).toMatchObject({ status: 408 })
    expect(existsSync(join(dataDir, 'owner.json'))).toBe(false)
    expect(existsSync(`/dev/shm/strikeflow-clickhouse-${server.pid}`)).toBe(false)
  })
})

describe('an unexpected exception', () => {
  test('closes the engine in order before the process ends with 1', async () => {
    const script = 'process.on("SIGUSR2", () => { throw new Error("planted") })'
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` }
    await using server = await startClickHouse({ env })
    await httpTo(() => server).ok('CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a')
    process.kill(server.pid, 'SIGUSR2')
    await waitFor(async () => !existsSync(join(server.dataDir, 'owner.json')))
    expect(await server.stop()).toBe(1)
  })
})

describe('the start', () => {
  test('names a port that is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await expect(startClickHouse({ port })).rejects.toThrow(`port ${port} on 127.0.0.1 is taken`)
    taken.close()
  })

  test('ends with its parent when it is asked to', async () => {
    const main = new URL('main.ts', import.meta.url).pathname
    const dataDir = mkdtempSync(join(tmpdir(), 'strikeflow-clickhouse-'))
    const script = `"${process.execPath}" "${main}" --data-dir "${dataDir}" --port 0 --exit-with-parent true & wait`
    const shell = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] })
    const [line] = (await once(shell.stdout, 'data')) as [Buffer]
    const { pid } = JSON.parse(line.toString()) as { pid: number }
    shell.kill('SIGKILL')
    await waitFor(async () => !existsSync(`/proc/${pid}`))
    expect(existsSync(join(dataDir, 'owner.json'))).toBe(false)
    rmSync(dataDir, { recursive: true, force: true })
  })
})
