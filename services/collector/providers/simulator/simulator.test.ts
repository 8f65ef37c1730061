import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { formatDay } from '../../../../shared/calendar/days.ts'
import { contractFlags, type Snapshot } from '../../../../shared/model/snapshot.ts'
import type { Pass } from '../provider.ts'
import { createSimulator, type SimulatorOptions } from './simulator.ts'
import { collect, snapshotsOf } from './test-support.ts'

const small = { underlyings: ['SPX', 'BRK.B', 'TLT', 'GME'], contractsTotal: 1200, speed: 0 } satisfies SimulatorOptions
const identities = (snapshots: readonly Snapshot[]): readonly string[] =>
  snapshots.map(({ meta }) => `${meta.underlying} ${meta.marketTimeMs} ${meta.contentHash} ${meta.snapshotId}`)

const seriesOf = ({ columns }: Snapshot): ReadonlySet<string> =>
  new Set(
    Array.from(columns.expiryDay, (day, row) => `${columns.roots[columns.rootIndex[row] as number]} ${formatDay(day)}`),
  )

describe('the simulator', () => {
  it('makes the same market again from the same seed and another from another', async () => {
    const run = async (options: SimulatorOptions) =>
      identities(await collect(createSimulator({ ...small, passes: 4, ...options })))
    const first = await run({ seed: 7 })
    expect(await run({ seed: 7 })).toEqual(first)
    expect((await run({ seed: 8 })).filter((identity) => first.includes(identity))).toEqual([])
  })

  it('gives a chain that depends neither on the other underlyings nor on the start nor on the order of fetching', async () => {
    const options = { speed: 0, underlyings: ['GME', 'BRK.B'], passes: 40 }
    const all = await collect(createSimulator(options))
    const late = await collect(createSimulator({ ...options, startAtMs: Date.UTC(2026, 10, 16, 15, 0), passes: 10 }))
    expect(identities(all)).toEqual(expect.arrayContaining([...identities(late)]))

    const signal = new AbortController().signal
    const startAtMs = Date.UTC(2026, 10, 13, 20, 59)
    const overTheWeekend = createSimulator({ ...options, underlyings: ['GME', 'XOM'], startAtMs, passes: 3 })
    const [friday, , monday] = await Array.fromAsync(overTheWeekend.passes(signal))
    const fetchFirst = async (pass: Pass | undefined) => {
      const outcome = await pass?.items[0]?.fetch({ scanId: 'scan', signal })
      return outcome?.kind === 'snapshot' ? identities([outcome.snapshot]) : []
    }
    const afterwards = await fetchFirst(monday)
    const early = await fetchFirst(friday)
    expect(identities(all)).toEqual(expect.arrayContaining([...afterwards]))
    expect(identities(await collect(createSimulator({ ...options, startAtMs, passes: 1 })))).toEqual(
      expect.arrayContaining([...early]),
    )
  })

  it('goes at the pace of its options and says the same at any pace', async () => {
    const options = { ...small, passes: 4, warmUpPasses: 2 }
    const startedMs = performance.now()
    const paced = await collect(createSimulator({ ...options, speed: 1200 }))
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(45)
    expect(identities(paced)).toEqual(identities(await collect(createSimulator(options))))
  })

  it('keeps its own clock, which runs with the wall and never past the next pass', async () => {
    let wallMs = 0
    const simulator = createSimulator({ ...small, speed: 10, passes: 1, clock: () => wallMs })
    await collect(simulator)
    const startMs = Date.UTC(2026, 10, 16, 14, 30)
    expect(simulator.now()).toBe(startMs)
    wallMs = 1000
    expect(simulator.now()).toBe(startMs + 10_000)
    wallMs = 1_000_000
    expect(simulator.now()).toBe(startMs + 59_999)
  })

  it('ends quietly when the signal aborts, also while it waits', async () => {
    const abort = new AbortController()
    const simulator = createSimulator({ ...small, warmUpPasses: 0, speed: 0.001 })
    const passes = simulator.passes(abort.signal)[Symbol.asyncIterator]()
    expect((await passes.next()).done).toBe(false)
    const waiting = passes.next()
    abort.abort()
    expect((await waiting).done).toBe(true)
  })

  it('jumps from the close to the next session, over weekends and holidays', async () => {
    const times: string[] = []
    const options = { ...small, startAtMs: Date.UTC(2026, 10, 25, 20, 59), passIntervalMs: 60_000 * 30, passes: 12 }
    for await (const pass of createSimulator(options).passes(new AbortController().signal)) {
      times.push(new Date(pass.startedAtMs).toISOString())
    }
    expect(times.slice(0, 2)).toEqual(['2026-11-25T21:00:00.000Z', '2026-11-27T14:30:00.000Z'])
    expect(times.slice(8, 10)).toEqual(['2026-11-27T18:00:00.000Z', '2026-11-30T14:30:00.000Z'])
  })

  it('lists 20 to 30 thousand contracts for 25 underlyings and about 1.5 million for 6,000', async () => {
    const sizes = async (underlyings: number) =>
      (await collect(createSimulator({ underlyings, speed: 0, passes: 1 })))
        .map(({ columns }) => columns.length)
        .sort((a, b) => b - a)
    const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
    const few = await sizes(25)
    expect(few[0]).toBeGreaterThan(10_000)
    expect(sum(few)).toBeGreaterThan(20_000)
    expect(sum(few)).toBeLessThan(30_000)
    // A twentieth of the names beyond the first 60; all 6,000 take seconds and hold 1.56 million.
    const many = await sizes(360)
    const perName = (sum(many) - sum(few)) / 335
    expect(perName * 5975 + sum(few)).toBeGreaterThan(1_350_000)
    expect(perName * 5975 + sum(few)).toBeLessThan(1_650_000)
  })

  it('uses OCC roots for awkward tickers and both settlements of SPX', async () => {
    const [brk, , spx] = await collect(createSimulator({ ...small, underlyings: ['SPX', 'BRK.B', 'ODD.X'], passes: 1 }))
    expect([brk?.meta.underlying, brk?.columns.roots]).toEqual(['BRK.B', ['BRKB']])
    expect([spx?.meta.underlying, spx?.columns.roots]).toEqual(['SPX', ['SPX', 'SPXW']])
    expect([...seriesOf(spx as Snapshot)]).toEqual(
      expect.arrayContaining([
        'SPXW 2026-11-16',
        'SPXW 2026-11-20',
        'SPX 2026-11-20',
        'SPX 2027-01-15',
        'SPX 2028-01-21',
      ]),
    )
    expect([...seriesOf(spx as Snapshot)]).not.toContain('SPXW 2026-11-26')
  })

  it('flags what expired and drops it at the next session', async () => {
    const options = { speed: 0, underlyings: ['SPX'], startAtMs: Date.UTC(2026, 10, 20, 20, 59), passes: 3 }
    const [before, close, monday] = (await collect(createSimulator(options))) as [Snapshot, Snapshot, Snapshot]
    const expired = ({ columns }: Snapshot) =>
      new Set(
        Array.from(columns.flags, (flags, row) =>
          (flags & contractFlags.expired) === 0
            ? ''
            : `${columns.roots[columns.rootIndex[row] as number]} ${formatDay(columns.expiryDay[row] as number)}`,
        ).filter((name) => name !== ''),
      )
    expect([...expired(before)]).toEqual(['SPX 2026-11-20'])
    expect([...expired(close)]).toEqual(['SPX 2026-11-20', 'SPXW 2026-11-20'])
    expect([...expired(monday)]).toEqual([])
    expect([...seriesOf(monday)].filter((name) => name.endsWith('2026-11-20'))).toEqual([])
  })

  it('appends what it injected to a file, before the snapshot that shows it', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'truth-')), 'deep', 'truth.ndjson')
    const simulator = createSimulator({ ...small, underlyings: 25, passes: 24, groundTruthPath: path })
    let seen = 0
    for await (const [snapshot] of snapshotsOf(simulator, ['SPY'])) {
      const due = simulator.groundTruth().filter(({ atMs }) => atMs <= (snapshot as Snapshot).meta.marketTimeMs)
      seen = due.length
    }
    const written = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
    expect(written).toEqual(simulator.groundTruth())
    expect(seen).toBe(written.length)
    expect(written.length).toBeGreaterThanOrEqual(3)
  })

  it.each<[string, SimulatorOptions]>([
    ['no underlyings', { underlyings: 0 }],
    ['too many underlyings', { underlyings: 6001 }],
    ['a path for a ticker', { underlyings: ['../x'] }],
    ['an interval under a second', { passIntervalMs: 10 }],
    ['a start before its market began', { startAtMs: Date.UTC(2020, 0, 1) }],
  ])('refuses %s as a fault of the settings', (_, options) => {
    expect(() => createSimulator(options)).toThrow(expect.objectContaining({ code: 'config' }))
  })
})
