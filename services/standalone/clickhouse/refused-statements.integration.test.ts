import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { canaryFolder, canaryPort, refusedStatements } from '../../../tests/fixtures/refused-statements.ts'
import { basic, httpTo, startClickHouse, type TestClickHouse } from '../../../tests/support/clickhouse.ts'
import { engineFiles } from './clickhouse.ts'
import { type Engine, openEngine } from './engine.ts'
import { allowedTableFunctions, refusedTableFunctions } from './forbidden-names.ts'
import { openSession, type Session } from './session.ts'

let folder = ''
let port: Server
let connections = 0
let host = ''
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'strikeflow-canary-'))
  port = createServer((socket) => {
    connections += 1
    socket.destroy()
  }).listen(0, '127.0.0.1')
  await once(port, 'listening')
  const address = port.address()
  host = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
})
afterAll(() => {
  port.close()
  rmSync(folder, { recursive: true, force: true })
})
afterEach(() => {
  const written = readdirSync(folder)
  const opened = connections
  // So that one statement that gets through fails one test.
  for (const name of written) rmSync(join(folder, name), { recursive: true })
  connections = 0
  expect(written, 'files written').toEqual([])
  expect(opened, 'connections opened').toBe(0)
})

const withCanaries = (sql: string): string => sql.replaceAll(canaryFolder, folder).replaceAll(canaryPort, host)

describe('on the port', () => {
  let server: TestClickHouse
  beforeAll(async () => {
    server = await startClickHouse()
    const { ok } = httpTo(() => server)
    await ok('CREATE TABLE kept (a Int32) ENGINE = MergeTree ORDER BY a')
    await ok('INSERT INTO kept SELECT 1')
  })
  afterAll(async () => {
    const { ok } = httpTo(() => server)
    expect(await ok('SELECT count() FROM kept')).toBe('1')
    expect(await ok("SELECT groupArray(name) FROM system.tables WHERE database = 'default'")).toBe("['kept']")
    expect(await ok('SELECT groupArray(name) FROM (SELECT name FROM system.databases ORDER BY name)')).toBe(
      "['INFORMATION_SCHEMA','default','information_schema','system']",
    )
    await server[Symbol.asyncDispose]()
  })

  test.each(refusedStatements.map(({ sql }) => sql))('nobody can run %s', async (sql) => {
    const body = withCanaries(sql)
    const { services, reader } = server.accounts
    const inUrl = `${server.url}/?query=${encodeURIComponent(body)}`
    const answers = await Promise.all([
      fetch(server.url, { method: 'POST', body }),
      fetch(inUrl),
      fetch(server.url, { method: 'POST', body, headers: basic(reader) }),
      fetch(inUrl, { headers: basic(reader) }),
      fetch(inUrl, { headers: basic(services) }),
      fetch(server.url, { method: 'POST', body, headers: basic(services) }),
      fetch(inUrl, { method: 'POST', headers: basic(services) }),
    ])
    for (const answer of answers) {
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.status).toBeLessThan(600)
      expect(await answer.text()).toMatch(/^Code: (497|516|164|358|78|62)\./)
    }
  })

  test('a session that a client has named gives no more rights than any other', async () => {
    const { run } = httpTo(() => server)
    const session = { session_id: 'mine' }
    for (const sql of ['SET ROLE ALL', 'SYSTEM FLUSH LOGS', "SELECT * FROM file('/etc/hostname', 'LineAsString')"])
      expect((await run(sql, session)).status).toBe(403)
  })
})

/** The rights in users.xml and nothing else: statements go to the engine as they are, past the rule. */
describe('by the rights of the engine alone', () => {
  let engine: Engine
  let session: Session
  let dataDir = ''
  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'strikeflow-clickhouse-'))
    engine = await openEngine({ dataDir, serverSettings: engineFiles })
    session = await openSession(engine, { settings: {} }, { mode: 'write' })
    await session.run('CREATE TABLE kept (a Int32) ENGINE = MergeTree ORDER BY a')
  })
  afterAll(() => {
    session.close()
    engine[Symbol.dispose]()
    rmSync(dataDir, { recursive: true, force: true })
  })

  const listed = refusedStatements.filter(({ line }) => line !== 'rule').map(({ sql }) => sql)
  test.each(listed)('the engine refuses %s', async (sql) => {
    await expect(session.run(withCanaries(sql))).rejects.toThrow(/^Code: \d+/)
  })

  test('the engine does no more than the list says: a right it once gains or loses shows here', async () => {
    const control = await engine.control("SELECT 'the own connection of the server can end queries'")
    expect(control.rows).toBe(1)
    await expect(session.run('SYSTEM FLUSH LOGS')).rejects.toThrow(/Not enough privileges/)
    await engine.control('SYSTEM FLUSH LOGS')
  })

  const namesIn = async (table: string): Promise<readonly string[]> => {
    const { bytes } = await engine.control(`SELECT lower(name) FROM system.${table}`)
    return Buffer.from(bytes).toString('utf8').trim().split('\n')
  }

  test('every table function of this engine is either allowed or refused by name', async () => {
    const known = allowedTableFunctions.union(refusedTableFunctions).add('format')
    expect((await namesIn('table_functions')).filter((name) => !known.has(name))).toEqual([])
  })
})
