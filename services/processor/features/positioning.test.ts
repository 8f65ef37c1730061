import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chainOf, type ContractInput, reordered } from '../../../tests/fixtures/quant/chain-builder.ts'
import {
  addPositions,
  noPositions,
  positioningOf,
  type PositionFigures,
  putCallRatios,
  sessionStartS,
  sumPositions,
} from './positioning.ts'

const marketTimeMs = Date.UTC(2026, 5, 22, 15)
const startS = Date.UTC(2026, 5, 22, 4) / 1000

type LegInput = Partial<ContractInput> & Pick<ContractInput, 'right' | 'strike'>
interface Priced extends LegInput {
  readonly last?: number
}

function contextOf(legs: readonly Priced[], multiplier = 100) {
  const { columns } = chainOf(
    legs.map((leg) => ({ root: 'XYZ', expiry: '2026-07-17', ...leg })),
    { marketTimeMs },
  )
  for (const [i, { last }] of legs.entries()) columns.last[i] = last ?? NaN
  return { columns, multiplier, sessionStartS: startS }
}

const everyRow = (count: number) => Int32Array.from({ length: count }, (_, i) => i)
const figuresOf = (legs: readonly Priced[], multiplier = 100): PositionFigures =>
  positioningOf(sumPositions(contextOf(legs, multiplier), everyRow(legs.length)))

describe('positions', () => {
  const legs: Priced[] = [
    { right: 'C', strike: 95, bid: 5, ask: 5.2, volume: 150, openInterest: 600 },
    { right: 'C', strike: 100, bid: 2, ask: 2.1, volume: 50, openInterest: 400 },
    { right: 'P', strike: 95, bid: 0.5, ask: 0.6, last: 9, volume: 300, openInterest: 250 },
    { right: 'P', strike: 100, bid: 0, ask: 0.1, last: 1.5, volume: 10, openInterest: 0 },
  ]

  it('are summed by right, with the premium that was paid', () => {
    expect(figuresOf(legs, 10)).toEqual({
      callVolume: 200,
      putVolume: 310,
      pcrVolume: 1.55,
      // 150 x 5.1 x 10 + 50 x 2.05 x 10; 300 x 0.55 x 10 + 10 x 1.5 x 10, the last trade for want of a bid.
      callPremium: 8675,
      putPremium: 1800,
      pcrPremium: 1800 / 8675,
      volumeNUsed: 4,
      volumeQuality: 100,
      callOpenInterest: 1000,
      putOpenInterest: 250,
      pcrOi: 0.25,
      openInterestNUsed: 4,
      openInterestQuality: 100,
    })
  })

  it('have no ratio over fewer than 200 calls traded or 1,000 held', () => {
    const totals = {
      callVolume: 200,
      putVolume: 500,
      callPremium: 1000,
      putPremium: 250,
      callOpenInterest: 1000,
      putOpenInterest: 5000,
    }
    expect(putCallRatios(totals)).toEqual({ pcrVolume: 2.5, pcrPremium: 0.25, pcrOi: 5 })
    expect(putCallRatios({ ...totals, callVolume: 199, callOpenInterest: 999 })).toEqual({
      pcrVolume: NaN,
      pcrPremium: NaN,
      pcrOi: NaN,
    })
    expect(putCallRatios({ ...totals, putVolume: 0, putPremium: 0 })).toMatchObject({ pcrVolume: 0, pcrPremium: 0 })
    expect(putCallRatios({ ...totals, callPremium: 0 }).pcrPremium).toBeNaN()
  })

  it('count volume whose last trade lies before the session as none, and say so in the quality', () => {
    const traded = legs.map((leg, i) => ({ ...leg, lastTradeAtS: startS + (i < 2 ? -1 : 0) }))
    const figures = figuresOf(traded)
    expect(figures).toMatchObject({ callVolume: 0, putVolume: 310, callPremium: 0, volumeNUsed: 4, volumeQuality: 50 })
    // A contract that has not traded is as known as one that has.
    const untraded = traded.map((leg) => ({ ...leg, volume: 0, lastTradeAtS: startS - 1e6 }))
    expect(figuresOf(untraded)).toMatchObject({ callVolume: 0, putPremium: 0, volumeNUsed: 4, volumeQuality: 100 })
  })

  it('are missing, not 0, where no contract of a right has a figure', () => {
    const unknown = legs.map((leg) => (leg.right === 'P' ? { ...leg, volume: NaN, openInterest: NaN } : leg))
    expect(figuresOf(unknown)).toMatchObject({
      callVolume: 200,
      putVolume: NaN,
      putPremium: NaN,
      putOpenInterest: NaN,
      pcrVolume: NaN,
      pcrPremium: NaN,
      pcrOi: NaN,
      volumeNUsed: 2,
      volumeQuality: 50,
      openInterestNUsed: 2,
      openInterestQuality: 50,
    })
    const none = figuresOf([])
    expect(none).toMatchObject({ callVolume: NaN, putOpenInterest: NaN, volumeNUsed: 0, volumeQuality: 0 })
  })

  it('have no premium where what was traded has no price', () => {
    const blind = legs.map((leg) => ({ ...leg, bid: 0, last: NaN }))
    expect(figuresOf(blind)).toMatchObject({ callVolume: 200, callPremium: NaN, putPremium: NaN, pcrVolume: 1.55 })
  })

  it('take crossed quotes for no price', () => {
    const crossed = legs.map((leg) => ({ ...leg, bid: 6, ask: 5, last: 2 }))
    expect(figuresOf(crossed, 1)).toMatchObject({ callPremium: 400, putPremium: 620 })
  })

  it('add up over expiries', () => {
    const context = contextOf(legs)
    const total = noPositions()
    addPositions(total, sumPositions(context, Int32Array.of(0, 3)))
    addPositions(total, sumPositions(context, Int32Array.of(1, 2)))
    expect(positioningOf(total)).toEqual(figuresOf(legs))
  })

  it('are never negative or infinite, whatever the columns hold', () => {
    const wild = fc.oneof(fc.double(), fc.constantFrom(NaN, 0, -1, Infinity, 1e300, 5e-324))
    const leg = fc.record({
      right: fc.constantFrom('C' as const, 'P' as const),
      strike: wild,
      bid: wild,
      ask: wild,
      last: wild,
      volume: wild,
      openInterest: wild,
    })
    fc.assert(
      fc.property(fc.array(leg, { maxLength: 20 }), (legs) => {
        const figures = Object.values(figuresOf(legs))
        expect(figures.filter((value) => value < 0 || value === Infinity)).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  it('do not change with crossed quotes added but in their counts', () => {
    const crossed: Priced[] = [...legs, { right: 'C', strike: 97, bid: 9, ask: 8 }]
    const { volumeQuality, openInterestQuality, ...others } = figuresOf(crossed)
    expect(figuresOf(legs)).toMatchObject(others)
    expect([volumeQuality, openInterestQuality]).toEqual([80, 80])
  })

  it('are summed over rows in the order given, whatever the order of columns', () => {
    const snapshot = chainOf(
      legs.map((leg) => ({ root: 'XYZ', expiry: '2026-07-17', ...leg })),
      { marketTimeMs },
    )
    const { columns } = reordered(snapshot, [3, 1, 0, 2])
    const moved = { ...contextOf(legs), columns }
    expect(sumPositions(moved, Int32Array.of(2, 1, 3, 0)).calls).toEqual(
      sumPositions({ ...moved, columns: snapshot.columns }, everyRow(4)).calls,
    )
  })
})

describe('the start of a session', () => {
  it('is midnight in the exchange’s zone, and unknown without date or zone', () => {
    const zone = 'America/New_York'
    expect(sessionStartS({ sessionDate: '2026-06-22', exchangeZone: zone })).toBe(startS)
    expect(sessionStartS({ sessionDate: '', exchangeZone: zone })).toBe(-Infinity)
    expect(sessionStartS({ sessionDate: '2026-06-22', exchangeZone: 'nowhere' })).toBe(-Infinity)
  })
})
