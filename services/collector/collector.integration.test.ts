import { spawn } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Bus } from '../../shared/bus/connect.ts'
import { decodeJson, headerNames, messageAt, type StoredMessage } from '../../shared/bus/messages.ts'
import { createPublisher, maxMessageBytes } from '../../shared/bus/publisher.ts'
import { ensureStreams, streamInfo } from '../../shared/bus/streams.ts'
import { parseRawSubject, partitionOfUnderlying } from '../../shared/bus/subjects.ts'
import type { Scan } from '../../shared/model/scan.ts'
import { decodeSnapshot, encodeSnapshot } from '../../shared/model/snapshot-codec.ts'
import { startTestNats } from '../../tests/support/nats.ts'
import { createRecording } from './providers/recording/recording.ts'
import type { Gap } from '../../shared/model/gap.ts'
import { createOutput } from './publish.ts'

const fixtures = new URL('../../tests/fixtures/', import.meta.url).pathname

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strikeflow-collector-'))
  await mkdir(join(folder, 'ACME'))
  await copyFile(join(fixtures, 'cboe/ACME.json'), join(folder, 'ACME/20261116T163000Z.json'))
  await copyFile(join(fixtures, 'cboe/ACME.json'), join(folder, 'ACME/20261116T163500Z.json'))
  await copyFile(join(fixtures, 'options_desk/2026-11-16_small.ndjson'), join(folder, 'small.ndjson'))
  await writeFile(join(folder, 'page.json'), '<html>Access denied</html>')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function runCollector(natsUrl: string, env: Readonly<Record<string, string>>, stopWhen?: RegExp): Promise<Ended> {
  const child = spawn(process.execPath, ['services/collector/main.ts'], {
    env: { NATS_URL: natsUrl, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  // A second signal would be an order to end at once.
  let told = false
  child.stdout.on('data', (chunk: Buffer) => void (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
    if (stopWhen?.test(stderr) === true && !told) told = child.kill('SIGTERM')
  })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, stdout, stderr }
}

async function storedIn(bus: Bus, stream: string): Promise<StoredMessage[]> {
  const { lastSeq } = await streamInfo(bus, stream)
  const messages: StoredMessage[] = []
  for (let seq = 1; seq <= lastSeq; seq++) {
    const message = await messageAt(bus, stream, seq)
    if (message !== null) messages.push(message)
  }
  return messages
}

describe('the collector as a process', () => {
  it('ingests a folder of recordings, ends by itself, and leaves snapshots, scan records and gaps on the bus', async () => {
    await using nats = await startTestNats()
    const { code, stdout } = await runCollector(nats.url, {
      COLLECTOR_PROVIDER: 'recording',
      COLLECTOR_RECORDING_PATH: folder,
      COLLECTOR_SPEED: '0',
    })
    expect(code).toBe(0)
    expect(JSON.parse(stdout.split('\n')[0] ?? '')).toMatchObject({ ready: true, service: 'collector' })

    const bus = await nats.connect()
    const snapshots = (await storedIn(bus, 'CHAINS')).map(({ subject, headers, payload, messageId }) => {
      const encoding = headers.get(headerNames.contentEncoding) ?? null
      const snapshot = decodeSnapshot(payload, encoding, headers.get(headerNames.schema) ?? null)
      expect(messageId).toBe(snapshot.meta.snapshotId)
      const address = parseRawSubject(subject)
      expect(address.partition).toBe(partitionOfUnderlying(snapshot.meta.underlying))
      return [address.provider, address.underlying, snapshot.columns.length]
    })
    // The second file of ACME repeats the first.
    expect(snapshots).toEqual([
      ['options_desk', 'BRX.B', 1],
      ['options_desk', 'ACME', 3],
      ['options_desk', 'NOSP', 2],
      ['cboe', 'ACME', 8],
    ])
    const scans = (await storedIn(bus, 'SCAN_RESULTS')).map(({ payload }) => decodeJson(payload) as Scan)
    expect(scans.map(({ provider, status }) => `${provider} ${status}`)).toEqual([
      'recording running',
      'recording failed',
      'options_desk running',
      'options_desk completed',
      'cboe running',
      'cboe completed',
      'cboe running',
      'cboe completed',
    ])
    expect(scans.at(-1)).toMatchObject({ planned: 1, delivered: 1, repeated: 1, contracts: 0 })
    const gaps = (await storedIn(bus, 'QUALITY')).map(({ payload }) => decodeJson(payload) as Gap)
    expect(gaps).toMatchObject([{ underlying: 'page.json', reason: 'not_json', detail: 'page.json: markup' }])
  })

  it('adds nothing when it ingests the same folder again', async () => {
    await using nats = await startTestNats()
    const bus = await nats.connect()
    const env = { COLLECTOR_PROVIDER: 'recording', COLLECTOR_RECORDING_PATH: folder, COLLECTOR_SPEED: '0' }
    await runCollector(nats.url, env)
    await runCollector(nats.url, env)
    expect(await storedIn(bus, 'CHAINS')).toHaveLength(4)
  })

  it('ends an ingest with 1 and one sentence when nothing came of it, and with 0 when something did', async () => {
    await using nats = await startTestNats()
    const ingest = (path: string) =>
      runCollector(nats.url, {
        COLLECTOR_PROVIDER: 'recording',
        COLLECTOR_RECORDING_PATH: path,
        COLLECTOR_SPEED: '0',
        COLLECTOR_REPORT: 'true',
        LOG_LEVEL: 'error',
      })
    await mkdir(join(folder, 'empty'))
    const [empty, page, good] = [
      await ingest(join(folder, 'empty')),
      await ingest(join(folder, 'page.json')),
      await ingest(folder),
    ]
    expect([empty.code, empty.stderr]).toEqual([1, `strikeflow: No recording at ${folder}/empty\n`])
    expect([page.code, page.stderr]).toEqual([
      1,
      `strikeflow: Not one snapshot at ${folder}/page.json: 1 refused (not_json 1)\n`,
    ])
    expect([good.code, good.stderr]).toEqual([0, ''])
  })

  it('says that a path does not exist before it looks for the bus or calls itself ready', async () => {
    const { code, stdout, stderr } = await runCollector('nats://127.0.0.1:1', {
      COLLECTOR_PROVIDER: 'recording',
      COLLECTOR_RECORDING_PATH: join(folder, 'nowhere'),
    })
    expect([code === 0, stdout]).toEqual([false, ''])
    expect(stderr).toContain(`No recording at ${folder}/nowhere`)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).not.toContain('stack')
  })

  it('runs the simulator until it is told to stop, and then ends in order', async () => {
    await using nats = await startTestNats()
    const env = { COLLECTOR_SIM_UNDERLYINGS: '3', COLLECTOR_SPEED: '0' }
    const { code } = await runCollector(nats.url, env, /pass done[\s\S]*pass done/)
    expect(code).toBe(0)
    const bus = await nats.connect()
    expect((await storedIn(bus, 'CHAINS')).length).toBeGreaterThanOrEqual(6)
  })

  it('ends with an error, naming the variable, when a setting is wrong', async () => {
    const { code, stdout } = await runCollector('nats://127.0.0.1:1', { COLLECTOR_SPEEED: '1' })
    expect([code, stdout]).toEqual([2, ''])
  })
})

it('refuses a chain over the cap before the bus does, and puts one just under it through', async () => {
  await using nats = await startTestNats()
  const bus = await nats.connect()
  await ensureStreams(bus, 'embedded')
  const sink = createPublisher(bus, { publisherId: 'test/1' })
  const outputFor = (bytes: number) =>
    createOutput({
      sink,
      encode: () => ({ payload: new Uint8Array(bytes), contentEncoding: 'identity' }),
      partitions: 16,
      maxMessageBytes,
    })
  const signal = new AbortController().signal
  const recording = createRecording({
    path: join(fixtures, 'cboe/ACME.json'),
    speed: 0,
    clock: Date.now,
    onDrift: () => {},
  })
  for await (const { items } of recording.passes(signal)) {
    const outcome = await items[0]?.fetch({ scanId: 's', signal })
    if (outcome?.kind !== 'snapshot') throw new Error('no snapshot')
    expect(await outputFor(maxMessageBytes + 1).publishSnapshot(outcome.snapshot)).toMatchObject({ kind: 'too_large' })
    const under = await outputFor(maxMessageBytes).publishSnapshot(outcome.snapshot)
    expect(under.kind === 'enqueued' && (await under.acked).streamSeq).toBe(1)
    expect(encodeSnapshot(outcome.snapshot).payload.length).toBeLessThan(maxMessageBytes)
  }
})
