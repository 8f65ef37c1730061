import { expect, test } from 'vitest'
import type { Engine, EngineConnection } from './engine.ts'
import { SessionPool } from './session-pool.ts'

const result = { bytes: new Uint8Array(), rows: 0, rowBytes: 0, elapsedSeconds: 0 }

/** An engine that only writes down what its connections are told. */
function recordingEngine(): { engine: Engine; statements: string[]; closed: () => number } {
  const statements: string[] = []
  let closed = 0
  const connect = (): EngineConnection => ({
    run: async (sql) => {
      statements.push(sql)
      return result
    },
    close: () => (closed += 1),
  })
  const engine: Engine = {
    version: '',
    timezone: '',
    connect,
    kill: async () => 0,
    killAll: async () => undefined,
    control: async () => result,
    [Symbol.dispose]: () => undefined,
  }
  return { engine, statements, closed: () => closed }
}

const { signal } = new AbortController()
const write = { mode: 'write', signal } as const
const none = { database: 'default', settings: new Map<string, string>(), params: new Map<string, string>() }
const poolOn = (engine: Engine, maxSessions = 1, maxWaiting = 10): SessionPool =>
  new SessionPool({ engine, defaults: { settings: { async_insert: '0' } }, maxSessions, maxWaiting })

test('resets every setting of a request before the next one gets the session', async () => {
  const { engine, statements } = recordingEngine()
  const pool = poolOn(engine)
  const settings = new Map([
    ['insert_deduplication_token', 'a'],
    ['async_insert', '1'],
  ])
  await pool.withSession(write, async (session) => session.prepare({ ...none, settings }, ''))
  await pool.withSession(write, async (session) => session.run('NEXT'))
  expect(statements.slice(1)).toEqual([
    "SET insert_deduplication_token = 'a', async_insert = '1'",
    "SET insert_deduplication_token = DEFAULT, async_insert = '0'",
    'NEXT',
  ])
})

test('lets a statement read its body, and the next one on the session no file any more', async () => {
  const { engine, statements } = recordingEngine()
  const pool = poolOn(engine)
  await pool.withSession(write, async (session) => session.prepare({ ...none, readsBody: true }, ''))
  await pool.withSession(write, async (session) => session.run('NEXT'))
  expect(statements[0]).toMatch(/; SET ROLE NONE$/)
  expect(statements.slice(1)).toEqual(['SET ROLE body', 'SET ROLE NONE', 'NEXT'])
})

test('closes a session that a statement has changed', async () => {
  const { engine, closed } = recordingEngine()
  const pool = poolOn(engine)
  await pool.withSession(write, async (session) => session.taint())
  await pool.idle()
  expect(closed()).toBe(1)
})

test('closes a session whose settings could not all be set', async () => {
  const { engine, closed } = recordingEngine()
  const failing: Engine = {
    ...engine,
    connect: () => ({
      ...engine.connect(),
      run: async (sql) => (sql.includes('bad') ? Promise.reject(new Error('no')) : result),
      close: () => engine.connect().close(),
    }),
  }
  const pool = poolOn(failing)
  const settings = new Map([['bad', '1']])
  await expect(pool.withSession(write, async (session) => session.prepare({ ...none, settings }, ''))).rejects.toThrow(
    'no',
  )
  await pool.idle()
  expect(closed()).toBe(1)
})

test('does not let a parameter of an earlier request stand in for a missing one', async () => {
  const pool = poolOn(recordingEngine().engine)
  await pool.withSession(write, async (session) =>
    session.prepare({ ...none, params: new Map([['x', '1']]) }, 'SELECT {x:Int8}'),
  )
  const later = pool.withSession(write, async (session) => session.prepare(none, 'SELECT { x : Int8 }'))
  await expect(later).rejects.toThrow(/Substitution `x` is not set/)
})

test('never serves a read-only user with a writing session', async () => {
  const { engine, statements } = recordingEngine()
  const pool = poolOn(engine)
  await pool.withSession(write, async (session) => session.run('WRITE'))
  await pool.withSession({ mode: 'read', settings: new Map([['max_execution_time', '5']]), signal }, async (session) =>
    session.run('READ'),
  )
  await pool.withSession(write, async (session) => session.run('WRITE 2'))
  const at = statements.indexOf('READ')
  expect(statements[at - 1]).toContain("max_execution_time = '5'")
  expect(statements[at - 1]).toMatch(/; SET ROLE NONE; SET readonly = 1$/)
  expect(statements.slice(at + 1)).toEqual([expect.stringContaining('async_insert'), 'WRITE 2'])
})

test('refuses when too many wait, and takes one that gave up out of the queue', async () => {
  const pool = poolOn(recordingEngine().engine, 1, 1)
  const { promise, resolve } = Promise.withResolvers<void>()
  const running = pool.withSession(write, () => promise)
  const leaving = new AbortController()
  const waiting = pool.withSession({ mode: 'write', signal: leaving.signal }, async () => undefined)
  await expect(pool.withSession(write, async () => undefined)).rejects.toThrow(/Code: 202/)
  leaving.abort(new Error('gone'))
  await expect(waiting).rejects.toThrow('gone')
  expect(pool.waiting).toBe(0)
  resolve()
  await running
  await pool.idle()
  expect(pool.busy).toBe(0)
})
