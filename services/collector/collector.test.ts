import { describe, expect, it } from 'vitest'
import type { Scan } from '../../shared/model/scan.ts'
import type { Snapshot } from '../../shared/model/snapshot.ts'
import { createRegistry } from '../../shared/runtime/metrics.ts'
import { silentLog } from '../../tests/support/nats.ts'
import { createCollector, type Progress } from './collector.ts'
import { buildContracts } from './contract-columns.ts'
import { createCollectorMetrics } from './metrics.ts'
import { type FetchOutcome, type OptionChainProvider, type PassItem, refused } from './providers/provider.ts'
import type { Gap } from '../../shared/model/gap.ts'
import type { PassReport } from '../../shared/model/pass-report.ts'
import type { CollectorOutput, StoredAck } from './publish.ts'
import { renderSummary } from './summary.ts'

const marketTimeMs = Date.UTC(2026, 10, 16, 16)

function snapshot(underlying: string, snapshotId: string, contracts = 2): FetchOutcome {
  const symbols = Array.from({ length: contracts }, (_, i) => `${underlying}261120C000${45 + i}000`)
  const { columns, rejects, rejectsByReason } = buildContracts({
    underlying,
    zone: 'America/New_York',
    marketTimeMs,
    symbols: [...symbols, 'bad'],
    values: {},
  })
  const meta = { provider: 'test', underlying, snapshotId, marketTimeMs, listed: symbols.length + 1, rejects }
  return { kind: 'snapshot', snapshot: { meta: meta as unknown as Snapshot['meta'], columns }, rejectsByReason }
}

const item = (underlying: string, fetch: PassItem['fetch']): PassItem => ({ underlying, fetch })
const gives = (outcome: FetchOutcome) => () => Promise.resolve(outcome)

function providerOf(passes: readonly (readonly PassItem[])[], maxConcurrency = 1): OptionChainProvider {
  return {
    name: 'test',
    exchangeZone: 'America/New_York',
    capabilities: { live: false, maxConcurrency, givesGreeks: false },
    now: () => marketTimeMs + 60_000,
    async *passes(signal) {
      for (const [index, items] of passes.entries()) {
        if (signal.aborted) return
        yield { provider: 'test', startedAtMs: marketTimeMs + index, items, position: { index, total: passes.length } }
      }
    },
  }
}

function outputOf(overrides: Partial<CollectorOutput> = {}) {
  const published: string[] = []
  const scans: Scan[] = []
  const gaps: Gap[] = []
  const passes: PassReport[] = []
  const ack = (): StoredAck => ({ streamSeq: published.length, duplicate: false })
  const output: CollectorOutput = {
    async publishSnapshot({ meta }) {
      published.push(meta.snapshotId)
      return { kind: 'enqueued', bytes: 10, number: published.length, acked: Promise.resolve(ack()) }
    },
    async publishGap(gap) {
      gaps.push(gap)
      return ack()
    },
    async publishScan(scan) {
      scans.push(scan)
      return ack()
    },
    async publishPass(report) {
      passes.push(report)
      return ack()
    },
    ...overrides,
  }
  return { output, published, scans, gaps, passes }
}

function collectorOf(provider: OptionChainProvider, output: CollectorOutput, wanted: readonly string[] | null = null) {
  const registry = createRegistry('test')
  const progress: Progress[] = []
  const collector = createCollector({
    provider,
    wanted: wanted === null ? null : new Set(wanted),
    collecting: null,
    output,
    metrics: createCollectorMetrics(registry),
    log: silentLog,
    clock: () => 0,
    onProgress: (step) => progress.push(step),
  })
  return { collector, registry, progress }
}

const running = () => new AbortController().signal

describe('the collector', () => {
  it('begins the detail of a refusal with the file it is of', async () => {
    const { output, gaps } = outputOf()
    const broken = { ...item('A', gives(refused('truncated', 'gzip ends early'))), source: 'A/x.json.gz' }
    await collectorOf(providerOf([[broken]]), output).collector.run(running())
    expect(gaps).toMatchObject([{ underlying: 'A', detail: 'A/x.json.gz: gzip ends early' }])
  })

  it('publishes each pass and says so before and after it', async () => {
    const { output, published, scans } = outputOf()
    const provider = providerOf([[item('A', gives(snapshot('A', '1'))), item('B', gives(snapshot('B', '2', 3)))]])
    await collectorOf(provider, output).collector.run(running())
    expect(published).toEqual(['1', '2'])
    expect(scans[0]).toMatchObject({ status: 'running', planned: 2, delivered: 0, finishedAtMs: null })
    expect(scans[1]).toMatchObject({
      scanId: scans[0]?.scanId,
      status: 'completed',
      startedAtMs: marketTimeMs,
      finishedAtMs: marketTimeMs + 60_000,
      planned: 2,
      delivered: 2,
      repeated: 0,
      refused: 0,
      contracts: 5,
      rejectsByReason: { bad_symbol: 2 },
    })
  })

  it('publishes a chain that is fetched again unchanged only once, and counts it as delivered', async () => {
    const { output, published, scans } = outputOf()
    const same = [item('A', gives(snapshot('A', '1')))]
    const { collector } = collectorOf(providerOf([same, same, [item('A', gives(snapshot('A', '2')))], same]), output)
    await collector.run(running())
    expect(published).toEqual(['1', '2'])
    expect(scans.filter(({ status }) => status === 'completed').map((s) => [s.delivered, s.repeated])).toEqual([
      [1, 0],
      [1, 1],
      [1, 0],
      [1, 1],
    ])
    expect(collector.summary().totals).toMatchObject({ files: 4, snapshots: 2, repeated: 2, contracts: 4 })
  })

  it('turns a refusal into a counted reason and a gap, and goes on', async () => {
    const { output, published, scans, gaps } = outputOf()
    const provider = providerOf([
      [item('A', gives(refused('not_json', 'markup'))), item('B', gives(snapshot('B', '2')))],
    ])
    const { collector, registry } = collectorOf(provider, output)
    await collector.run(running())
    expect(published).toEqual(['2'])
    expect(gaps).toMatchObject([{ underlying: 'A', reason: 'not_json', detail: 'markup', provider: 'test' }])
    expect(gaps[0]?.scanId).toBe(scans[0]?.scanId)
    expect(scans[1]).toMatchObject({ delivered: 1, refused: 1, refusalsByReason: { not_json: 1 } })
    expect(await registry.metrics()).toContain('refusals_total{provider="test",reason="not_json",service="test"} 1')
  })

  it('takes a chain whose every row was refused for a gap, with its rejects counted and shown', async () => {
    const { output, published, scans, gaps } = outputOf()
    const rejectsByReason = { bad_symbol: 18 }
    const all = { ...refused('all_rejected', 'each of 18 rows was refused, the first is O:A'), rejectsByReason }
    const { collector, registry } = collectorOf(providerOf([[item('A', gives(all))]]), output)
    await collector.run(running())
    expect(published).toEqual([])
    expect(gaps).toMatchObject([{ underlying: 'A', reason: 'all_rejected', detail: expect.stringContaining('O:A') }])
    expect(scans[1]).toMatchObject({ delivered: 0, refused: 1, rejectsByReason, refusalsByReason: { all_rejected: 1 } })
    expect(await registry.metrics()).toContain('rejects_total{provider="test",reason="bad_symbol",service="test"} 18')
    expect(renderSummary(collector.summary())).toMatch(/^A +1 +0 +0 +bad_symbol 18 +all_rejected 1$/m)
  })

  it('counts a file too broken to name an underlying, but makes no gap of it', async () => {
    const { output, gaps, scans } = outputOf()
    const broken = item('notes of the day.txt', gives(refused('not_json', 'not a recording')))
    await collectorOf(providerOf([[broken]]), output).collector.run(running())
    expect(gaps).toEqual([])
    expect(scans[1]).toMatchObject({ status: 'failed', refusalsByReason: { not_json: 1 } })
  })

  it('refuses a chain over the cap of a message as too large', async () => {
    const { output, gaps, scans } = outputOf({
      publishSnapshot: async () => ({ kind: 'too_large', bytes: 2_000_000 }),
    })
    await collectorOf(providerOf([[item('A', gives(snapshot('A', '1')))]]), output).collector.run(running())
    expect(gaps).toMatchObject([{ underlying: 'A', reason: 'too_large' }])
    expect(scans[1]).toMatchObject({ status: 'failed', delivered: 0, contracts: 0, refusalsByReason: { too_large: 1 } })
  })

  it('takes only the wanted underlyings', async () => {
    const { output, published, scans } = outputOf()
    const provider = providerOf([['A', 'B', 'C'].map((name) => item(name, gives(snapshot(name, name))))])
    await collectorOf(provider, output, ['C', 'A']).collector.run(running())
    expect(published).toEqual(['A', 'C'])
    expect(scans[1]).toMatchObject({ planned: 2, delivered: 2 })
  })

  it('does not end a pass before every snapshot of it is acknowledged', async () => {
    const stored = Promise.withResolvers<StoredAck>()
    const { output, scans } = outputOf({
      publishSnapshot: async () => ({ kind: 'enqueued', bytes: 1, number: 1, acked: stored.promise }),
    })
    const { collector, progress } = collectorOf(providerOf([[item('A', gives(snapshot('A', '1')))]]), output)
    const run = collector.run(running())
    while (progress.length === 0) await Promise.resolve()
    expect(scans.map(({ status }) => status)).toEqual(['running'])
    stored.resolve({ streamSeq: 7, duplicate: false })
    await run
    expect(scans.map(({ status }) => status)).toEqual(['running', 'completed'])
    expect(collector.summary().lastStreamSeq).toBe(7)
  })

  it('fails when a snapshot cannot be stored', async () => {
    const { output, scans } = outputOf({
      publishSnapshot: async () => ({
        kind: 'enqueued',
        bytes: 1,
        number: 1,
        acked: Promise.reject(new Error('nats is away')),
      }),
    })
    const { collector } = collectorOf(providerOf([[item('A', gives(snapshot('A', '1')))]]), output)
    await expect(collector.run(running())).rejects.toThrow('nats is away')
    expect(scans.map(({ status }) => status)).toEqual(['running'])
  })

  it('fetches no more side by side than the provider allows', async () => {
    let underWay = 0
    let most = 0
    const slow = async (): Promise<FetchOutcome> => {
      underWay += 1
      most = Math.max(most, underWay)
      await new Promise(setImmediate)
      underWay -= 1
      return refused('timeout', 'x')
    }
    const items = Array.from({ length: 10 }, (_, i) => item(`U${i}`, slow))
    await collectorOf(providerOf([items], 3), outputOf().output).collector.run(running())
    expect(most).toBe(3)
  })

  it('records a pass that is stopped half-way as cancelled, with what it had', async () => {
    const stopping = new AbortController()
    const { output, published, scans } = outputOf()
    const items = [
      item('A', gives(snapshot('A', '1'))),
      item('B', async () => {
        stopping.abort()
        throw new DOMException('stopped', 'AbortError')
      }),
      item('C', gives(snapshot('C', '3'))),
    ]
    await collectorOf(providerOf([items, items]), output).collector.run(stopping.signal)
    expect(published).toEqual(['1'])
    expect(scans.map(({ status, delivered }) => [status, delivered])).toEqual([
      ['running', 0],
      ['cancelled', 1],
    ])
  })

  it('tells progress after each item', async () => {
    const items = ['A', 'B'].map((name) => item(name, gives(snapshot(name, name))))
    const { collector, progress } = collectorOf(providerOf([items]), outputOf().output)
    await collector.run(running())
    expect(progress).toMatchObject([
      { underlying: 'A', done: 1, planned: 2, pass: { index: 0, total: 1 } },
      { underlying: 'B', done: 2, planned: 2 },
    ])
  })
})
