import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readManifest } from '../../shared/archive/manifest.ts'
import { connectBus } from '../../shared/bus/connect.ts'
import { streamInfo, type StreamInfo } from '../../shared/bus/streams.ts'
import { checksums, type TableSum } from '../support/checksum.ts'
import { silentLog } from '../support/nats.ts'
import { startTestStack, storeOnly, strikeflow, type TestStack } from '../support/stack.ts'
import { waitFor } from '../support/wait-for.ts'

/** Many small files, each held twice while it is written: a kill can hit the middle of a file, and the moment before its entry. */
const slowWrites = {
  ARCHIVER_FILE_SECONDS: '1',
  ARCHIVER_FILE_MEBIBYTES: '1',
  ARCHIVER_PAUSE_IN_WRITE_MS: '150',
} as const
/** The same rows need the same settings; `npm start` sets these itself only while it runs the simulator. */
const rates = { PROCESSOR_RISK_FREE_RATE: '0.04', PROCESSOR_CURVE_SOURCE: 'simulator' } as const
const market = {
  ...rates,
  STANDALONE_STAGES: 'store',
  STANDALONE_PROVIDER: 'simulator',
  STANDALONE_SPEED: '0',
  COLLECTOR_SIM_UNDERLYINGS: '12',
  COLLECTOR_SIM_CONTRACTS: '3000',
  COLLECTOR_SIM_PASSES: '60',
} as const

describe('the archive', () => {
  it('rebuilds an empty database to the same rows, its archiver having been killed in the middle of writes', async () => {
    const dataDirectory = await mkdtemp(join(tmpdir(), 'strikeflow-rebuild-'))
    const archive = join(dataDirectory, 'archive')
    const { before, kills, messages } = await ingestedWithKills(dataDirectory, archive)
    expect(kills).toEqual({ 'in the middle of a file': 2, 'before its entry': 2 })
    expect(messages).toBeGreaterThanOrEqual(720)
    expect(before['option_quotes_v1']?.rows).toBeGreaterThan(100_000)
    expect(before['alerts_v1']?.rows).toBeGreaterThan(0)

    const audit = await strikeflow(['archive', 'verify', '--data', dataDirectory, '--json'])
    expect(audit.code).toBe(0)
    expect(JSON.parse(audit.stdout)).toMatchObject({ ok: true, messages, runs: 1, missingMessages: 0, unlisted: [] })

    await rm(join(dataDirectory, 'clickhouse'), { recursive: true })
    await rm(join(dataDirectory, 'nats'), { recursive: true })
    const restore = await strikeflow(['archive', 'restore', '--data', dataDirectory, '--wait'], { ...noArchive })
    expect(restore.stderr).not.toContain('strikeflow:')
    expect(restore).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`${messages} messages published\n`) as string,
    })

    await using rebuilt = await startTestStack({ dataDirectory, env: { ...storeOnly, ...noArchive } })
    expect(await checksums(rebuilt.store.query)).toEqual(before)
    await rebuilt.stop()
    await rm(dataDirectory, { recursive: true, force: true })
  })
})

const noArchive = { ...rates, STANDALONE_ARCHIVE: 'false' } as const

interface Ingested {
  readonly before: Readonly<Record<string, TableSum>>
  readonly kills: Readonly<Record<Moment, number>>
  readonly messages: number
}

const moments = {
  'in the middle of a file': (names: readonly string[]) =>
    names.some((name) => name.endsWith('.zst.tmp') || /^\..*arrows/.test(name)),
  'before its entry': (names: readonly string[]) =>
    names.some(
      (name) => name.endsWith('.arrows.zst') && !name.startsWith('.') && !names.includes(`${name.slice(0, 17)}.json`),
    ),
} as const
type Moment = keyof typeof moments

async function ingestedWithKills(dataDirectory: string, archive: string): Promise<Ingested> {
  await using stack = await startTestStack({ dataDirectory, env: { ...market, ...slowWrites } })
  const kills: Record<Moment, number> = { 'in the middle of a file': 0, 'before its entry': 0 }
  for (const moment of [
    'in the middle of a file',
    'before its entry',
    'in the middle of a file',
    'before its entry',
  ] as const) {
    const names = (): readonly string[] =>
      readdirSync(archive, { recursive: true, encoding: 'utf8' }).map((path) => path.split('/').at(-1) ?? '')
    await waitFor(moment, () => moments[moment](names()), { intervalMs: 2 })
    process.kill(await waitFor('the archiver', () => archiverPid(stack), { intervalMs: 2 }), 'SIGKILL')
    if (moments[moment](names())) kills[moment] += 1
  }
  const { lastSeq: messages } = await waitFor(
    'the end of the market, committed and archived',
    () => allDone(stack, archive),
    {
      intervalMs: 200,
    },
  )
  const before = await checksums(stack.store.query)
  expect(await stack.stop()).toBe(0)
  return { before, kills, messages }
}

/** The stream, once the collector has ended and everything in it is committed and archived; null before. */
async function allDone(stack: TestStack, archive: string): Promise<StreamInfo | null> {
  if (childPid(stack, 'services/collector/main.ts') !== null) return null
  await using bus = await connectBus({ ...stack.bus, name: 'test', log: silentLog })
  const info = await streamInfo(bus, 'CHAINS')
  const [row] = await stack.store.query.rows<{ n: number }>('SELECT uniqExact(stream_seq) AS n FROM snapshots_v1')
  const { entries } = await readManifest(archive)
  return row?.n === info.lastSeq && entries.at(-1)?.toSeq === info.lastSeq ? info : null
}

const archiverPid = (stack: TestStack): number | null => childPid(stack, 'services/archiver/main.ts')

/** Process id of a service of the stack; null between two starts. */
function childPid(stack: TestStack, script: string): number | null {
  const children = readFileSync(`/proc/${stack.process.pid}/task/${stack.process.pid}/children`, 'utf8')
    .trim()
    .split(' ')
  const pid = children.find((child) => {
    try {
      return readFileSync(`/proc/${child}/cmdline`, 'utf8').includes(script)
    } catch {
      return false
    }
  })
  return pid === undefined ? null : Number(pid)
}
