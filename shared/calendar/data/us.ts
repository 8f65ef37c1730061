import type { DatedFact, YearSource } from './facts.ts'

/** Days on which the US markets did not open though their rules say so, since 2007. */
export const usUnscheduledClosures: readonly DatedFact[] = [
  {
    date: '2007-01-02',
    reason: 'National day of mourning for Gerald R. Ford',
    source: 'NYSE, special closings since 1885',
  },
  { date: '2012-10-29', reason: 'Hurricane Sandy', source: 'NYSE Euronext, announcement of 2012-10-28' },
  { date: '2012-10-30', reason: 'Hurricane Sandy', source: 'NYSE Euronext, announcement of 2012-10-29' },
  {
    date: '2018-12-05',
    reason: 'National day of mourning for George H. W. Bush',
    source: 'OCC information memo 44124; Cboe notice C2018120300',
  },
  {
    date: '2025-01-09',
    reason: 'National day of mourning for Jimmy Carter',
    source: 'Cboe Global Markets, press release of 2024-12-30',
  },
]

/** Options that were not settled at the session before when their day fell away. */
export interface MovedSettlement extends DatedFact {
  readonly roots: readonly string[]
  /** The day whose opening settled them. */
  readonly settledOn: string
}

export const usMovedSettlements: readonly MovedSettlement[] = [
  {
    date: '2018-12-05',
    roots: ['VIX', 'VIXW'],
    settledOn: '2018-12-06',
    reason: 'Special opening quotation held on Thursday instead of Wednesday',
    source: 'Cboe notice C2018120300',
  },
]

const group = (list: string, date: string): string => `NYSE Group, ${list} Holiday and Early Closings Calendar, ${date}`

const crossChecked = 'NYSE Rule 7.2, as in pandas_market_calendars (NYSE); the exchange’s own list is not at hand'

/** Every published year was compared with the list named, holidays and early closes, day by day. */
export const usYears: readonly YearSource[] = [
  { year: 2007, coverage: 'by_rule', source: crossChecked },
  { year: 2008, coverage: 'by_rule', source: crossChecked },
  { year: 2009, coverage: 'by_rule', source: crossChecked },
  { year: 2010, coverage: 'by_rule', source: crossChecked },
  { year: 2011, coverage: 'published', source: 'NYSE, Holidays 2011-2013 (early closes by rule)' },
  { year: 2012, coverage: 'published', source: 'NYSE, Holidays 2011-2013' },
  { year: 2013, coverage: 'published', source: 'NYSE, Holidays 2011-2013 (early closes by rule)' },
  { year: 2014, coverage: 'published', source: 'NYSE, Holidays 2014-2016' },
  { year: 2015, coverage: 'published', source: 'NYSE, Holidays 2014-2016' },
  { year: 2016, coverage: 'published', source: 'NYSE, Holidays 2014-2016' },
  { year: 2017, coverage: 'published', source: 'NYSE, Holidays 2016-2017' },
  { year: 2018, coverage: 'published', source: 'NYSE, Holidays 2018-2020' },
  { year: 2019, coverage: 'published', source: 'NYSE, Holidays 2018-2020' },
  { year: 2020, coverage: 'published', source: group('2020, 2021 and 2022', '2019-12-09') },
  { year: 2021, coverage: 'published', source: group('2021, 2022 and 2023', '2020-12-28') },
  { year: 2022, coverage: 'published', source: group('2022, 2023 and 2024', '2021-12-27') },
  { year: 2023, coverage: 'published', source: group('2022, 2023 and 2024', '2021-12-27') },
  { year: 2024, coverage: 'published', source: group('2022, 2023 and 2024', '2021-12-27') },
  { year: 2025, coverage: 'published', source: group('2025, 2026 and 2027', '2024-11-08') },
  { year: 2026, coverage: 'published', source: group('2026, 2027 and 2028', '2025-12-23') },
  { year: 2027, coverage: 'published', source: group('2026, 2027 and 2028', '2025-12-23') },
  { year: 2028, coverage: 'published', source: group('2026, 2027 and 2028', '2025-12-23') },
]
