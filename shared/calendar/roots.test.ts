import { describe, expect, it } from 'vitest'
import { usIndexRoots } from './data/us-roots.ts'
import { parseDay } from './days.ts'
import { exerciseStyle, settlementStyle, usRootFacts } from './roots.ts'
import type { Zone } from './zones.ts'

const style = (root: string, zone: Zone = 'America/New_York', date = '2026-12-18') =>
  exerciseStyle({ root, zone, expiryDay: parseDay(date) ?? NaN })

describe('exercise style', () => {
  it('is European for index options but OEX and XAU, American for stocks and ETFs', () => {
    const european = 'SPX SPXW XSP NDX NDXP XND RUT RUTW MRUT VIX VIXW DJX XEO CBTX CBTXW MBTX MXEA MXEF'.split(' ')
    expect(european.filter((root) => style(root) !== 'european')).toEqual([])
    expect(['OEX', 'XAU', 'SPY', 'AAPL', 'AAPL7', 'SDS1'].filter((root) => style(root) !== 'american')).toEqual([])
  })

  it('is European at NSE, for stocks from the expiries of January 2011 on', () => {
    expect(style('NIFTY', 'Asia/Kolkata')).toBe('european')
    expect(style('RELIANCE', 'Asia/Kolkata')).toBe('european')
    expect(style('RELIANCE', 'Asia/Kolkata', '2011-01-27')).toBe('european')
    expect(style('RELIANCE', 'Asia/Kolkata', '2010-12-30')).toBe('american')
    expect(style('BANKNIFTY', 'Asia/Kolkata', '2010-12-30')).toBe('european')
  })

  it('is European at Deribit', () => {
    expect(style('BTC', 'UTC')).toBe('european')
  })
})

describe('roots on record', () => {
  it('are listed once, each with its underlying and a source', () => {
    const roots = usIndexRoots.map(({ root }) => root)
    expect(new Set(roots).size).toBe(roots.length)
    expect(
      usIndexRoots.filter(({ source, underlying }) => source === '' || usRootFacts(underlying) === undefined),
    ).toEqual([])
  })

  it('keep SPX and SPXW apart under one underlying', () => {
    expect([settlementStyle('SPX'), settlementStyle('SPXW')]).toEqual(['am', 'pm'])
    expect([usRootFacts('SPX')?.underlying, usRootFacts('SPXW')?.underlying]).toEqual(['SPX', 'SPX'])
    expect(usRootFacts('SPY')).toBeUndefined()
  })
})
