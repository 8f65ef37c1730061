import { beforeAll, describe, expect, it } from 'vitest'
import type { ChainColumns, Snapshot } from '../../../../shared/model/snapshot.ts'
import { createSimulator } from './simulator.ts'
import { riskFreeRate, yearS } from './smile.ts'
import { collect, expirySlices, forwardOf, impliedVol, midOf, snapshotsOf } from './test-support.ts'

const tickers = ['SPX', 'BRK.B', 'TLT', 'UNG', 'GME', 'NVDA']
const floatColumns = (columns: ChainColumns): readonly (readonly [string, Float64Array])[] =>
  Object.entries(columns).filter((entry): entry is [string, Float64Array] => entry[1] instanceof Float64Array)

describe('a simulated chain', () => {
  let snapshots: readonly Snapshot[] = []
  beforeAll(async () => {
    const startAtMs = Date.UTC(2026, 10, 17, 18, 0)
    snapshots = await collect(createSimulator({ underlyings: tickers, speed: 0, events: 'none', startAtMs, passes: 2 }))
  })

  it('says of itself what it is', () => {
    expect(snapshots[0]?.meta).toMatchObject({
      provider: 'simulator',
      timeKind: 'market',
      delayMs: 0,
      exchangeZone: 'America/New_York',
      sessionDate: '2026-11-17',
      multiplier: 100,
      scanId: 'scan',
      rejects: [],
    })
  })

  it('misses nothing but the last trade of contracts that never traded', () => {
    for (const { columns } of snapshots) {
      const incomplete = floatColumns(columns).filter(([, values]) => values.some((value) => Number.isNaN(value)))
      expect(['last', 'lastTradeAtS']).toEqual(expect.arrayContaining(incomplete.map(([name]) => name)))
      const wrong = columns.last.findIndex((last, row) => {
        const never = columns.openInterest[row] === 0 && columns.volume[row] === 0
        return Number.isNaN(last) !== never || Number.isNaN(columns.lastTradeAtS[row]) !== never
      })
      expect(wrong).toBe(-1)
    }
  })

  it('stands in canonical order without duplicates', () => {
    for (const { columns } of snapshots) {
      const wrong = columns.strike.findIndex((_, row) => {
        const key = (i: number) =>
          [columns.rootIndex[i], columns.expiryDay[i], columns.strike[i], columns.right[i]] as number[]
        const [before, here] = [key(row - 1), key(row)]
        const differs = here.findIndex((part, i) => part !== before[i])
        return row > 0 && !(differs >= 0 && (here[differs] as number) > (before[differs] as number))
      })
      expect(wrong).toBe(-1)
    }
  })

  it('quotes on whole ticks, never crossed, without a bid in the far wings', () => {
    const isCent = (price: number): boolean => Math.round(price * 100) / 100 === price
    let unbid = 0
    for (const { columns } of snapshots) {
      const wrong = columns.bid.findIndex((bid, row) => {
        const ask = columns.ask[row] as number
        return !(bid < ask && isCent(bid) && isCent(ask) && (columns.bidSize[row] === 0) === (bid === 0))
      })
      expect(wrong).toBe(-1)
      unbid += columns.bid.filter((bid) => bid === 0).length
    }
    const rows = snapshots.reduce((sum, { columns }) => sum + columns.length, 0)
    expect(unbid / rows).toBeGreaterThan(0.02)
    expect(unbid / rows).toBeLessThan(0.4)
  })

  it('keeps put-call parity executable nowhere', () => {
    for (const snapshot of snapshots) {
      const { bid, ask, strike } = snapshot.columns
      for (const slice of expirySlices(snapshot)) {
        const discount = Math.exp(-riskFreeRate * slice.years)
        let [low, high] = [-Infinity, Infinity]
        for (let row = slice.start; row < slice.end; row += 2) {
          const k = strike[row] as number
          low = Math.max(low, ((bid[row] as number) - (ask[row + 1] as number)) / discount + k)
          high = Math.min(high, ((ask[row] as number) - (bid[row + 1] as number)) / discount + k)
        }
        // Some forward satisfies all strikes at once.
        expect(low).toBeLessThanOrEqual(high + 1e-9)
      }
    }
  })

  it('gives back its own vol from the mid, within half a spread', () => {
    for (const snapshot of snapshots) {
      const { columns } = snapshot
      for (const slice of expirySlices(snapshot).filter(({ years }) => years > 7 / 365)) {
        const forward = forwardOf(snapshot, slice)
        const growth = Math.exp(riskFreeRate * slice.years)
        for (let row = slice.start; row < slice.end; row++) {
          const isCall = row % 2 === 0
          const strike = columns.strike[row] as number
          const delta = Math.abs(columns.providerDelta[row] as number)
          if (isCall !== strike > forward || !(delta > 0.1)) continue
          const vol = impliedVol(forward, strike, slice.years, midOf(columns, row) * growth, isCall)
          const halfSpread = ((columns.ask[row] as number) - (columns.bid[row] as number)) / 2
          const tolerance = halfSpread / (columns.providerVega[row] as number) / 100 + 0.002
          expect(Math.abs(vol - (columns.providerIv[row] as number))).toBeLessThan(tolerance)
        }
      }
    }
  })

  it('has greeks with the signs and units of the field', () => {
    const spx = snapshots.find(({ meta }) => meta.underlying === 'SPX') as Snapshot
    const { columns, meta } = spx
    const atm = expirySlices(spx).find(({ years }) => years > 25 / 365)
    let row = atm?.start as number
    while ((columns.strike[row] as number) < (meta.spot as number)) row += 2
    const years = ((columns.expiryAtS[row] as number) - meta.marketTimeMs / 1000) / yearS
    expect(columns.providerDelta[row]).toBeGreaterThan(0.4)
    expect(columns.providerDelta[row + 1]).toBeLessThan(-0.4)
    expect(columns.providerVega[row] as number).toBeCloseTo(
      ((meta.spot as number) * 0.3989 * Math.sqrt(years)) / 100,
      0,
    )
    expect(columns.providerTheta[row]).toBeLessThan(0)
    expect(columns.providerRho[row]).toBeGreaterThan(0)
    expect(columns.providerRho[row + 1]).toBeLessThan(0)
  })
})

describe('a simulated session', () => {
  it('never lets volume fall, keeps open interest, and starts each day at no volume', async () => {
    const before = new Map<string, Snapshot>()
    const faults: string[] = []
    const options = { underlyings: tickers, contractsTotal: 3000, passIntervalMs: 300_000, speed: 0, passes: 2 * 79 }
    for await (const snapshots of snapshotsOf(createSimulator(options))) {
      for (const snapshot of snapshots) {
        const { underlying, marketTimeMs } = snapshot.meta
        faults.push(
          ...faultsSince(before.get(underlying), snapshot).map((fault) => `${underlying} ${marketTimeMs} ${fault}`),
        )
        before.set(underlying, snapshot)
      }
    }
    expect(faults).toEqual([])
  })

  it('moves open interest a little overnight, contract by contract', async () => {
    const options = { underlyings: ['NVDA'], passIntervalMs: 3_600_000, speed: 0, passes: 8 }
    const all = await collect(createSimulator(options))
    const [monday, tuesday] = [all[0] as Snapshot, all.at(-1) as Snapshot]
    const sum = ({ columns }: Snapshot): number => columns.openInterest.reduce((a, b) => a + b, 0)
    expect(tuesday.meta.sessionDate).toBe('2026-11-17')
    expect(tuesday.columns.openInterest).not.toEqual(monday.columns.openInterest)
    expect(Math.abs(sum(tuesday) / sum(monday) - 1)).toBeLessThan(0.1)
  })
})

/** What a snapshot says that cannot follow from the one before it. */
function faultsSince(last: Snapshot | undefined, { meta, columns }: Snapshot): readonly string[] {
  if (last?.meta.sessionDate !== meta.sessionDate)
    return columns.volume.some((volume) => volume > 0) ? ['volume at the open'] : []
  const [thenS, nowS] = [last.meta.marketTimeMs / 1000, meta.marketTimeMs / 1000]
  const faults: string[] = []
  for (let row = 0; row < columns.length; row++) {
    const traded = (columns.volume[row] as number) - (last.columns.volume[row] as number)
    const at = columns.lastTradeAtS[row] as number
    if (traded < 0) faults.push(`row ${row}: volume fell`)
    if (columns.openInterest[row] !== last.columns.openInterest[row]) faults.push(`row ${row}: open interest moved`)
    if (traded > 0 && !(at >= thenS && at <= nowS)) faults.push(`row ${row}: traded at another time`)
    if (traded === 0 && !Object.is(at, last.columns.lastTradeAtS[row])) faults.push(`row ${row}: time without a trade`)
    if (traded === 0 && !Object.is(columns.last[row], last.columns.last[row]))
      faults.push(`row ${row}: price without a trade`)
  }
  return faults
}
