import { parseDay, weekdayOf } from '../../../shared/calendar/days.ts'
import type { CalendarReport, DayReport, YearReport } from './report.ts'

const coverageNames = { published: 'published', by_rule: 'by rule', unpublished: 'unpublished' } as const
const kindNames = {
  closed: 'closed',
  early_close: 'early close',
  special: 'special',
  without_hours: 'hours unknown',
} as const
const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const

/** The report for a terminal. `withDays` lists each day that differs from an ordinary one. */
export function renderReport(report: CalendarReport, withDays: boolean): string {
  const rows = report.markets.flatMap(({ market, years }) => years.map((year) => tableRow(market, year)))
  const head = ['market', 'year', 'known', 'sessions', 'closed', 'early', 'special', 'source']
  const days = withDays ? report.markets.flatMap(({ market, years }) => years.map((year) => dayList(market, year))) : []
  return [table([head, ...rows]), ...days, verdict(report)].join('\n\n')
}

function tableRow(market: string, year: YearReport): readonly string[] {
  const figures = [year.sessions, year.closed, year.earlyCloses, year.specialSessions]
  return [
    market,
    String(year.year),
    coverageNames[year.coverage],
    ...figures.map((figure) => (year.coverage === 'unpublished' ? '?' : String(figure))),
    year.source ?? 'none',
  ]
}

const leftAligned = new Set([0, 2, 7])

/** Columns as wide as they need; the last one runs on. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, k) => Math.max(...rows.map((row) => (row[k] ?? '').length)))
  return rows
    .map((row) =>
      row
        .map((cell, k) => (leftAligned.has(k) ? cell.padEnd(widths[k] ?? 0) : cell.padStart(widths[k] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function dayList(market: string, { year, coverage, days }: YearReport): string {
  if (coverage === 'unpublished') return `${market} ${year}: no holidays or special sessions are known`
  if (days.length === 0) return `${market} ${year}: every day is an ordinary one`
  return [`${market} ${year}`, ...days.map(dayLine)].join('\n')
}

function dayLine({ date, kind, hours, reason }: DayReport): string {
  const weekday = weekdays[weekdayOf(parseDay(date) ?? NaN)] ?? ''
  return `  ${date} ${weekday}  ${kindNames[kind].padEnd(13)}  ${(hours ?? '').padEnd(11)}  ${reason}`
}

function verdict({ ok, horizon, warnings }: CalendarReport): string {
  const lines = warnings.map(({ market, inUse, message }) => `${inUse ? 'WARNING' : 'note'}: ${market}: ${message}`)
  if (ok) lines.push(`ok: every market in use is known until ${horizon}`)
  return lines.join('\n')
}
