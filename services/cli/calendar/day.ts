import { formatDay } from '../../../shared/calendar/days.ts'
import { expiryInstantS } from '../../../shared/calendar/expiry.ts'
import { coverageOn, type Market } from '../../../shared/calendar/session-calendar.ts'
import { calendarOfMarket } from '../../../shared/calendar/sessions.ts'
import { hoursOf } from './report.ts'

/** What a market does on one day, and when contracts dated that day expire. */
export interface DayView {
  readonly date: string
  readonly market: Market
  readonly coverage: string
  /** `regular`, `early_close`, `special` or `none`. */
  readonly session: string
  readonly reason: string | null
  /** Wall clock of the market. */
  readonly hours: string | null
  readonly openAt: string | null
  readonly closeAt: string | null
  /** Contracts dated this day, by what decides: UTC instants. */
  readonly expiries: Readonly<Record<string, string>>
}

/** One root for each way of settling that a market has. */
const settlings: Readonly<Record<Market, Readonly<Record<string, string>>>> = {
  us: { 'PM-settled (stocks, ETFs, SPXW)': 'SPXW', 'AM-settled (SPX, NDX, RUT, VIX)': 'SPX' },
  nse: { all: 'NIFTY' },
  deribit: { all: 'BTC' },
}

export function viewDay(market: Market, day: number): DayView {
  const calendar = calendarOfMarket[market]
  const { zone } = calendar
  const session = calendar.sessionOn(day)
  const expiries = Object.entries(settlings[market]).map(([name, root]) => [
    name,
    new Date(expiryInstantS({ root, underlying: root, expiryDay: day, zone }) * 1000).toISOString(),
  ])
  return {
    date: formatDay(day),
    market,
    coverage: coverageOn(calendar, day),
    session: session?.kind ?? 'none',
    reason: session === null ? (calendar.closureOn(day) ?? 'weekend') : session.reason,
    hours: session && `${hoursOf(zone, session)} ${zone}`,
    openAt: session && new Date(session.openMs).toISOString(),
    closeAt: session && new Date(session.closeMs).toISOString(),
    expiries: Object.fromEntries(expiries) as Readonly<Record<string, string>>,
  }
}

export function renderDay(view: DayView): string {
  const session = view.session.replaceAll('_', ' ')
  const lines = [
    `${view.date} ${view.market} (${view.coverage.replaceAll('_', ' ')})`,
    `  session  ${session}${view.reason === null ? '' : `: ${view.reason}`}`,
    ...(view.hours === null ? [] : [`  hours    ${view.hours} = ${view.openAt} to ${view.closeAt}`]),
    ...Object.entries(view.expiries).map(([name, at]) => `  expiry   ${at}  ${name}`),
  ]
  return lines.join('\n')
}
