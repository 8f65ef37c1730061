import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nseLots } from './data/nse-lots.ts'
import { dayOf, parseDay } from './days.ts'
import { multiplierOf } from './multiplier.ts'
import type { Zone } from './zones.ts'

const seen = (root: string, expiry: string, date: string, zone: Zone = 'Asia/Kolkata', underlying = root) =>
  multiplierOf({ zone, root, underlying, expiryDay: parseDay(expiry) ?? NaN, day: parseDay(date) ?? NaN })

describe('the multiplier', () => {
  it('is 100 in the US, 10 for the minis of 2013, unknown for adjusted roots', () => {
    const us = (root: string, underlying = root) =>
      seen(root, '2026-12-18', '2026-06-22', 'America/New_York', underlying)
    expect([us('SPY'), us('SPXW', 'SPX'), us('XSP'), us('BRKB', 'BRK.B')]).toEqual([100, 100, 100, 100])
    expect([us('AAPL7', 'AAPL'), us('AAPL1', 'AAPL'), us('SDS1', 'SDS')]).toEqual([10, null, null])
  })

  it('is one coin at Deribit where the contract is on record', () => {
    expect(seen('BTC', '2026-03-27', '2026-03-13', 'UTC')).toBe(1)
    expect(seen('ETH', '2026-03-27', '2026-03-13', 'UTC')).toBe(1)
    expect(seen('SOL_USDC', '2026-03-27', '2026-03-13', 'UTC')).toBeNull()
  })

  it('changes for NIFTY by the expiry, not by the day', () => {
    expect(seen('NIFTY', '2021-06-24', '2021-06-01')).toBe(75)
    expect(seen('NIFTY', '2021-07-22', '2021-07-20')).toBe(75)
    expect(seen('NIFTY', '2021-07-29', '2021-07-20')).toBe(50)
    expect(seen('NIFTY', '2022-03-24', '2022-03-15')).toBe(50)
    expect(seen('NIFTY', '2024-04-25', '2024-04-25')).toBe(50)
    expect(seen('NIFTY', '2024-05-02', '2024-04-26')).toBe(25)
    expect(seen('NIFTY', '2024-12-26', '2024-12-20')).toBe(25)
    expect(seen('NIFTY', '2025-01-02', '2024-12-20')).toBe(75)
    expect(seen('NIFTY', '2025-01-30', '2025-01-20')).toBe(25)
    expect(seen('NIFTY', '2025-02-06', '2025-01-20')).toBe(75)
    expect(seen('NIFTY', '2025-12-30', '2025-12-30')).toBe(75)
    expect(seen('NIFTY', '2026-01-06', '2025-12-30')).toBe(65)
    expect(seen('NIFTY', '2026-02-03', '2026-02-03')).toBe(65)
  })

  it('changes for quarterly contracts on a day of their life', () => {
    expect(seen('NIFTY', '2021-12-30', '2021-06-24')).toBe(75)
    expect(seen('NIFTY', '2021-12-30', '2021-06-25')).toBe(50)
    expect(seen('NIFTY', '2025-03-27', '2024-12-26')).toBe(25)
    expect(seen('NIFTY', '2025-03-27', '2024-12-27')).toBe(75)
    expect(seen('NIFTY', '2026-03-30', '2025-12-30')).toBe(75)
    expect(seen('NIFTY', '2026-03-30', '2025-12-31')).toBe(65)
    expect(seen('BANKNIFTY', '2023-09-28', '2023-06-29')).toBe(25)
    expect(seen('BANKNIFTY', '2023-09-28', '2023-06-30')).toBe(15)
    expect(seen('BANKNIFTY', '2025-09-25', '2025-04-24')).toBe(30)
    expect(seen('BANKNIFTY', '2025-09-25', '2025-04-25')).toBe(35)
  })

  it('follows the other indices', () => {
    const banknifty = [
      '2020-07-23',
      '2020-07-30',
      '2023-07-20',
      '2023-07-27',
      '2024-12-24',
      '2025-06-26',
      '2025-07-31',
      '2026-01-27',
    ]
    expect(banknifty.map((expiry) => seen('BANKNIFTY', expiry, expiry))).toEqual([20, 25, 25, 15, 15, 30, 35, 30])
    const finnifty = ['2024-07-23', '2024-07-30', '2025-01-30', '2025-02-27', '2025-12-30', '2026-01-27']
    expect(finnifty.map((expiry) => seen('FINNIFTY', expiry, expiry))).toEqual([40, 25, 25, 65, 65, 60])
    const midcap = ['2024-07-22', '2024-07-29', '2025-01-30', '2025-06-26', '2025-07-31', '2026-01-27']
    expect(midcap.map((expiry) => seen('MIDCPNIFTY', expiry, expiry))).toEqual([75, 50, 50, 120, 140, 120])
    expect(seen('NIFTYNXT50', '2024-05-31', '2024-05-31')).toBe(10)
    expect(seen('NIFTYNXT50', '2026-08-25', '2026-08-21')).toBe(25)
  })

  it('is null, never a guess, where no source says it', () => {
    expect(seen('NIFTY', '2015-06-25', '2015-06-01')).toBeNull()
    expect(seen('BANKNIFTY', '2025-01-30', '2025-01-10')).toBeNull()
    expect(seen('NIFTY', '2027-06-29', '2026-11-22')).toBeNull()
    expect(seen('NIFTY', '2026-12-29', '2026-11-22')).toBe(65)
    expect(seen('RELIANCE', '2026-08-25', '2026-08-21')).toBeNull()
    expect(seen('', '2026-08-25', '2026-08-21')).toBeNull()
    expect(seen('NIFTY', 'no date', '2026-08-21')).toBeNull()
  })

  it('is a lot of the table or null for any root, expiry and day', () => {
    const roots = [...new Set(nseLots.map(({ root }) => root))]
    const anyDay = fc.integer({ min: dayOf(2010, 1, 1), max: dayOf(2032, 1, 1) })
    fc.assert(
      fc.property(fc.constantFrom(...roots), anyDay, anyDay, (root, expiryDay, day) => {
        const lot = multiplierOf({ zone: 'Asia/Kolkata', root, underlying: root, expiryDay, day })
        const lots = nseLots.filter((row) => row.root === root).map((row) => row.lot)
        expect(lot === null || lots.includes(lot)).toBe(true)
      }),
    )
  })

  it('has rows with readable dates, each range in order', () => {
    for (const { expiries, days } of nseLots) {
      for (const [from, to] of [expiries, days]) {
        expect(from === null || parseDay(from) !== null).toBe(true)
        expect(to === null || parseDay(to) !== null).toBe(true)
        expect(from === null || to === null || from <= to).toBe(true)
      }
    }
  })
})
