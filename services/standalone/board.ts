import { printable } from '../../shared/model/printable.ts'
import type { SessionTotals } from '../../shared/store/queries/gaps.ts'
import type { ChildService } from './child-service.ts'

/** What the board shows of the stored data, read once a second. */
export interface BoardFigures {
  readonly snapshots: number
  readonly contracts: number
  readonly alerts: number
  readonly contractsPerSecond: number
  readonly latestMarketTime: string | null
  readonly latestAlerts: readonly string[]
  /** Chains refused since the collector started; null when unknown. */
  readonly refused: number | null
  /** What the archiver says; null when there is none, or it cannot be asked. */
  readonly archive: ArchiveFigures | null
  /** What became of the slots of the newest session; null before the ledger knows of any. */
  readonly slots: SessionTotals | null
}

export interface ArchiveFigures {
  /** `ok`, or why nothing is written. */
  readonly state: string
  readonly filesWritten: number
  readonly bytesWritten: number
  /** Messages of CHAINS that are in no file yet. */
  readonly behind: number | null
}

export interface BoardAddresses {
  readonly api: string | null
  readonly clickhouse: string
  readonly nats: string
  readonly data: string
  /** A file for `curl -K`: the reader's name and password. */
  readonly curlFile: string
}

export interface BoardDisk {
  readonly freeGib: number
  readonly state: 'ok' | 'low' | 'full'
  /** Of the services' logs, because the disk was full. */
  readonly missingLogLines: number
}

export interface BoardState {
  readonly upSeconds: number
  /** Since the figures were read. */
  readonly silentSeconds: number
  readonly disk: BoardDisk
}

export interface BoardService extends Pick<ChildService, 'state' | 'restarts' | 'lastEnd' | 'pid'> {
  readonly spec: { readonly name: string }
}

/** Renders the whole board as lines of text. Pure, so that it can be tested and piped. */
export function renderBoard(
  services: readonly BoardService[],
  figures: BoardFigures | null,
  addresses: BoardAddresses,
  { upSeconds, silentSeconds, disk }: BoardState,
): readonly string[] {
  const lines = [`strikeflow  up ${duration(upSeconds)}`, '']
  for (const { spec, state, restarts, lastEnd, pid } of services) {
    const again = restarts > 0 ? `  restarts ${restarts}${lastEnd === null ? '' : ` (${lastEnd})`}` : ''
    lines.push(`  ${spec.name.padEnd(11)} ${state.padEnd(10)} ${pid === null ? '' : `pid ${pid}`}${again}`)
  }
  lines.push('', ...diskLines(disk))
  if (figures === null) lines.push('  waiting for the first figures')
  else lines.push(...figureLines(figures))
  if (figures !== null && silentSeconds > 5)
    lines.push(`  ClickHouse has not answered for ${Math.round(silentSeconds)} s; these figures are as old`)
  lines.push(
    '',
    ...addressLines(addresses),
    '',
    'Ctrl-C stops everything; the next start goes on from the data directory',
  )
  return lines
}

const diskWords: Readonly<Record<BoardDisk['state'], string>> = {
  ok: '',
  low: '  LOW: free some space, or writes will stop when it is full',
  full: '  FULL: nothing new is stored; free some space, and it goes on by itself',
}

function diskLines({ freeGib, state, missingLogLines }: BoardDisk): readonly string[] {
  const free = `  disk        ${freeGib.toFixed(1)} GiB free${diskWords[state]}`
  return missingLogLines === 0 ? [free] : [free, `  logs        ${count(missingLogLines)} lines could not be written`]
}

function figureLines(figures: BoardFigures): readonly string[] {
  const { snapshots, contracts, alerts, contractsPerSecond, latestMarketTime } = figures
  const lines = [
    `  stored      ${count(snapshots)} snapshots, ${count(contracts)} contracts, ${count(alerts)} alerts`,
    `  rate        ${count(Math.round(contractsPerSecond))} contracts/s`,
    `  market time ${latestMarketTime ?? 'none yet'}`,
  ]
  if (figures.archive !== null) lines.push(archiveLine(figures.archive))
  if (figures.refused !== null && figures.refused > 0) {
    lines.push(`  refused     ${count(figures.refused)} chains since the collector started (why: logs/collector.log)`)
  }
  if (figures.slots !== null && figures.slots.expected > 0) lines.push(`  slots       ${slotsText(figures.slots)}`)
  if (figures.latestAlerts.length > 0)
    lines.push('', '  latest alerts', ...figures.latestAlerts.map((text) => `    ${text}`))
  return lines
}

function archiveLine({ state, filesWritten, bytesWritten, behind }: ArchiveFigures): string {
  const waiting = behind === null ? '' : `, ${count(behind)} messages not in a file yet`
  const problem = state === 'ok' ? '' : `  NOT WRITING: ${state}`
  return `  archive     ${count(filesWritten)} files, ${(bytesWritten / 1e6).toFixed(1)} MB since the start${waiting}${problem}`
}

function slotsText({ session, expected, missing, missingByReason }: SessionTotals): string {
  // Rounded down: 100 % is said of nothing that lacks a slot.
  const percent = (Math.floor((10_000 * (expected - missing)) / expected) / 100).toFixed(2)
  const reasons = Object.entries(missingByReason).map(([reason, slots]) => `${reason} ${count(slots)}`)
  const why = missing === 0 ? '' : `, ${count(missing)} missing: ${reasons.join(', ')}  (npx strikeflow gaps)`
  return `${percent} % of ${count(expected)} in session ${session}${why}`
}

function addressLines({ api, clickhouse, nats, data, curlFile }: BoardAddresses): readonly string[] {
  return [
    ...(api === null ? [] : [`  API         ${api}/alerts/latest`]),
    `  ClickHouse  ${clickhouse}  (database strikeflow; to read it: curl -K ${curlFile})`,
    `  NATS        ${nats}`,
    `  data        ${data}`,
  ]
}

export const count = (value: number): string => value.toLocaleString('en-US')

export function duration(seconds: number): string {
  const whole = Math.floor(seconds)
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  return parts.map((part) => String(part).padStart(2, '0')).join(':')
}

/** Shows lines in place on a terminal; elsewhere one summary line now and then, so that a log stays readable. */
export class Screen {
  readonly #out: NodeJS.WriteStream
  #shownLines = 0
  #lastPlainMs = -Infinity

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
  }

  show(lines: readonly string[], plain: string, nowMs: number): void {
    // An alert names its underlying, a reason quotes an error.
    const [clean, summary] = [lines.map(printable), printable(plain)]
    if (!this.#out.isTTY) {
      if (nowMs - this.#lastPlainMs < 5000) return
      this.#lastPlainMs = nowMs
      this.#out.write(`${summary}\n`)
      return
    }
    const width = this.#out.columns
    // Lines above the window cannot be drawn again, so a low one shows the head.
    const fitting = clean.slice(0, Math.max(1, this.#out.rows - 1))
    const up = this.#shownLines > 0 ? `\u001B[${this.#shownLines}A` : ''
    this.#out.write(up + fitting.map((line) => `\u001B[2K${line.slice(0, width - 1)}\n`).join('') + '\u001B[0J')
    this.#shownLines = fitting.length
  }
}
