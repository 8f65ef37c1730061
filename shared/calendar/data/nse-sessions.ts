import type { SpecialSession } from './facts.ts'

const muhurat = (date: string, open: string | null, close: string | null, source: string): SpecialSession => ({
  date,
  open,
  close,
  settles: false,
  reason: 'Muhurat trading (Diwali Laxmi Pujan)',
  source,
})

const test = (date: string, open: string, close: string, reason: string, source: string): SpecialSession => ({
  date,
  open,
  close,
  settles: false,
  reason,
  source,
})

const fullDay = (date: string, reason: string, source: string): SpecialSession => ({
  date,
  open: '09:15',
  close: '15:30',
  settles: true,
  reason,
  source,
})

const pmc = 'pandas_market_calendars (NSE)'

/** Sessions of the F&O segment at other hours or on days off. Hours of two parts run from the first open to the last close. */
export const nseSpecialSessions: readonly SpecialSession[] = [
  muhurat('2011-10-26', '16:45', '18:00', pmc),
  test('2012-04-28', '11:15', '12:45', 'Live test of new F&O systems', 'NSE circular 032/2012 (capital market hours)'),
  muhurat('2012-11-13', '15:45', '17:00', pmc),
  muhurat('2013-11-03', null, null, 'exchange_calendars (XBOM); hours not at hand'),
  test('2014-03-22', '11:15', '12:45', 'Live test of standby sites', 'BSE and NSE announcement of March 2014'),
  muhurat('2014-10-23', '18:30', '19:30', pmc),
  fullDay('2015-02-28', 'Union Budget', 'NSE/FAOP/28940'),
  muhurat('2015-11-11', '17:45', '18:45', pmc),
  muhurat('2016-10-30', '18:30', '19:30', 'NSE circular as printed by Zerodha, 2016-10-27'),
  muhurat('2017-10-19', '18:30', '19:30', pmc),
  muhurat('2018-11-07', '17:30', '18:30', `${pmc}; broker notice of the day`),
  muhurat('2019-10-27', '18:15', '19:15', 'NSE hours as printed by brokers, October 2019'),
  fullDay('2020-02-01', 'Union Budget', 'BSE circular of 2020-01-21; PTI of 2024-12-23 for NSE'),
  muhurat('2020-11-14', '18:15', '19:15', 'NSE hours as printed by NDTV, 2020-11-14'),
  {
    date: '2021-02-24',
    open: '09:15',
    close: '17:00',
    settles: true,
    reason: 'Outage 11:40-15:45, extended to 17:00',
    source: 'NSE notification of the day; SEBI statement',
  },
  muhurat('2021-11-04', '18:15', '19:15', `${pmc}; Free Press Journal, 2021-11-04`),
  muhurat('2022-10-24', '18:15', '19:15', `${pmc}; Mint, 2022-10-24`),
  muhurat('2023-11-12', '18:15', '19:15', 'NSE hours as printed by Zerodha and Business Standard, November 2023'),
  fullDay('2024-01-20', 'Saturday in place of Monday 2024-01-22', 'NSE announcement of 2024-01-19, NDTV Profit'),
  test('2024-03-02', '09:15', '12:30', 'Switch to the disaster recovery site', 'NSE circular of 2024-02-14'),
  test('2024-05-18', '09:15', '12:30', 'Switch to the disaster recovery site', 'NSE circular of 2024-05-07'),
  muhurat('2024-11-01', '18:00', '19:00', `${pmc}; NDTV Profit, 2024-10-20`),
  fullDay('2025-02-01', 'Union Budget', 'NSE circular of 2024-12-23'),
  muhurat('2025-10-21', '13:45', '14:45', 'NSE circular of 2025-09-22'),
  fullDay('2026-02-01', 'Union Budget', 'NSE/FAOP/72352'),
  muhurat('2026-11-08', null, null, 'NSE/FAOP/71777; hours announced later, not at hand'),
]
