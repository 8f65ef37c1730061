import { describe, expect, it } from 'vitest'
import { parseDay } from '../../../shared/calendar/days.ts'
import type { Market } from '../../../shared/calendar/session-calendar.ts'
import { renderDay, viewDay } from './day.ts'
import { renderReport } from './render.ts'
import { checkCalendars } from './report.ts'

const day = (date: string) => parseDay(date) ?? NaN

const check = (today: string, inUse: readonly Market[], year: number | null = null) =>
  checkCalendars({ today: day(today), shown: ['us', 'nse', 'deribit'], inUse, year })

describe('calendar check', () => {
  it('is content as long as the next 30 days are known', () => {
    expect(check('2026-12-01', ['us', 'nse', 'deribit'])).toMatchObject({
      ok: true,
      horizon: '2026-12-31',
      warnings: [],
    })
    expect(check('2028-12-01', ['us']).ok).toBe(true)
  })

  it('fails from 30 days before a market in use runs out, and says what to do', () => {
    const report = check('2026-12-02', ['nse'])
    expect(report.ok).toBe(false)
    expect(report.warnings).toHaveLength(1)
    expect(report.warnings[0]).toMatchObject({ market: 'nse', inUse: true })
    expect(report.warnings[0]?.message).toContain('2027, in 30 days, is unpublished')
    expect(report.warnings[0]?.message).toContain('docs/calendar.md')
    expect(check('2028-12-02', ['us']).ok).toBe(false)
    expect(check('2029-06-01', ['us']).warnings[0]?.message).toMatch(/^2029 is unpublished/)
  })

  it('only notes it for a market that is not in use', () => {
    const report = check('2026-12-02', ['us'])
    expect(report.ok).toBe(true)
    expect(report.warnings).toMatchObject([{ market: 'nse', inUse: false }])
  })

  it('warns of a session announced without hours before it comes, not after', () => {
    expect(check('2026-11-01', ['nse'])).toMatchObject({ ok: false, warnings: [{ market: 'nse', inUse: true }] })
    expect(check('2026-11-01', ['nse']).warnings[0]?.message).toContain('2026-11-08, Muhurat')
    expect(check('2026-11-09', ['nse']).ok).toBe(true)
  })

  it('never fails for a venue that is always open', () => {
    expect(check('2199-12-31', ['deribit']).ok).toBe(true)
  })

  it('counts the days of each year with a source, and none of an unpublished one', () => {
    const { markets } = check('2026-11-22', ['us'])
    const years = (market: Market) => markets.find((each) => each.market === market)?.years ?? []
    expect(years('us').map(({ year }) => year)).toEqual(Array.from({ length: 22 }, (_, i) => 2007 + i))
    expect(years('us').find(({ year }) => year === 2025)).toMatchObject({ sessions: 250, closed: 11, earlyCloses: 3 })
    expect(years('nse').find(({ year }) => year === 2024)).toMatchObject({
      sessions: 249,
      closed: 16,
      specialSessions: 4,
    })
    expect(years('nse').at(-1)).toMatchObject({ year: 2027, coverage: 'unpublished', sessions: null, source: null })
    expect(years('deribit')).toMatchObject([{ year: 2026, coverage: 'by_rule', sessions: 365 }])
  })

  it('lists each unusual day of one year', () => {
    const { markets } = check('2026-11-22', ['us'], 2026)
    const [us, nse] = markets
    expect(us?.years[0]?.days.filter(({ kind }) => kind === 'early_close')).toEqual([
      { date: '2026-11-27', kind: 'early_close', hours: '09:30-13:00', reason: 'Day after Thanksgiving' },
      { date: '2026-12-24', kind: 'early_close', hours: '09:30-13:00', reason: 'Christmas Eve' },
    ])
    expect(nse?.years[0]?.days.filter(({ kind }) => kind === 'special' || kind === 'without_hours')).toMatchObject([
      { date: '2026-02-01', hours: '09:15-15:30' },
      { date: '2026-11-08', hours: null },
    ])
  })
})

describe('the report on a terminal', () => {
  it('has a line a year, its unusual days when asked, and a verdict', () => {
    const report = checkCalendars({ today: day('2026-12-02'), shown: ['us', 'nse'], inUse: ['nse'], year: 2027 })
    const text = renderReport(report, true)
    expect(text).toMatch(/^us {6}2027 {2}published {9}251 {6}10 {6}1 {8}0 {2}NYSE Group/m)
    expect(text).toMatch(/^nse {5}2027 {2}unpublished +\? +\? +\? +\? +none$/m)
    expect(text).toContain('  2027-11-26 Fri  early close    09:30-13:00  Day after Thanksgiving')
    expect(text).toContain('WARNING: nse: 2027, in 30 days, is unpublished')
    expect(text).toContain('nse 2027: no holidays or special sessions are known')
    expect(text).not.toContain('ok:')
    expect(renderReport(check('2026-11-22', ['us']), false)).toContain(
      'ok: every market in use is known until 2026-12-22',
    )
  })
})

describe('calendar show', () => {
  it('tells the session of a day and the expiries dated on it', () => {
    expect(viewDay('us', day('2026-11-27'))).toEqual({
      date: '2026-11-27',
      market: 'us',
      coverage: 'published',
      session: 'early_close',
      reason: 'Day after Thanksgiving',
      hours: '09:30-13:00 America/New_York',
      openAt: '2026-11-27T14:30:00.000Z',
      closeAt: '2026-11-27T18:00:00.000Z',
      expiries: {
        'PM-settled (stocks, ETFs, SPXW)': '2026-11-27T18:00:00.000Z',
        'AM-settled (SPX, NDX, RUT, VIX)': '2026-11-27T14:30:00.000Z',
      },
    })
  })

  it('says why there is no session', () => {
    expect(renderDay(viewDay('us', day('2025-01-09')))).toContain('none: National day of mourning for Jimmy Carter')
    expect(renderDay(viewDay('us', day('2026-06-20')))).toContain('none: weekend')
    expect(renderDay(viewDay('nse', day('2027-06-01')))).toContain('2027-06-01 nse (unpublished)')
    expect(renderDay(viewDay('deribit', day('2026-06-20')))).toContain('00:00-24:00 UTC')
  })
})
