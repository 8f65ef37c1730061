import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Bus } from '../../shared/bus/connect.ts'
import { encodeJson, headerNames, messageAt } from '../../shared/bus/messages.ts'
import { createPublisher } from '../../shared/bus/publisher.ts'
import { streamInfo } from '../../shared/bus/streams.ts'
import { passSubject, rawSubject, partitionOfUnderlying } from '../../shared/bus/subjects.ts'
import type { PassReport } from '../../shared/model/pass-report.ts'
import { openStore, type Store } from '../../shared/store/connect.ts'
import { migrate } from '../../shared/store/migrate.ts'
import { startClickHouse, type TestClickHouse } from '../support/clickhouse.ts'
import { ledgerOf, passReportOf, settled } from '../support/ledger.ts'
import { startTestNats, type TestNats } from '../support/nats.ts'
import { startService, type TestService } from '../support/service.ts'
import { waitFor } from '../support/wait-for.ts'

describe('the gap ledger on real servers', () => {
  let nats: TestNats
  let clickhouse: TestClickHouse
  let store: Store
  let bus: Bus
  let started: TestService[] = []
  beforeEach(async () => {
    ;[nats, clickhouse] = await Promise.all([startTestNats(), startClickHouse()])
    {
      await using server = openStore({ ...clickhouse.account, database: 'default' })
      await server.command('CREATE DATABASE strikeflow')
    }
    store = openStore({ ...clickhouse.account, database: 'strikeflow' })
    await migrate(store)
    bus = await nats.connect()
  })
  afterEach(async () => {
    for (const service of started) await service[Symbol.asyncDispose]()
    started = []
    await store[Symbol.asyncDispose]()
    await nats[Symbol.asyncDispose]()
    await clickhouse[Symbol.asyncDispose]()
  })

  const start = (name: string, env: Readonly<Record<string, string>>): TestService => {
    const service = startService(name, env)
    started.push(service)
    return service
  }
  /** A market of three names, a pass a minute from 14:30 UTC on, as fast as it goes. */
  const collector = (env: Readonly<Record<string, string>>): TestService =>
    start('collector', {
      NATS_URL: nats.url,
      COLLECTOR_UNDERLYINGS: 'AAPL,MSFT,SPY',
      COLLECTOR_SPEED: '0',
      COLLECTOR_SIM_CONTRACTS: '600',
      ...env,
    })
  const processor = (env: Readonly<Record<string, string>> = {}): TestService =>
    start('processor', {
      NATS_URL: nats.url,
      ...clickhouse.env,
      CLICKHOUSE_DATABASE: 'strikeflow',
      PROCESSOR_LEDGER_INTERVAL_MS: '100',
      PROCESSOR_LEDGER_SETTLE_MS: '500',
      LOG_LEVEL: 'warn',
      ...env,
    })
  const reasons = async (): Promise<readonly string[]> =>
    (await ledgerOf(store)).filter((line) => !line.endsWith('delivered'))

  it('finds what the stream lost between acknowledgement and storing, in the middle and at the very end', async () => {
    expect(await collector({ COLLECTOR_SIM_PASSES: '5' }).ended).toBe(0)
    const { lastSeq } = await streamInfo(bus, 'CHAINS')
    expect(lastSeq).toBe(15)
    // Pass 2, in order of ticker: AAPL 4, MSFT 5, SPY 6. Of SPY also the last message of all.
    await bus.jsm.streams.deleteMessage('CHAINS', 5)
    await bus.jsm.streams.deleteMessage('CHAINS', 15)
    processor()
    await settled(store, 15)
    expect(await reasons()).toEqual([
      'MSFT 2026-11-16 14:31 missing publisher_hole',
      'SPY 2026-11-16 14:34 missing publisher_hole',
    ])
    const [row] = await store.query.rows<{ publisher: string; holes: number }>(
      `SELECT any(publisher) AS publisher, max(publisher_seq) + 1 - count() AS holes FROM snapshots_v1 FINAL`,
    )
    expect(row?.publisher).toMatch(/^collector\/[0-9a-f]{8}$/)
    expect(row?.holes).toBe(2)
  })

  it('tells what the stream discarded by its limits from what was deleted out of it', async () => {
    expect(await collector({ COLLECTOR_SIM_PASSES: '3' }).ended).toBe(0)
    await bus.jsm.streams.purge('CHAINS', { seq: 5 })
    processor()
    await settled(store, 9)
    expect(await reasons()).toEqual([
      'AAPL 2026-11-16 14:30 missing retention',
      'AAPL 2026-11-16 14:31 missing retention',
      'MSFT 2026-11-16 14:30 missing retention',
      'SPY 2026-11-16 14:30 missing retention',
    ])
  })

  it('takes a purge of a subject for losses of that underlying', async () => {
    expect(await collector({ COLLECTOR_SIM_PASSES: '3' }).ended).toBe(0)
    await bus.jsm.streams.purge('CHAINS', { filter: 'chains.raw.*.simulator.MSFT' })
    processor()
    await settled(store, 9)
    expect(await reasons()).toEqual([30, 31, 32].map((minute) => `MSFT 2026-11-16 14:${minute} missing publisher_hole`))
  })

  it('fills the slots of a collector that was killed as collector_down, and those it published before as delivered', async () => {
    processor()
    const first = collector({ COLLECTOR_SPEED: '300', COLLECTOR_SIM_WARM_UP_PASSES: '0' })
    await waitFor('some passes', () => first.output().split('pass done').length > 4)
    await first.end('SIGKILL')
    const second = collector({ COLLECTOR_SIM_START: '2026-11-16T15:00:00Z', COLLECTOR_SIM_PASSES: '5' })
    expect(await second.ended).toBe(0)
    await settled(store, 3 * 35)
    const stored = await store.query.rows<{ slot: string }>(
      `SELECT concat(underlying, ' ', formatDateTime(slot_at, '%F %H:%i')) AS slot FROM snapshots_v1 FINAL ORDER BY slot`,
    )
    const lines = await ledgerOf(store)
    expect(lines.filter((line) => line.endsWith(' delivered'))).toEqual(stored.map(({ slot }) => `${slot} delivered`))
    expect(lines.filter((line) => line.endsWith(' missing collector_down'))).toHaveLength(3 * 35 - stored.length)
    expect(lines.slice(28, 32)).toEqual([
      'AAPL 2026-11-16 14:58 missing collector_down',
      'AAPL 2026-11-16 14:59 missing collector_down',
      'AAPL 2026-11-16 15:00 delivered',
      'AAPL 2026-11-16 15:01 delivered',
    ])
    const [gaps] = await store.query.rows<{ n: number }>(`SELECT count() AS n FROM collectors_v1 FINAL`)
    expect(gaps?.n).toBe(2)
    // Told once a run, not once a slot.
    const { messages } = await streamInfo(bus, 'QUALITY')
    expect(messages).toBeLessThan(3 + 40)
  })

  it('is the same after kills of the processor at any moment, and with two of them', async () => {
    const faults = 'AAPL timeout 3-4; MSFT unchanged 10-19; * skipped 25-26'
    const running = collector({ COLLECTOR_SIM_PASSES: '40', COLLECTOR_SIM_FAULTS: faults, COLLECTOR_SPEED: '600' })
    for (const slots of [1, 7, 20, 45]) {
      const victim = processor()
      await waitFor(`${slots} slots`, async () => (await ledgerOf(store)).length >= slots)
      await victim.end('SIGKILL')
    }
    expect(await running.ended).toBe(0)
    processor({ PROCESSOR_INSTANCE: 'first' })
    await settled(store, 3 * 40)
    const lines = await ledgerOf(store)
    const count = (text: string): number => lines.filter((line) => line.endsWith(text)).length
    expect([count('missing timeout'), count('unchanged'), count('missing pass_skipped'), count('delivered')]).toEqual([
      2, 10, 6, 102,
    ])
  })

  it('says by the wall that a live collector is dead, without it, told once, and takes it back when a report comes late', async () => {
    processor({ PROCESSOR_SLOT_GRACE_MS: '1000' })
    const publisher = createPublisher(bus, { publisherId: 'test/1' })
    const startedAtMs = Math.floor(Date.now() / 1000) * 1000
    // A venue that never closes, a slot a second.
    const live = {
      provider: 'venue',
      live: true,
      exchangeZone: 'UTC',
      intervalMs: 1000,
      startedAtMs,
      underlyings: ['BTC'],
    }
    const tell = (report: PassReport) =>
      publisher.publish(passSubject('venue'), encodeJson(report), { messageId: `r${report.scanId}` })
    await tell(passReportOf({ ...live, scanId: null }))
    const states = async (): Promise<readonly string[]> => {
      const rows = await store.query.rows<{ line: string }>(
        `SELECT trimRight(concat(toString(state), ' ', reason)) AS line FROM gaps_v1 FINAL ORDER BY slot`,
      )
      return rows.map(({ line }) => line)
    }
    await waitFor('five missing slots', async () => (await states()).length >= 5)
    expect(new Set(await states())).toEqual(new Set(['missing collector_down']))
    const told = await bus.jsm.streams.info('QUALITY', { subjects_filter: 'quality.gap.>' })
    expect(told.state.subjects).toEqual({ 'quality.gap.BTC': 1 })
    await tell(passReportOf({ ...live, scanId: 'late', repeated: ['BTC'] }))
    await waitFor('the late fact', async () => (await states())[0] === 'unchanged')
  })

  it('finds the slot of a dead letter by the sequence that was reported', async () => {
    expect(await collector({ COLLECTOR_SIM_PASSES: '1', COLLECTOR_INSTANCE: 'real' }).ended).toBe(0)
    const publisher = createPublisher(bus, { publisherId: 'test/1' })
    const { streamSeq } = await publisher.publish(
      rawSubject(partitionOfUnderlying('SPY'), 'simulator', 'SPY'),
      encodeJson('no chain'),
      { messageId: 'x', headers: { [headerNames.schema]: '1' } },
    )
    const startedAtMs = Date.UTC(2026, 10, 16, 14, 35)
    const report = passReportOf({
      startedAtMs,
      published: [['SPY', 1, streamSeq]],
      lastAcked: 1,
      ended: true,
    })
    await publisher.publish(passSubject('simulator'), encodeJson(report), { messageId: 'r' })
    expect((await messageAt(bus, 'CHAINS', streamSeq))?.messageId).toBe('x')
    processor()
    await settled(store, 4)
    expect(await reasons()).toEqual(['SPY 2026-11-16 14:35 missing dead_lettered'])
  })
})
