import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectBus } from '../../shared/bus/connect.ts'
import { decodeJson } from '../../shared/bus/messages.ts'
import { openTail } from '../../shared/bus/tail.ts'
import type { Gap } from '../../shared/model/gap.ts'
import { ledgerOf, settled } from '../support/ledger.ts'
import { silentLog } from '../support/nats.ts'
import { startTestStack, strikeflow, type TestStack } from '../support/stack.ts'

/*
 * Hourly passes over the three sessions around Thanksgiving 2026: Wednesday has 7 slots, Thursday none, Friday closes at 13:00 and
 * has 4, Monday 7. Passes are counted from 0; the chains refused, given again and left out are planned.
 */
const wednesday = ['14:30', '15:30', '16:30', '17:30', '18:30', '19:30', '20:30'].map((time) => `2026-11-25 ${time}`)
const friday = ['14:30', '15:30', '16:30', '17:30'].map((time) => `2026-11-27 ${time}`)
const monday = ['14:30', '15:30', '16:30', '17:30', '18:30', '19:30', '20:30'].map((time) => `2026-11-30 ${time}`)

describe('the gap ledger over a holiday and an early close', () => {
  let stack: TestStack
  beforeAll(async () => {
    stack = await startTestStack({
      env: {
        STANDALONE_STAGES: 'store',
        STANDALONE_SPEED: '0',
        STANDALONE_UNDERLYINGS: 'AAPL,MSFT,SPY',
        COLLECTOR_SIM_START: '2026-11-25T14:30:00Z',
        COLLECTOR_SIM_PASS_INTERVAL_MS: '3600000',
        COLLECTOR_SIM_PASSES: '18',
        COLLECTOR_SIM_FAULTS: 'AAPL timeout 2-3; MSFT unchanged 4-5; * skipped 6; SPY schema 10',
        PROCESSOR_LEDGER_INTERVAL_MS: '200',
      },
    })
    await settled(stack.store, 3 * 18)
  })
  afterAll(() => stack[Symbol.asyncDispose]())

  it('says of every slot of the plan what became of it, and of nothing else', async () => {
    const expected = (underlying: string, odd: Readonly<Record<string, string>>): readonly string[] =>
      [...wednesday, ...friday, ...monday].map((slot) => `${underlying} ${slot} ${odd[slot] ?? 'delivered'}`)
    const skipped = { [wednesday[6] ?? '']: 'missing pass_skipped' }
    expect(await ledgerOf(stack.store)).toEqual([
      ...expected('AAPL', {
        ...skipped,
        [wednesday[2] ?? '']: 'missing timeout',
        [wednesday[3] ?? '']: 'missing timeout',
      }),
      ...expected('MSFT', { ...skipped, [wednesday[4] ?? '']: 'unchanged', [wednesday[5] ?? '']: 'unchanged' }),
      ...expected('SPY', { ...skipped, [friday[3] ?? '']: 'missing schema' }),
    ])
  })

  it('tells each gap on the subject of its underlying', async () => {
    await using bus = await connectBus({ ...stack.bus, name: 'test', log: silentLog })
    await using tail = await openTail(bus, 'quality.gap.>', { begin: 'fromStart' })
    const told: string[] = []
    for await (const { payload } of tail) {
      const { underlying, reason } = decodeJson(payload) as Gap
      if (told.push(`${underlying} ${reason}`) === 6) break
    }
    expect(told.toSorted()).toEqual([
      'AAPL pass_skipped',
      'AAPL timeout',
      'AAPL timeout',
      'MSFT pass_skipped',
      'SPY pass_skipped',
      'SPY schema',
    ])
  })

  it('shows a session to a person, with an exit code that says whether it is complete', async () => {
    const gaps = (...args: readonly string[]) => strikeflow(['gaps', '--data', stack.dataDirectory, ...args])
    const [holey, early, whole, half, none, wrong, stranger] = await Promise.all([
      gaps('--session', '2026-11-25'),
      gaps('--session', '2026-11-27', '--underlying', 'SPY'),
      gaps(),
      gaps('--session', '2026-11-25', '--floor', '0.5'),
      gaps('--session', '2026-11-26'),
      gaps('--session', 'yesterday'),
      gaps('--provider', 'simulator', '--underlying', 'ZZZ'),
    ])
    expect([holey.code, early.code, whole.code, half.code, none.code, wrong.code]).toEqual([1, 1, 0, 0, 1, 2])
    expect(stranger.code).toBe(1)
    expect(holey.stdout).toMatch(/AAPL +simulator +57\.14 % +7 +4 +0 +0 +3/)
    expect(holey.stdout).toMatch(/AAPL +simulator +16:30 to 17:30 UTC +2 slots +timeout +planned fault/)
    expect(early.stdout).toMatch(/SPY +simulator +75\.00 % +4 +3/)
    expect(whole.stdout).toMatch(/^session 2026-11-30: 3 underlyings, 3 complete/)
    expect(none.stderr).toContain('The ledger knows of no slot in the session 2026-11-26')
    expect(stranger.stderr).toContain('The ledger knows of no slot of simulator ZZZ in the session 2026-11-30')
    const json = JSON.parse((await gaps('--session', '2026-11-25', '--json')).stdout) as {
      runs: readonly { underlying: string; reason: string; slots: number }[]
      publishers: readonly { acked: number; committed: number; unaccounted: number }[]
    }
    expect(json.runs.map(({ underlying, reason, slots }) => `${underlying} ${reason} ${slots}`)).toEqual([
      'AAPL timeout 2',
      'AAPL pass_skipped 1',
      'MSFT pass_skipped 1',
      'SPY pass_skipped 1',
    ])
    // 17 passes of three chains: three refused, two unchanged.
    expect(json.publishers).toMatchObject([{ acked: 46, committed: 46, unaccounted: 0 }])
  })

  it('puts completeness and staleness on the features, from the plan the snapshots carry', async () => {
    const rows = await stack.store.query.rows<{ day: string; slots: number; contracts: number; stale: number }>(
      `SELECT toString(session_date) AS day, argMax(slot_completeness, market_time) AS slots,
         min(contract_completeness) AS contracts, max(staleness_s) AS stale
       FROM chain_features_v1 FINAL WHERE underlying = 'AAPL' GROUP BY day ORDER BY day`,
    )
    expect(rows).toEqual([
      { day: '2026-11-25', slots: 0.6667, contracts: 1, stale: 0 },
      { day: '2026-11-27', slots: 1, contracts: 1, stale: 0 },
      { day: '2026-11-30', slots: 1, contracts: 1, stale: 0 },
    ])
    const [unchanged] = await stack.store.query.rows<{ slots: number }>(
      `SELECT argMax(slot_completeness, market_time) AS slots FROM chain_features_v1 FINAL
       WHERE underlying = 'MSFT' AND session_date = '2026-11-27'`,
    )
    expect(unchanged).toEqual({ slots: 1 })
  })
})
