import { type Command, InvalidArgumentError } from 'commander'
import { parseDay } from '../../../shared/calendar/days.ts'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import type { Env } from '../../../shared/runtime/config.ts'
import { openStore, type Store, StoreError } from '../../../shared/store/connect.ts'
import {
  completenessOfSession,
  type GapFilter,
  newestSession,
  oddSlots,
  publisherNumbers,
} from '../../../shared/store/queries/gaps.ts'
import { storeAccount } from '../accounts.ts'
import { completeness, type GapReport, isAtFloor, renderGaps } from '../gaps/render.ts'
import { runsOf } from '../gaps/runs.ts'
import { findRunningStack, whereToLook } from '../running-stack.ts'

interface GapsOptions {
  readonly session?: string
  readonly provider?: string
  readonly underlying?: string
  readonly floor: string
  readonly data: string
  readonly json?: true
}

const help = `
Each slot, an expected (underlying, interval) of a session, is delivered, unchanged (fetched, and the provider had nothing new), late,
or missing with a reason. Reasons and what to do: docs/gaps.md.

Asks the stack that runs on --data, else the server of CLICKHOUSE_*.

Exit codes: 0 every underlying is at the floor or above, 1 one is below or has nothing but pending slots, or the ledger knows of no slot,
2 wrong use, 5 it could not be carried out: the server is away.

Examples:
  npx strikeflow gaps
  npx strikeflow gaps --session 2026-11-27 --underlying SPY
  npx strikeflow gaps --floor 0.99 --json | jq '.runs[] | select(.reason == "collector_down")'`

/** More odd slots than a day of a large universe has are of no use on a terminal. */
const maxOddSlots = 1_000_000

/** `strikeflow gaps`: how complete a session is, and why not. */
export function registerGaps(program: Command, environment: Env): void {
  program
    .command('gaps')
    .description('shows how complete a session is, and each gap with its reason')
    .option('--session <date>', 'trading date, YYYY-MM-DD (default: the newest of the ledger)', dateText)
    .option('--provider <name>', 'only this provider')
    .option('--underlying <ticker>', 'only this underlying')
    .option('--floor <share>', 'least completeness that is fine, 0 to 1', share, '1')
    .option('--data <directory>', 'data directory of the running stack', 'data')
    .option('--json', 'as one JSON object')
    .addHelpText('after', help)
    .action(async (options: GapsOptions) => {
      try {
        await using store = await openLedger(options.data, environment)
        const report = await readReport(store, options)
        console.log(options.json === true ? JSON.stringify(report, null, 2) : renderGaps(report))
        process.exitCode = report.ok ? 0 : 1
      } catch (error) {
        // Not the exit code of a gap: nothing is known.
        if (!(error instanceof StoreError)) throw error
        console.error(`strikeflow: ${error.message}`)
        const advice = await whereToLook(options.data, environment)
        if (advice !== null) console.error(advice)
        process.exitCode = 5
      }
    })
}

async function openLedger(dataDirectory: string, environment: Env): Promise<Store> {
  return openStore(storeAccount(await findRunningStack(dataDirectory), 'reader', environment))
}

async function readReport({ query }: Store, options: GapsOptions): Promise<GapReport> {
  const provider = options.provider ?? null
  const session = options.session ?? (await newestSession(query, provider))
  const whose = [options.provider, options.underlying].filter((name) => name !== undefined).join(' ')
  const none = (when: string): StrikeflowError =>
    new StrikeflowError('store', `The ledger knows of no slot ${whose === '' ? '' : `of ${whose} `}${when}`)
  if (session === null) throw none('yet')
  const filter: GapFilter = { session, provider, underlying: options.underlying ?? null }
  const rows = await completenessOfSession(query, filter)
  if (rows.length === 0) throw none(`in the session ${session}`)
  const floor = Number(options.floor)
  const underlyings = rows.map((row) => ({ ...row, completeness: completeness(row) }))
  return {
    session,
    floor,
    underlyings,
    runs: runsOf(await oddSlots(query, filter, maxOddSlots)),
    publishers: (await publisherNumbers(query)).map((numbers) => ({
      ...numbers,
      unaccounted: Math.max(0, numbers.acked - numbers.duplicates - numbers.committed),
    })),
    ok: underlyings.every((row) => isAtFloor(row, floor)),
  }
}

function share(text: string): string {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('Expected a number from 0 to 1.')
  return text
}

function dateText(text: string): string {
  if (parseDay(text) === null) throw new InvalidArgumentError('Expected a date such as 2026-11-27.')
  return text
}
