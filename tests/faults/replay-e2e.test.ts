import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readManifest } from '../../shared/archive/manifest.ts'
import { connectBus } from '../../shared/bus/connect.ts'
import { streamInfo, type StreamInfo } from '../../shared/bus/streams.ts'
import type { ProofReport, ReplayReport } from '../../shared/model/replay.ts'
import { silentLog } from '../support/nats.ts'
import { recordingsAt } from '../support/recordings.ts'
import { startTestStack, storeOnly, strikeflow, type TestStack } from '../support/stack.ts'
import { waitFor } from '../support/wait-for.ts'

const data = recordingsAt('cboe/intraday')
const quickArchive = { ARCHIVER_FILE_SECONDS: '1' } as const
const streams = ['CHAINS', 'ALERTS', 'FEATURES', 'DLQ', 'QUALITY', 'SCAN_RESULTS'] as const

async function onStreams<T>(
  { bus: server }: TestStack,
  use: (info: (name: string) => Promise<StreamInfo>, purge: () => Promise<unknown>) => Promise<T>,
): Promise<T> {
  await using bus = await connectBus({ ...server, name: 'test', log: silentLog })
  return await use(
    (name) => streamInfo(bus, name),
    () => bus.jsm.streams.purge('CHAINS'),
  )
}

const sequences = (stack: TestStack): Promise<readonly number[]> =>
  onStreams(stack, (info) => Promise.all(streams.map(async (name) => (await info(name)).lastSeq)))

async function replay(
  stack: TestStack,
  args: readonly string[],
): Promise<ReplayReport & { readonly code: number | null }> {
  const command = ['replay', '--into', 'scratch', '--replace', '--compare', '--data', stack.dataDirectory, '--json']
  const { code, stdout, stderr } = await strikeflow([...command, ...args])
  if (stdout === '') throw new Error(stderr)
  return { ...(JSON.parse(stdout) as ReplayReport), code }
}

async function committed({ store }: TestStack): Promise<number> {
  const [row] = await store.query.rows<{ n: number }>('SELECT uniqExact(stream_seq) AS n FROM snapshots_v1')
  return row?.n ?? 0
}

/** Everything of CHAINS committed and in the archive. */
const settled = (stack: TestStack, messages: number): Promise<true> =>
  waitFor(
    `${messages} messages committed and archived`,
    async () => {
      const { entries } = await readManifest(join(stack.dataDirectory, 'archive'))
      return (await committed(stack)) === messages && (entries.at(-1)?.toSeq ?? 0) >= messages
    },
    { intervalMs: 250 },
  ).then(() => true as const)

describe('a replay of a simulated market', () => {
  let stack: TestStack
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'strikeflow-replay-'))
  })
  afterEach(async () => {
    await stack[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  it('gives identical rows from its middle on, proves its alerts, also from the archive when CHAINS is empty', async () => {
    const [underlyings, passes] = [12, 60]
    stack = await startTestStack({
      dataDirectory: folder,
      env: {
        ...quickArchive,
        STANDALONE_STAGES: 'store',
        STANDALONE_PROVIDER: 'simulator',
        STANDALONE_SPEED: '120',
        STANDALONE_SEED: '7',
        COLLECTOR_SIM_UNDERLYINGS: String(underlyings),
        COLLECTOR_SIM_CONTRACTS: '3000',
        COLLECTOR_SIM_PASSES: String(passes),
      },
    })
    await waitFor('the first chains', async () => (await committed(stack)) > 2 * underlyings)
    // Of what is committed by now, while more comes.
    expect(await replay(stack, [])).toMatchObject({ code: 0, missing: [], comparison: { same: true } })
    await settled(stack, underlyings * passes)
    const before = await sequences(stack)
    const [times] = await stack.store.query.rows<{ from: string; to: string }>(
      `SELECT formatDateTime(min(market_time) + toIntervalMinute(15), '%FT%TZ') AS from,
         formatDateTime(max(market_time) - toIntervalMinute(5), '%FT%TZ') AS to FROM snapshots_v1`,
    )
    const part = ['--from', times?.from ?? '', '--to', times?.to ?? '']
    const fromStream = await replay(stack, [...part, '--source', 'stream'])
    expect(fromStream).toMatchObject({ code: 0, states: underlyings, comparison: { same: true } })
    // No PROCESSOR_* is set here: the rate is the one the rows name.
    expect(fromStream.parameters[0]).toContain('rate 0.04 (simulator')
    const alerts = await stack.store.query.rows<{ id: string }>('SELECT toString(alert_id) AS id FROM alerts_v1 FINAL')
    expect(alerts.length).toBeGreaterThan(0)
    expect(fromStream.alerts).toBeGreaterThan(0)

    await onStreams(stack, (_, purge) => purge())
    const fromArchive = await replay(stack, [])
    expect(fromArchive).toMatchObject({
      code: 0,
      readFrom: { archive: underlyings * passes },
      comparison: { same: true },
    })
    expect(fromArchive.alerts).toBe(alerts.length)
    for (const { id } of alerts) {
      const { code, stdout } = await strikeflow(['prove', id, '--data', folder, '--json'])
      expect((JSON.parse(stdout) as ProofReport).verdict).toBe('proven')
      expect(code).toBe(0)
    }
    expect(await sequences(stack)).toEqual(before)
  })
})

describe('a replay of recorded Cboe chains', () => {
  let stack: TestStack | null = null
  beforeEach((context) => context.skip('missing' in data, 'missing' in data ? data.missing : ''))
  afterAll(() => stack?.[Symbol.asyncDispose]())

  it('gives identical rows from the stream, and for a person who reads the verdict', async () => {
    stack = await startTestStack({ env: storeOnly })
    const path = 'path' in data ? data.path : ''
    const ingest = await strikeflow(['ingest', path, '--wait', '--data', stack.dataDirectory])
    expect(ingest.code).toBe(0)
    const before = await sequences(stack)
    const report = await replay(stack, ['--source', 'stream'])
    expect(report).toMatchObject({ code: 0, contracts: 222_358, comparison: { same: true, leftovers: 0 } })
    const args = ['replay', '--into', 'scratch', '--replace', '--compare', '--underlyings', 'SHY,UNG']
    const shown = await strikeflow([...args, '--data', stack.dataDirectory])
    expect(shown).toMatchObject({ code: 0 })
    expect(shown.stdout).toMatch(/option_quotes_v1 +\d+ +\d+ +0 +0 +0\n/)
    expect(shown.stdout).toMatch(/IDENTICAL: every row of every table is the same\n$/)
    expect(await sequences(stack)).toEqual(before)
  })
})
