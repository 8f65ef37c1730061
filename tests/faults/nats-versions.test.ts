import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Finding } from '../../services/cli/doctor/finding.ts'
import { examine } from '../../services/cli/doctor/run.ts'
import { checkFsync } from '../../services/cli/doctor/versions.ts'
import { openBucket } from '../../shared/bus/bucket.ts'
import type { Bus } from '../../shared/bus/connect.ts'
import { openOrderedSource } from '../../shared/bus/ordered-source.ts'
import { createPublisher } from '../../shared/bus/publisher.ts'
import { ensureStreams, streamInfo } from '../../shared/bus/streams.ts'
import { chainMessages, openStage, waitForCommits } from '../support/delivery-stage.ts'
import { checksums } from '../support/checksum.ts'
import { monitoring, startTestNats, type TestNats } from '../support/nats.ts'
import { findNatsServers } from '../support/nats-servers.ts'
import { waitFor } from '../support/wait-for.ts'

const servers = await findNatsServers()
const messages = chainMessages(12, 30)

it('there is a newer nats-server to try than the oldest', (context) => {
  context.skip(
    servers.length < 2,
    'none found: node scripts/bring-nats-servers.ts, or STRIKEFLOW_NATS_SERVERS=path,path',
  )
  expect(servers.map(({ version }) => version)).toEqual([...new Set(servers.map(({ version }) => version))])
})

describe.each(servers)('nats-server $version', ({ binary, version }) => {
  it('takes every stream and bucket as declared, and leaves them as they are the second time', async () => {
    await using nats = await startTestNats({ binary })
    const bus = await nats.connect()
    expect(bus.connection.info?.version).toBe(version)
    expect((await ensureStreams(bus, 'embedded')).map(({ action }) => action)).not.toContain('updated')
    const again = await ensureStreams(bus, 'embedded')
    expect(again.map(({ name, action, drift }) => [name, action, drift])).toEqual(
      again.map(({ name }) => [name, 'unchanged', []]),
    )
  })

  it('is what the doctor says of it: streams, limits, clock, disk, and fsync as it is set', async () => {
    await using nats = await startTestNats({ binary, configuration: [monitoring] })
    await ensureStreams(await nats.connect(), 'embedded')
    const findings = await diagnosis(nats)
    for (const check of ['nats', 'jetstream', 'jetstream limits', 'streams', 'nats clock', 'data directory'])
      expect(findings.find((finding) => finding.check === check)).toMatchObject({ check, status: 'ok' })
    expect(findings.find(({ check }) => check === 'nats')?.found).toBe(version)
    expect(fsyncOf(findings)).toMatch(/^the default of 2 minutes|^120 s/)
  })

  it('takes sync_interval from the version on that the doctor names, and refuses to start with it before', async () => {
    const { advice = '' } = checkFsync(null, { version, profile: 'production' })
    const starting = startTestNats({ binary, syncAlways: true, configuration: [monitoring], startTimeoutMs: 10_000 })
    const outcome = await starting.then(
      async (started) => {
        await using nats = started
        return fsyncOf(await diagnosis(nats))
      },
      (error: unknown) => (error as Error).message,
    )
    expect(outcome).toContain(
      advice.includes('needs nats-server')
        ? 'unknown field "sync_interval"'
        : 'always: what is acknowledged survives a power cut',
    )
  })

  it('delivers a stream in order, each message once, through a kill in the middle', async () => {
    await using nats = await startTestNats({ binary })
    const bus = await nats.connect()
    await ensureStreams(bus, 'embedded')
    const publisher = createPublisher(bus, { publisherId: 'test/1' })
    await using source = await openOrderedSource(bus, {
      stream: 'QUALITY',
      filterSubject: 'quality.gap.>',
      fromSeq: 1,
      heartbeatMs: 500,
    })
    const publish = async (from: number, to: number): Promise<void> => {
      for (let i = from; i < to; i += 1) {
        await publisher.enqueue('quality.gap.SPY', new Uint8Array([i]), { messageId: `m${i}` })
      }
      await publisher.flush()
    }
    await publish(0, 100)
    await nats.kill()
    const rest = publish(100, 200)
    await nats.restart()
    await rest
    const seen: number[] = []
    for await (const { payload } of source) if (seen.push(payload[0] ?? -1) === 200) break
    expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => i))
    expect((await streamInfo(bus, 'QUALITY')).messages).toBe(200)
  })

  it('keeps a lease to whoever has seen its last revision, and tells watchers', async () => {
    await using nats = await startTestNats({ binary })
    const [mine, theirs] = [await nats.connect('a'), await nats.connect('b')]
    await ensureStreams(mine, 'embedded')
    const [a, b] = [await openBucket(mine, 'coord'), await openBucket(theirs, 'coord')]
    const watched = watchOne(theirs, 'lease.p1')
    const first = await a.create('lease.p1', { owner: 'a' })
    expect(await b.create('lease.p1', { owner: 'b' })).toBeNull()
    const second = await a.update('lease.p1', { owner: 'a' }, first ?? 0)
    expect(await b.update('lease.p1', { owner: 'b' }, first ?? 0)).toBeNull()
    expect(await b.update('lease.p1', { owner: 'b' }, second ?? 0)).toBeGreaterThan(second ?? 0)
    expect(await watched).toEqual({ owner: 'b' })
    await b.delete('lease.p1')
    expect(await a.get('lease.p1')).toBeNull()
    expect(await a.create('lease.p1', { owner: 'a' })).not.toBeNull()
  })

  it('carries chains to rows, each once, while it is killed and comes back', async () => {
    await using stage = await openStage({ startNats: () => startTestNats({ binary }) })
    await stage.start('one')
    const half = messages.length / 2
    await stage.publish(messages.slice(0, half))
    await waitFor('some to be stored', async () => (await stage.committed()) > half / 4)
    await stage.nats.kill()
    const rest = stage.publish(messages.slice(half))
    await stage.nats.restart()
    await rest
    await waitForCommits(stage, messages.length)
    const sums = await checksums(stage.store.query)
    expect(sums['snapshots_v1']?.rows).toBe(messages.length)
    expect(sums['option_quotes_v1']?.rows).toBe(messages.length * 6)
    expect(sums['chain_features_v1']?.rows).toBe(messages.length)
  })
})

/** What the doctor finds, with nothing running but this server. */
async function diagnosis(nats: TestNats): Promise<readonly Finding[]> {
  const ports = { STANDALONE_NATS_PORT: '0', STANDALONE_CLICKHOUSE_PORT: '0', STANDALONE_API_PORT: '0' }
  return examine({
    dataDirectory: join(nats.dataDir, 'none'),
    environment: { ...ports, NATS_URL: nats.url },
    monitorUrl: await nats.monitorUrl(),
    nodeVersion: process.versions.node,
    clock: Date.now,
  })
}

const fsyncOf = (findings: readonly Finding[]): string =>
  findings.find(({ check }) => check === 'nats fsync')?.found ?? ''

/** The value of a key once the second owner has written it. */
async function watchOne(bus: Bus, key: string): Promise<unknown> {
  const over = new AbortController()
  for await (const change of (await openBucket(bus, 'coord')).watch(over.signal)) {
    if (change.key !== key || (change.value as { owner?: string } | null)?.owner !== 'b') continue
    over.abort()
    return change.value
  }
  return null
}
