import { describe, expect, it } from 'vitest'
import { contractFlags } from '../../shared/model/snapshot.ts'
import { maxKeptRejects } from '../../shared/model/snapshot.ts'
import { type ContractRows, buildContracts, isForeignRoot } from './contract-columns.ts'

const marketTimeMs = Date.UTC(2026, 10, 16, 16, 19)

function rows(symbols: readonly string[], values: Readonly<Record<string, readonly number[]>> = {}): ContractRows {
  return {
    underlying: 'ACME',
    zone: 'America/New_York',
    marketTimeMs,
    symbols,
    values: Object.fromEntries(Object.entries(values).map(([name, column]) => [name, Float64Array.from(column)])),
  }
}

const reasons = (built: ReturnType<typeof buildContracts>) =>
  built.rejects.map(({ symbol, reason }) => [symbol, reason])

describe('buildContracts', () => {
  it('orders contracts by root, expiry, strike, right, whatever order the rows came in', () => {
    const { columns } = buildContracts(
      rows(
        [
          'ACMEW261120P00045000',
          'ACME261218C00045000',
          'ACME261120P00050000',
          'ACME261120C00050000',
          'ACME261120C00045000',
        ],
        { bid: [1, 2, 3, 4, 5] },
      ),
    )
    expect([...columns.bid]).toEqual([5, 4, 3, 2, 1])
    expect(columns.roots).toEqual(['ACME', 'ACMEW'])
    expect([...columns.rootIndex]).toEqual([0, 0, 0, 0, 1])
    expect([...columns.strike]).toEqual([45, 50, 50, 45, 45])
    expect([...columns.right]).toEqual([1, 1, 2, 1, 2])
  })

  it('keeps a real zero and a missing value apart', () => {
    const { columns } = buildContracts(rows(['ACME261120C00045000'], { bid: [0], ask: [NaN] }))
    expect(columns.bid[0]).toBe(0)
    expect(columns.ask[0]).toBeNaN()
    expect(columns.volume[0]).toBeNaN()
  })

  it('rejects what is no OCC symbol', () => {
    const built = buildContracts(rows(['', 'ACME', 'ACME261320C00045000', 'ACME261120C00045000']))
    expect(built.rejectsByReason).toEqual({ bad_symbol: 3 })
    expect(built.columns.length).toBe(1)
  })

  it('rejects rows that contradict their symbol, each by what they contradict', () => {
    const symbols = ['ACME261120C00045000', 'ACME261120C00046000', 'ACME261120C00047000', 'ACME261120C00048000']
    const day = Date.UTC(2026, 10, 20) / 86_400_000
    const built = buildContracts({
      ...rows(symbols),
      claims: {
        expiryDay: Float64Array.of(day, day + 28, day, NaN),
        right: Float64Array.of(1, 1, 2, NaN),
        strike: Float64Array.of(45.5, 46, 47, NaN),
      },
    })
    expect(reasons(built)).toEqual([
      ['ACME261120C00045000', 'strike_mismatch'],
      ['ACME261120C00046000', 'expiry_mismatch'],
      ['ACME261120C00047000', 'right_mismatch'],
    ])
    expect(built.rejects[1]?.detail).toBe('row says expiry 2026-12-18, symbol 2026-11-20')
    expect([...built.columns.strike]).toEqual([48])
  })

  it('keeps the first of two rows of one contract', () => {
    const built = buildContracts(rows(['ACME261120C00045000', 'ACME261120C00045000'], { bid: [1, 2] }))
    expect([...built.columns.bid]).toEqual([1])
    expect(built.rejectsByReason).toEqual({ duplicate_contract: 1 })
  })

  it('lets the row that agrees with its symbol stand when a contradicting one comes first', () => {
    const symbols = ['ACME261218C00045000', 'ACME261218C00045000']
    const day = Date.UTC(2026, 11, 18) / 86_400_000
    const built = buildContracts({
      ...rows(symbols, { bid: [1, 2] }),
      claims: {
        expiryDay: Float64Array.of(day - 28, day),
        right: Float64Array.of(NaN, NaN),
        strike: Float64Array.of(NaN, NaN),
      },
    })
    expect([...built.columns.bid]).toEqual([2])
    expect(built.rejectsByReason).toEqual({ expiry_mismatch: 1 })
  })

  it('rejects prices that are negative, endless or finer than four decimals', () => {
    const symbols = ['ACME261120C00045000', 'ACME261120C00046000', 'ACME261120C00047000', 'ACME261120C00048000']
    const built = buildContracts(rows(symbols, { bid: [-0.01, Infinity, 4.35, 1.00005], ask: [1, 1, 4.3501, 2] }))
    expect(reasons(built)).toEqual([
      ['ACME261120C00045000', 'negative_price'],
      ['ACME261120C00046000', 'not_finite'],
      ['ACME261120C00048000', 'precision'],
    ])
    expect(built.columns.ask[0]).toBe(4.3501)
  })

  it('counts every reject but carries only the first ones', () => {
    const built = buildContracts(rows(Array.from({ length: maxKeptRejects + 50 }, (_, i) => `nothing ${i}`)))
    expect(built.rejects).toHaveLength(maxKeptRejects)
    expect(built.rejectsByReason).toEqual({ bad_symbol: maxKeptRejects + 50 })
  })

  it('flags a contract as expired from the instant of its expiry on', () => {
    const closeMs = Date.UTC(2026, 10, 20, 21)
    const at = (timeMs: number) =>
      buildContracts({ ...rows(['ACME261120C00045000']), marketTimeMs: timeMs }).columns.flags[0]
    expect(at(closeMs - 1)).toBe(0)
    expect(at(closeMs)).toBe(contractFlags.expired)
  })

  it('flags a bid above its ask as crossed, but not one beside an ask of 0, which is none', () => {
    const { columns } = buildContracts(
      rows(['ACME261120C00045000', 'ACME261120C00046000', 'ACME261120C00047000'], { bid: [2, 2, 1], ask: [1.9, 0, 1] }),
    )
    expect([...columns.flags]).toEqual([contractFlags.crossed, 0, 0])
  })

  it('flags adjusted deliverables by their root', () => {
    const { columns } = buildContracts(rows(['ACME261120C00045000', 'ACME1261120C00045000', 'OLDC261120C00045000']))
    expect([...columns.flags]).toEqual([0, contractFlags.adjusted, contractFlags.adjusted])
  })
})

describe('isForeignRoot', () => {
  it.each([
    ['SPXW', 'SPX', false],
    ['NDXP', 'NDX', false],
    ['SPXPM', 'SPX', false],
    ['VIXW', 'VIX', false],
    ['XYZ3', 'XYZ3', false],
    ['4SPX', 'SPX', true],
    ['BRKB', 'BRK.B', false],
    ['SDS1', 'SDS', false],
    ['NGD', 'CDE', true],
    ['MRO', 'COP', true],
  ])('says of %s under %s: %s', (root, underlying, foreign) => {
    expect(isForeignRoot(root, underlying)).toBe(foreign)
  })
})
