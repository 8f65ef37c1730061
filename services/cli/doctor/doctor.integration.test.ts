import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StorageType } from '@nats-io/jetstream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestClickHouse, startClickHouse } from '../../../tests/support/clickhouse.ts'
import { mountTmpfs } from '../../../tests/support/mount.ts'
import { startTestNats, type TestNats } from '../../../tests/support/nats.ts'
import { agreeOnPartitions } from '../../../shared/bus/partition-count.ts'
import { ensureStreams } from '../../../shared/bus/streams.ts'
import { openStore } from '../../../shared/store/connect.ts'
import { migrate } from '../../../shared/store/migrate.ts'
import type { Finding } from './finding.ts'
import { type DoctorOptions, examine } from './run.ts'

let nats: TestNats
let clickhouse: TestClickHouse
let directory: string
beforeAll(async () => {
  nats = await startTestNats()
  clickhouse = await startClickHouse()
  directory = await mkdtemp(join(tmpdir(), 'strikeflow-doctor-'))
  await ensureStreams(await nats.connect(), 'embedded')
  await command('CREATE DATABASE strikeflow')
  await using store = openStore({ ...account(), database: 'strikeflow' })
  await migrate(store)
})
afterAll(async () => {
  await rm(directory, { recursive: true, force: true })
  await clickhouse[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
})

const account = () => clickhouse.account

async function command(sql: string): Promise<void> {
  await using server = openStore({ ...account(), database: 'default' })
  await server.command(sql)
}

const freePorts = { STANDALONE_NATS_PORT: '0', STANDALONE_CLICKHOUSE_PORT: '0', STANDALONE_API_PORT: '0' } as const

const look = (change: Partial<DoctorOptions> = {}): Promise<readonly Finding[]> =>
  examine({
    dataDirectory: directory,
    monitorUrl: null,
    nodeVersion: process.versions.node,
    clock: Date.now,
    ...change,
    environment: { ...freePorts, NATS_URL: nats.url, ...clickhouse.env, ...change.environment },
  })

const failures = (findings: readonly Finding[]): readonly Finding[] =>
  findings.filter(({ status }) => status === 'fail')
const of = (findings: readonly Finding[], check: string): Finding | undefined =>
  findings.find((finding) => finding.check === check)

describe('the doctor', () => {
  it('finds nothing wrong with servers as they should be', async () => {
    const findings = await look()
    expect(failures(findings)).toEqual([])
    for (const check of [
      'streams',
      'jetstream',
      'jetstream limits',
      'nats clock',
      'clickhouse clock',
      'schema',
      'permissions',
    ])
      expect(of(findings, check)).toMatchObject({ status: 'ok' })
    expect(of(findings, 'nats fsync')?.status).toBe('left out')
  })

  it('leaves no consumer and no file behind', async () => {
    await look()
    const bus = await nats.connect()
    expect((await bus.jsm.streams.info('CHAINS')).state.consumer_count).toBe(0)
    expect(of(await look(), 'data directory')?.found).toContain('can be written')
  })

  it('finds chains in partitions that no processor reads', async () => {
    await using other = await startTestNats()
    const bus = await other.connect()
    await ensureStreams(bus, 'embedded')
    const partitions = async () => of(await look({ environment: { NATS_URL: other.url } }), 'partitions')
    expect(await partitions()).toBeUndefined()
    await agreeOnPartitions(bus, 16, 'PROCESSOR_PARTITIONS')
    for (const partition of [0, 15]) await bus.js.publish(`chains.raw.${partition}.cboe.SPY`)
    expect(await partitions()).toMatchObject({ status: 'ok' })
    for (const partition of [20, 16, 20]) await bus.js.publish(`chains.raw.${partition}.cboe.SPY`)
    expect(await partitions()).toMatchObject({
      status: 'fail',
      found: expect.stringMatching(/^3 messages of CHAINS in partitions 16, 20:/) as string,
    })
  })

  it('works without servers, and says what it left out', async () => {
    const findings = await look({ environment: { NATS_URL: undefined, CLICKHOUSE_URL: undefined } })
    expect(findings.filter(({ status }) => status === 'left out').map(({ check }) => check)).toEqual([
      'nats',
      'clickhouse',
    ])
  })

  it('says when a server does not answer', async () => {
    const environment = { NATS_URL: 'nats://127.0.0.1:1', CLICKHOUSE_URL: 'http://127.0.0.1:1' }
    expect(failures(await look({ environment })).map(({ check }) => check)).toEqual(['nats', 'clickhouse'])
  })

  it('finds a stream with another setting, a missing one and one that services refuse', async () => {
    await using other = await startTestNats()
    const bus = await other.connect()
    await ensureStreams(bus, 'embedded')
    await bus.jsm.streams.update('CHAINS', { max_age: 3_600_000_000_000 })
    await bus.jsm.streams.update('ALERTS', { max_bytes: 2 ** 30 })
    await bus.jsm.streams.delete('QUALITY')
    await bus.jsm.streams.delete('DLQ')
    await bus.jsm.streams.add({ name: 'DLQ', subjects: ['dlq.>'], storage: StorageType.Memory })
    const findings = await look({ environment: { NATS_URL: other.url } })
    expect(of(findings, 'stream CHAINS')).toMatchObject({
      status: 'warn',
      found: expect.stringContaining('max_age') as string,
    })
    expect(of(findings, 'stream ALERTS')).toMatchObject({
      status: 'warn',
      found: expect.stringContaining('more than') as string,
    })
    expect(of(findings, 'streams')).toMatchObject({ status: 'warn', found: 'missing: QUALITY' })
    expect(of(findings, 'stream DLQ')).toMatchObject({
      status: 'fail',
      found: expect.stringContaining('memory') as string,
    })
  })

  it('compares the clocks of the servers with the one here', async () => {
    const findings = await look({ clock: () => Date.now() + 60_000 })
    expect(of(findings, 'nats clock')).toMatchObject({
      status: 'fail',
      found: expect.stringContaining('behind') as string,
    })
    expect(of(findings, 'clickhouse clock')).toMatchObject({ status: 'fail' })
    expect(of(await look({ clock: () => Date.now() - 2000 }), 'clickhouse clock')?.status).toBe('warn')
  })

  it('finds a database user who may only read, and says what to grant', async () => {
    const findings = failures(
      await look({
        environment: {
          CLICKHOUSE_USER: 'reader',
          CLICKHOUSE_PASSWORD: clickhouse.accounts.reader.password,
        },
      }),
    )
    expect(findings.map(({ check, found }) => `${check}: ${found}`)).toEqual([
      expect.stringContaining('permissions: user reader may not insert'),
      expect.stringContaining('permissions: user reader may not create'),
    ])
    expect(findings[0]?.advice).toContain('GRANT')
  })

  it('finds a database without the schema', async () => {
    await command('CREATE DATABASE IF NOT EXISTS empty_one')
    const findings = await look({ environment: { CLICKHOUSE_DATABASE: 'empty_one' } })
    expect(of(findings, 'schema')).toMatchObject({
      status: 'fail',
      advice: expect.stringContaining('migrate') as string,
    })
    expect(of(findings, 'permissions')?.status).toBe('left out')
  })

  it('finds a setting that cannot work, and goes on with the rest', async () => {
    const findings = await look({ environment: { NATS_PROFILE: 'huge' } })
    expect(of(findings, 'nats')).toMatchObject({
      status: 'fail',
      found: expect.stringContaining('NATS_PROFILE') as string,
    })
    expect(of(findings, 'schema')?.status).toBe('ok')
  })

  it('finds a directory that cannot be written, and one in memory', async () => {
    const notADirectory = join(directory, 'file')
    await writeFile(notADirectory, '')
    expect(of(await look({ dataDirectory: notADirectory }), 'data directory')?.status).toBe('fail')
    expect(of(await look({ dataDirectory: '/dev/shm/strikeflow' }), 'file system')?.status).toBe('warn')
  })

  it('finds a directory without the right to write', async (context) => {
    const readOnly = await mkdtemp(join(tmpdir(), 'strikeflow-doctor-'))
    const release = await forbidWriting(readOnly)
    context.skip(release === null, 'cannot make a directory here that root may not write')
    expect(of(await look({ dataDirectory: readOnly }), 'data directory')).toMatchObject({
      status: 'fail',
      found: expect.stringMatching(/EACCES|EROFS/) as string,
    })
    await release?.()
    await rm(readOnly, { recursive: true })
  })

  it('takes the port of a server that the environment names for no port of its own', async () => {
    const { port } = new URL(nats.url)
    const taken = { STANDALONE_NATS_PORT: port, STANDALONE_CLICKHOUSE_PORT: new URL(clickhouse.url).port }
    expect(failures(await look({ environment: taken }))).toEqual([])
    const embedded = await look({ environment: { ...taken, NATS_URL: undefined } })
    expect(of(embedded, `port ${port}`)).toMatchObject({ status: 'fail' })
  })

  it('names a port that another process has', async () => {
    const server = createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const findings = await look({ environment: { STANDALONE_API_PORT: String(port) } })
    expect(of(findings, `port ${port}`)).toMatchObject({
      status: 'fail',
      advice: expect.stringContaining('--api-port') as string,
    })
    server.close()
  })
})

/** Root may write in spite of the rights, but not on a file system mounted for reading only. */
async function forbidWriting(path: string): Promise<(() => unknown) | null> {
  if (process.getuid?.() === 0) return mountTmpfs(path, 'ro,size=1m')
  await chmod(path, 0o500)
  return () => chmod(path, 0o700)
}
