import { rm } from 'node:fs/promises'
import { relative } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { doneOrAborted } from '../../shared/runtime/aborted.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import { secretFiles } from '../../shared/runtime/secrets.ts'
import type { Service } from '../../shared/runtime/run-service.ts'
import { readLatestAlerts, readTotals } from '../../shared/store/queries/board.ts'
import { newestSession, type SessionTotals, sessionTotals } from '../../shared/store/queries/gaps.ts'
import type { Query } from '../../shared/store/queries/query.ts'
import { type ArchiveFigures, type BoardDisk, type BoardFigures, count, renderBoard, Screen } from './board.ts'
import type { StandaloneSettings } from './config.ts'
import type { DataDirectory } from './data-directory.ts'
import type { Stack } from './stack.ts'

export interface StandaloneDeps {
  readonly stack: Stack
  readonly settings: StandaloneSettings
  readonly directory: DataDirectory
  readonly log: Logger
  readonly out: NodeJS.WriteStream
}

const boardIntervalMs = 1000
const slotsIntervalMs = 10_000
const gb = 1024 ** 3
/** Looks at the totals over which the rate is taken: a market that comes once every few seconds still shows a steady one. */
const rateWindow = 15

interface Point {
  readonly atMs: number
  readonly contracts: number
}

/** Watches a running stack: the board, the totals, the disk. */
export function createStandalone(deps: StandaloneDeps): Service {
  return {
    name: 'standalone',
    async run(signal) {
      try {
        await showBoard(deps, signal)
      } finally {
        await rm(deps.directory.stackFile, { force: true })
        deps.out.write('stopping: sources first, then stores\n')
      }
    },
  }
}

/** A path as it is typed from here, where that is shorter. */
const shownPath = (path: string): string =>
  [path, relative(process.cwd(), path)].toSorted((a, b) => a.length - b.length)[0] ?? path

/** Draws at its own pace, whatever becomes of the queries: a board that stands still looks healthy. */
async function showBoard(deps: StandaloneDeps, signal: AbortSignal): Promise<void> {
  const { stack, directory, out } = deps
  const screen = new Screen(out)
  const startedMs = performance.now()
  const addresses = {
    api: stack.apiUrl,
    clickhouse: stack.clickhouseUrl,
    nats: stack.natsUrl,
    data: directory.root,
    curlFile: shownPath(secretFiles(directory.root).curlReader),
  }
  const watch = new FiguresWatch(deps)
  const watching = watch.run(signal)
  while (!signal.aborted) {
    const nowMs = performance.now()
    const { figures, atMs } = watch.latest
    const disk = diskOf(deps)
    const lines = renderBoard([stack.nats, ...stack.services], figures, addresses, {
      upSeconds: (nowMs - startedMs) / 1000,
      silentSeconds: (nowMs - (atMs ?? startedMs)) / 1000,
      disk,
    })
    screen.show(lines, plainLine(figures, disk), nowMs)
    await delay(boardIntervalMs, undefined, { signal }).catch(() => {})
  }
  await watching
}

/** Reads the figures once a second, one reading after the other. */
class FiguresWatch {
  readonly #deps: StandaloneDeps
  readonly #recent: Point[] = []
  #slots: SessionTotals | null = null
  #slotsAtMs = -Infinity
  latest: { readonly figures: BoardFigures | null; readonly atMs: number | null } = { figures: null, atMs: null }

  constructor(deps: StandaloneDeps) {
    this.#deps = deps
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // What does not answer must not hold up the stop.
      await doneOrAborted(this.#read(), signal)
      await delay(boardIntervalMs, undefined, { signal }).catch(() => {})
    }
  }

  /** A session of a large universe is half a million slots to count. */
  async #slotsNowAndThen(nowMs: number): Promise<SessionTotals | null> {
    if (nowMs - this.#slotsAtMs < slotsIntervalMs) return this.#slots
    this.#slotsAtMs = nowMs
    return (this.#slots = await newestSlots(this.#deps.stack.store.query))
  }

  async #read(): Promise<void> {
    const nowMs = performance.now()
    try {
      const figures = {
        ...(await readFigures(this.#deps, this.#recent[0], nowMs)),
        slots: await this.#slotsNowAndThen(nowMs),
      }
      this.#recent.push({ atMs: nowMs, contracts: figures.contracts })
      if (this.#recent.length > rateWindow) this.#recent.shift()
      this.latest = { figures, atMs: performance.now() }
    } catch (err) {
      this.#deps.log.warn({ err }, 'no figures for the board')
    }
  }
}

async function newestSlots(query: Query): Promise<SessionTotals | null> {
  const session = await newestSession(query, null)
  return session === null ? null : sessionTotals(query, session)
}

async function readFigures(
  { stack }: StandaloneDeps,
  before: Point | undefined,
  nowMs: number,
): Promise<Omit<BoardFigures, 'slots'>> {
  const [totals, latestAlerts, collector, archiver] = await Promise.all([
    readTotals(stack.store.query),
    readLatestAlerts(stack.store.query, 8),
    statusOf<{ readonly refused?: number }>(stack, 'collector'),
    statusOf<ArchiveFigures>(stack, 'archiver'),
  ])
  const elapsedSeconds = before === undefined ? 0 : (nowMs - before.atMs) / 1000
  return {
    ...totals,
    contractsPerSecond: before === undefined ? 0 : (totals.contracts - before.contracts) / elapsedSeconds,
    latestAlerts,
    refused: collector?.refused ?? null,
    archive: archiver,
  }
}

/** What a service says of itself; null when there is none, or it cannot be asked. */
async function statusOf<T>({ services }: Stack, name: string): Promise<T | null> {
  const url = services.find(({ spec }) => spec.name === name)?.facts?.['healthUrl']
  if (url === undefined) return null
  try {
    const answer = await fetch(`${url}/status`, { signal: AbortSignal.timeout(500) })
    return (await answer.json()) as T
  } catch {
    return null
  }
}

function diskOf({ stack: { disk, services }, settings }: StandaloneDeps): BoardDisk {
  const free = disk.freeBytes ?? Infinity
  return {
    freeGib: free / gb,
    state: disk.isFull ? 'full' : free < settings.diskWarnBytes ? 'low' : 'ok',
    missingLogLines: services.reduce((sum, { missingLogLines }) => sum + missingLogLines, 0),
  }
}

function plainLine(figures: BoardFigures | null, { state, freeGib }: BoardDisk): string {
  const disk = {
    ok: '',
    low: `, LOW DISK ${freeGib.toFixed(1)} GiB free`,
    full: ', DISK FULL: nothing new is stored until there is room',
  }[state]
  if (figures === null) return `waiting for the first figures${disk}`
  const { snapshots, contracts, alerts, contractsPerSecond, latestMarketTime } = figures
  const rate = `${count(Math.round(contractsPerSecond))} contracts/s`
  return `${count(snapshots)} snapshots, ${count(contracts)} contracts, ${count(alerts)} alerts, ${rate}, market time ${latestMarketTime ?? 'none yet'}${disk}`
}
