import { describe, expect, it } from 'vitest'
import { parseDay } from './days.ts'
import { expiryInstantS } from './expiry.ts'
import type { Zone } from './zones.ts'

const expiry = (root: string, date: string, zone: Zone = 'America/New_York', underlying = root) =>
  new Date(expiryInstantS({ root, underlying, expiryDay: parseDay(date) ?? NaN, zone }) * 1000).toISOString()

describe('the instant of expiry', () => {
  it('is 16:00 New York for equity and ETF options, in summer and winter', () => {
    expect(expiry('IWM', '2026-06-22')).toBe('2026-06-22T20:00:00.000Z')
    expect(expiry('AAPL', '2027-01-15')).toBe('2027-01-15T21:00:00.000Z')
  })

  it('is the open for AM-settled roots and the close for their PM siblings', () => {
    expect(expiry('SPX', '2026-07-17')).toBe('2026-07-17T13:30:00.000Z')
    expect(expiry('SPXW', '2026-07-17', 'America/New_York', 'SPX')).toBe('2026-07-17T20:00:00.000Z')
    expect(expiry('VIX', '2026-07-22')).toBe('2026-07-22T13:30:00.000Z')
    expect(expiry('NDX', '2026-07-17')).toBe('2026-07-17T13:30:00.000Z')
    expect(expiry('XSP', '2026-07-17')).toBe('2026-07-17T20:00:00.000Z')
  })

  it('is 13:00 on an early close', () => {
    expect(expiry('SPY', '2026-11-27')).toBe('2026-11-27T18:00:00.000Z')
    expect(expiry('SPY', '2026-12-24')).toBe('2026-12-24T18:00:00.000Z')
    expect(expiry('SPXW', '2027-11-26', 'America/New_York', 'SPX')).toBe('2027-11-26T18:00:00.000Z')
  })

  it('counts an expiry dated on a day without a session to the session before', () => {
    expect(expiry('IBM', '2014-06-21')).toBe('2014-06-20T20:00:00.000Z')
    expect(expiry('IWM', '2026-06-19')).toBe('2026-06-18T20:00:00.000Z')
  })

  it('is 15:30 in Kolkata for NSE and 08:00 UTC for Deribit, weekends included', () => {
    expect(expiry('NIFTY', '2026-08-18', 'Asia/Kolkata')).toBe('2026-08-18T10:00:00.000Z')
    expect(expiry('BTC', '2026-03-28', 'UTC')).toBe('2026-03-28T08:00:00.000Z')
  })
})
