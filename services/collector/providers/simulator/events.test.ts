import { beforeAll, describe, expect, it } from 'vitest'
import type { InjectedEvent } from './events.ts'
import { createSimulator } from './simulator.ts'
import { atmVol30d, snapshotsOf, totalVolume } from './test-support.ts'

const stepMs = 60_000
const openMs = Date.UTC(2026, 10, 16, 14, 30)

interface Step {
  readonly atMs: number
  readonly sessionDate: string
  /** Contracts since the pass before; from 0 at the open. */
  readonly traded: number
  readonly vol: number
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number
const sdOf = (numbers: readonly number[]): number => {
  const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length
  return Math.sqrt(numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length)
}

describe('injected events', () => {
  const steps = new Map<string, Step[]>()
  let truth: readonly InjectedEvent[] = []

  /** One session and the start of the next, of the default universe at a third of its size. */
  beforeAll(async () => {
    const simulator = createSimulator({ speed: 0, passes: 391 + 30, contractsTotal: 9000 })
    const volumes = new Map<string, number>()
    for await (const snapshots of snapshotsOf(simulator)) {
      for (const snapshot of snapshots) {
        const { underlying, marketTimeMs: atMs, sessionDate } = snapshot.meta
        const own = steps.get(underlying) ?? []
        steps.set(underlying, own)
        const volume = totalVolume(snapshot)
        const before = own.at(-1)?.sessionDate === sessionDate ? (volumes.get(underlying) ?? 0) : 0
        volumes.set(underlying, volume)
        own.push({ atMs, sessionDate, traded: volume - before, vol: atmVol30d(snapshot) })
      }
    }
    truth = simulator.groundTruth()
  }, 120_000)

  const isShown = (kind: InjectedEvent['kind'], underlying: string, atMs: number): boolean =>
    truth.some(
      (event) => event.kind === kind && event.underlying === underlying && event.atMs <= atMs && atMs <= event.untilMs,
    )

  /** Steps of quiet and eventful volume, each with its ratio to the median of the ten quiet steps before. */
  function volumeRatios(underlying: string): readonly { readonly atMs: number; readonly ratio: number }[] {
    const quiet: number[] = []
    return (steps.get(underlying) ?? []).flatMap(({ atMs, traded }, i, all) => {
      if (all[i - 1]?.sessionDate !== all[i]?.sessionDate) return []
      const ratio = traded / median(quiet.slice(-10))
      if (!isShown('volume_spike', underlying, atMs)) quiet.push(traded)
      return quiet.length <= 10 ? [] : [{ atMs, ratio }]
    })
  }

  it('come in both kinds, none in the first 20 passes of a session and some in the two after', () => {
    expect(new Set(truth.map(({ kind }) => kind)).size).toBe(2)
    expect(truth.length).toBeGreaterThan(40)
    expect(Math.min(...truth.map(({ atMs }) => atMs))).toBeGreaterThan(openMs + 20 * stepMs)
    const first = truth.filter(({ atMs }) => atMs <= openMs + 22 * stepMs)
    expect(first.length).toBeGreaterThanOrEqual(3)
    expect(new Set(truth.map(({ id }) => id)).size).toBe(truth.length)
  })

  it('keep a distance within an underlying and end before the close', () => {
    for (const [underlying] of steps) {
      const own = truth.filter((event) => event.underlying === underlying)
      for (const [i, event] of own.entries()) {
        expect(event.untilMs - (own[i - 1]?.untilMs ?? 0)).toBeGreaterThan(15 * stepMs)
        expect(event.atMs - (own[i - 1]?.atMs ?? 0)).toBeGreaterThanOrEqual(48 * stepMs)
        expect(new Date(event.untilMs).getUTCHours()).toBeLessThan(21)
      }
    }
  })

  it('of volume show at their stated passes as at least 8 times the norm, and nothing else comes near', () => {
    const ratios = [...steps.keys()].flatMap((underlying) =>
      volumeRatios(underlying).map((step) => ({ ...step, shown: isShown('volume_spike', underlying, step.atMs) })),
    )
    const shown = ratios.filter((step) => step.shown)
    expect(shown.filter(({ ratio }) => !(ratio > 8))).toEqual([])
    expect(ratios.filter((step) => !step.shown && !(step.ratio < 5))).toEqual([])
    const passes = truth
      .filter(({ kind }) => kind === 'volume_spike')
      .map(({ atMs, untilMs }) => (untilMs - atMs) / stepMs + 1)
    expect(shown).toHaveLength(passes.reduce((a, b) => a + b, 0))
  })

  it('of vol show at their stated pass as at least 6 points on the 30-day vol, and nothing else comes near', () => {
    const rises = [...steps].flatMap(([underlying, own]) =>
      own.slice(1).map(({ atMs, vol }, i) => ({ underlying, atMs, rise: vol - (own[i] as Step).vol })),
    )
    const injected = (step: { readonly underlying: string; readonly atMs: number }) =>
      truth.find(
        ({ kind, underlying, atMs }) => kind === 'iv_spike' && underlying === step.underlying && atMs === step.atMs,
      )
    const [found, rest] = [rises.filter((step) => injected(step)), rises.filter((step) => !injected(step))]
    expect(found).toHaveLength(truth.filter(({ kind }) => kind === 'iv_spike').length)
    expect(found.filter((step) => !(Math.abs(step.rise - (injected(step)?.magnitude ?? NaN)) < 1))).toEqual([])
    expect(found.filter(({ rise }) => !(rise > 6))).toEqual([])
    expect(rest.filter(({ rise }) => !(rise < 3))).toEqual([])
  })

  it('stand out of noise within the stated bounds', () => {
    for (const [underlying, own] of steps) {
      const changes: number[] = []
      const logs: number[] = []
      for (let i = 2; i < own.length; i++) {
        const [before, here] = [own[i - 1] as Step, own[i] as Step]
        if (own[i - 2]?.sessionDate !== here.sessionDate) continue
        if (!isShown('iv_spike', underlying, here.atMs) && !isShown('iv_spike', underlying, before.atMs))
          changes.push(here.vol - before.vol)
        const eventful =
          isShown('volume_spike', underlying, here.atMs) || isShown('volume_spike', underlying, before.atMs)
        if (!eventful) logs.push(Math.log(here.traded / before.traded) / Math.SQRT2)
      }
      expect([underlying, sdOf(changes) <= 0.25]).toEqual([underlying, true])
      expect([underlying, sdOf(logs) <= 0.35]).toEqual([underlying, true])
    }
  })
})

describe('a plan of events', () => {
  it('is followed to the pass, and nothing else happens', async () => {
    const events = [
      { kind: 'iv_spike', underlying: 'GME', atMs: openMs + 3 * stepMs, magnitude: 9 },
      { kind: 'volume_spike', underlying: 'XOM', atMs: openMs + 4.5 * stepMs, magnitude: 20 },
    ] as const
    const simulator = createSimulator({ underlyings: ['GME', 'XOM'], speed: 0, passes: 8, events })
    const vols: number[] = []
    const volumes: number[] = []
    for await (const [gme, xom] of snapshotsOf(simulator)) {
      if (gme !== undefined) vols.push(atmVol30d(gme))
      if (xom !== undefined) volumes.push(totalVolume(xom))
    }
    expect((vols[3] as number) - (vols[2] as number)).toBeCloseTo(9, -0.5)
    const traded = volumes.map((volume, i) => volume - (volumes[i - 1] ?? 0))
    expect(traded.indexOf(Math.max(...traded))).toBe(5)
    expect(simulator.groundTruth()).toMatchObject([
      { kind: 'iv_spike', underlying: 'GME', atMs: openMs + 3 * stepMs, untilMs: openMs + 32 * stepMs, magnitude: 9 },
      {
        kind: 'volume_spike',
        underlying: 'XOM',
        atMs: openMs + 5 * stepMs,
        untilMs: openMs + 5 * stepMs,
        magnitude: 20,
      },
    ])
  })

  it('of none leaves the market alone', async () => {
    const simulator = createSimulator({ underlyings: 25, speed: 0, events: 'none', passes: 60 })
    for await (const pass of simulator.passes(new AbortController().signal)) expect(pass.items).toHaveLength(25)
    expect(simulator.groundTruth()).toEqual([])
  })
})
