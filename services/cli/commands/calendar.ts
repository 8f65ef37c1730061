import { type Command, InvalidArgumentError } from 'commander'
import { parseDay } from '../../../shared/calendar/days.ts'
import { type Market, markets } from '../../../shared/calendar/session-calendar.ts'
import { wholeNumber } from '../arguments.ts'
import { renderDay, viewDay } from '../calendar/day.ts'
import { renderReport } from '../calendar/render.ts'
import { checkCalendars } from '../calendar/report.ts'

interface CheckFlags {
  readonly market?: readonly Market[]
  readonly year?: string
  readonly today?: string
  readonly json?: true
}

interface ShowFlags {
  readonly market?: readonly Market[]
  readonly json?: true
}

/** The market of every provider there is today. */
const defaultInUse: readonly Market[] = ['us']

const checkHelp = `
Markets: us (US equity and index options), nse (NSE India, F&O), deribit (open at all hours).

A year is known in one of three ways:
  published    from the exchange's own list
  by rule      from its rules, for lack of the list
  unpublished  not at all: its sessions are a guess. What rests on them is flagged, nothing is counted as missing.

Exit code 1 when this year or the next 30 days are unpublished for a market in use: those named by --market, else us.
What to do then: docs/calendar.md, "A new year".

Examples:
  npx strikeflow calendar check
  npx strikeflow calendar check --market us,nse --year 2026
  npx strikeflow calendar check --json | jq '.markets[].years[] | select(.coverage == "unpublished")'`

const showHelp = `
Example: npx strikeflow calendar show 2026-11-27`

/** `strikeflow calendar`: how far the sessions of each market are known, and those of a day. */
export function registerCalendar(program: Command): void {
  const calendar = program
    .command('calendar')
    .description('trading sessions and expiries: what is known, and from where')
  calendar
    .command('check')
    .description('shows the years each market is known for, with sources, and fails when they run out')
    .option('--market <list>', 'only these, and answer for them: us,nse,deribit', marketList)
    .option('--year <year>', 'only this year, with each holiday and special session', wholeNumber(1970, 2200))
    .option('--today <date>', 'as if today were this day, YYYY-MM-DD', dateText)
    .option('--json', 'as one JSON object')
    .addHelpText('after', checkHelp)
    .action((flags: CheckFlags) => {
      const report = checkCalendars({
        today: dayOfText(flags.today) ?? Math.floor(Date.now() / 86_400_000),
        shown: flags.market ?? markets,
        inUse: flags.market ?? defaultInUse,
        year: flags.year === undefined ? null : Number(flags.year),
      })
      console.log(
        flags.json === true ? JSON.stringify(report, null, 2) : renderReport(report, flags.year !== undefined),
      )
      process.exitCode = report.ok ? 0 : 1
    })
  calendar
    .command('show')
    .description('shows the session of a day and when contracts dated that day expire')
    .argument('<date>', 'YYYY-MM-DD, in the zone of the market', dateText)
    .option('--market <list>', 'only these: us,nse,deribit', marketList)
    .option('--json', 'as one JSON array')
    .addHelpText('after', showHelp)
    .action((date: string, flags: ShowFlags) => {
      const views = (flags.market ?? markets).map((market) => viewDay(market, dayOfText(date) ?? NaN))
      console.log(flags.json === true ? JSON.stringify(views, null, 2) : views.map(renderDay).join('\n\n'))
    })
}

function marketList(text: string): readonly Market[] {
  const names = text.split(',').map((name) => name.trim())
  const wrong = names.find((name) => !isMarket(name))
  if (wrong !== undefined)
    throw new InvalidArgumentError(`There is no market "${wrong}"; there are: ${markets.join(', ')}.`)
  return markets.filter((market) => names.includes(market))
}

const isMarket = (text: string): text is Market => (markets as readonly string[]).includes(text)

function dateText(text: string): string {
  if (parseDay(text) === null) throw new InvalidArgumentError('Expected a date such as 2026-11-27.')
  return text
}

const dayOfText = (text: string | undefined): number | null => (text === undefined ? null : parseDay(text))
