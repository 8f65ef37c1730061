import type { Command } from 'commander'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import { replayExit } from '../../../shared/model/replay.ts'
import type { Env } from '../../../shared/runtime/config.ts'
import { openStore, type Store } from '../../../shared/store/connect.ts'
import { storeAccount } from '../accounts.ts'
import { instant, wholeNumber } from '../arguments.ts'
import { openBus } from '../open-bus.ts'
import { progressText, sparsely } from '../progress.ts'
import { findRunningStack, type RunningStack, whereToLook } from '../running-stack.ts'
import { audit, type AuditReport, lacking } from '../verify/audit.ts'
import { renderAudit, renderRepair, restoreCommand } from '../verify/render.ts'
import { repair, type Repaired } from '../verify/repair.ts'

interface VerifyOptions {
  readonly commits?: true
  readonly from?: number
  readonly to?: number
  readonly repair?: true
  readonly patience: string
  readonly data: string
  readonly json?: true
}

const help = `
A commit row says that a snapshot is stored, and how many rows it has in each table. A restored backup or a power cut can leave commit
rows without their rows. Starting processors compare the last 15 minutes by themselves; this compares any range. What it finds:

  missing, torn    rows that a commit row promises are not there, or not all
  extra            more rows than promised, and FINAL shows them: an owner died before its commit row, and the next one computed less
  doubled          rows written twice; merges take them away, and FINAL shows them once: told, but nothing is wrong
  chain broken     commit rows are lost, the first ones perhaps: the owner reads on from there when it starts again
  no commit row    rows of a snapshot that no commit row calls stored, older than a minute: left by an owner that died, or the commit
                   rows are lost

--repair publishes the messages of missing and torn rows again; the running processors recognise them and write what is missing,
from the state it was computed from. No alert is sent again. Messages that are no longer in the stream have to come from the archive: the
command to type is shown.

Asks the stack that runs on --data, else the servers of CLICKHOUSE_* and NATS_*.

Exit codes: 0 nothing is wrong (any more), 1 something is, 2 wrong use, or nothing is stored in the range, 5 it could not be carried out:
a server is away.

Examples:
  npx strikeflow verify --commits
  npx strikeflow verify --commits --from 2026-06-22 --to 2026-06-23T12:00:00Z
  npx strikeflow verify --commits --repair
  npx strikeflow verify --commits --json | jq '.damaged[] | .underlying'`

/** `strikeflow verify --commits`: whether the tables hold what the commit rows promise. */
export function registerVerify(program: Command, environment: Env): void {
  program
    .command('verify')
    .description('compares the commit rows with the tables, and has lost rows written again')
    .option('--commits', 'commit rows against tables')
    .option('--from <time>', 'commit rows stored from this time on (default: the first)', instant)
    .option('--to <time>', 'and before this one (default: now)', instant)
    .option('--repair', 'has the running processors write missing rows again')
    .option(
      '--patience <seconds>',
      'with --repair: gives up when nothing was written for so long',
      wholeNumber(1, 3600),
      '30',
    )
    .option('--data <directory>', 'data directory of the running stack', 'data')
    .option('--json', 'as one JSON object')
    .addHelpText('after', help)
    .action(async (options: VerifyOptions, command: Command) => {
      if (options.commits !== true) command.error('error: say what to verify: --commits')
      const { from = 0, to = Date.now() } = options
      if (from >= to) command.error('error: --from is not before --to')
      process.exitCode = await verify(options, { fromMs: from, toMs: to }, environment).then(
        (isOk) => (isOk ? replayExit.same : replayExit.differs),
        (error: unknown) => failed(error, options.data, environment),
      )
    })
}

/** Not the exit code of a finding: nothing is known. */
async function failed(error: unknown, dataDirectory: string, environment: Env): Promise<number> {
  if (error instanceof StrikeflowError && error.code === 'config') throw error
  console.error(`strikeflow: ${(error as Error).message}`)
  const advice = await whereToLook(dataDirectory, environment)
  if (advice !== null) console.error(advice)
  return replayExit.failed
}

async function verify(
  options: VerifyOptions,
  range: { readonly fromMs: number; readonly toMs: number },
  environment: Env,
): Promise<boolean> {
  const stack = await findRunningStack(options.data)
  await using store = openTables(stack, environment)
  const before = await auditShown(store, range)
  if (before.from === null) throw new StrikeflowError('config', nothingThere(store, options))
  const say = (text: string): void => (options.json === true ? undefined : console.log(text))
  say(renderAudit(before))
  if (options.repair !== true || lacking(before.damaged).length === 0) return told(before, null, options)
  await using bus = await openBus({ stack }, environment, { name: 'verify', role: 'services' })
  const show = sparsely((text) => console.error(text))
  const startedMs = performance.now()
  const repaired = await repair(before.damaged, {
    bus,
    query: store.query,
    patienceMs: 1000 * Number(options.patience),
    onProgress: (done, total) => {
      const seconds = (performance.now() - startedMs) / 1000
      show(() => progressText('repaired', { done, total, unit: 'snapshots', seconds }))
    },
  })
  say(renderRepair(repaired))
  const after = await auditShown(store, range)
  say(renderAudit(after))
  return told(after, repaired, options)
}

/** Of nothing it cannot be said that nothing is wrong: of a wrong database, a wrong range, or one that has lost everything. */
function nothingThere({ database }: Store, { from, to }: VerifyOptions): string {
  const empty = `${database} has no rows and no commit rows: nothing was compared`
  if (from === undefined && to === undefined) return empty
  return `${empty}. --from and --to say when rows were stored, whatever the time of their market`
}

function told(report: AuditReport, repaired: Repaired | null, { json }: VerifyOptions): boolean {
  const restore = repaired === null || repaired.gone.length === 0 ? {} : { restore: restoreCommand(repaired.gone) }
  if (json === true)
    console.log(JSON.stringify({ ...report, ...(repaired === null ? {} : { repair: repaired }), ...restore }))
  return report.ok
}

function auditShown({ query }: Store, range: { readonly fromMs: number; readonly toMs: number }): Promise<AuditReport> {
  const show = sparsely((text) => console.error(text))
  const startedMs = performance.now()
  return audit(query, {
    ...range,
    onProgress: (doneMs, totalMs) => {
      const [unit, unitMs] = totalMs < 2 * 86_400_000 ? ['minutes', 60_000] : ['days', 86_400_000]
      const [done, total, seconds] = [doneMs / unitMs, totalMs / unitMs, (performance.now() - startedMs) / 1000]
      show(() => progressText('compared', { done, total, unit, seconds }))
    },
  })
}

/** A day of a large market takes a slow server longer than a service would wait. */
const requestTimeoutMs = 600_000

function openTables(stack: RunningStack | null, environment: Env): Store {
  // Not as the reader, whose queries end after a minute.
  return openStore({ ...storeAccount(stack, 'services', environment), requestTimeoutMs })
}
