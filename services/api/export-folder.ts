import { constants } from 'node:fs'
import { lstat, open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { StrikeflowError } from '../../shared/model/errors.ts'
import { type ExportName, exportNames } from '../../shared/model/export-layout.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import {
  type AlertsDocument,
  type ExportedDocument,
  openAlerts,
  openScans,
  openTickers,
  type TickerDocument,
} from './exported-document.ts'
import type { ApiMetrics } from './metrics.ts'

/** The last good document of each name; null before there was one. */
interface Exports {
  alerts: AlertsDocument | null
  chains: TickerDocument | null
  scans: ExportedDocument | null
  features: TickerDocument | null
}

export interface ExportFolder {
  readonly current: Readonly<Exports>
  /** True when the file there now is gone or unreadable, so that `current` is older than it should be. */
  isStale(name: ExportName): boolean
  /** True once the files have been looked at. */
  readonly isOpen: boolean
  /** Looks at every file and loads those that are new. Never throws. */
  poll(): Promise<void>
  run(signal: AbortSignal): Promise<void>
}

export interface ExportFolderDeps {
  readonly directory: string
  readonly reloadMs: number
  readonly log: Logger
  readonly metrics: ApiMetrics
}

/**
 * Holds the exported documents in memory, ready to be sent, and follows their files.
 *
 * A file is loaded when its inode, size or time changes. One that is torn, altered or gone leaves the last good document in
 * place, so the API answers whatever becomes of the writer.
 */
export function openExportFolder({ directory, reloadMs, log, metrics }: ExportFolderDeps): ExportFolder {
  const current: Exports = { alerts: null, chains: null, scans: null, features: null }
  const triedVersions = new Map<ExportName, string>()
  const stale = new Set<ExportName>()
  /** The last failure that was told, so that one which lasts is told once. */
  const told = new Map<ExportName, string>()
  let isOpen = false

  async function follow(name: ExportName): Promise<void> {
    const path = join(directory, `${name}.json`)
    const version = await lstat(path, { bigint: true }).then(versionOf, () => 'absent')
    if (version === triedVersions.get(name)) return
    // Not read again before it changes: a torn file would cost its whole reading at every look.
    triedVersions.set(name, version)
    if (version === 'absent') {
      if (current[name] !== null) stale.add(name)
      return
    }
    await load(name, path)
  }

  async function load(name: ExportName, path: string): Promise<void> {
    const startedMs = performance.now()
    try {
      const bytes = await readOpened(path, (version) => triedVersions.set(name, version))
      const leftOut = await openers[name](current, bytes)
      stale.delete(name)
      told.delete(name)
      noteLeftOut(name, leftOut, { metrics, log })
      metrics.loads.inc({ document: name, outcome: 'loaded' })
      metrics.exportTimestamp.set({ document: name }, (current[name]?.timestampMs ?? 0) / 1000)
      metrics.loadSeconds.observe({ document: name }, (performance.now() - startedMs) / 1000)
    } catch (err) {
      stale.add(name)
      const isCorrupt = err instanceof SyntaxError || (err instanceof StrikeflowError && err.code === 'decode')
      metrics.loads.inc({ document: name, outcome: isCorrupt ? 'corrupt' : 'failed' })
      const failure = (err as Error).message
      if (told.get(name) !== failure || isCorrupt)
        log.warn({ document: name, err }, 'document not loaded, the last good one stays')
      told.set(name, failure)
      // What the system refused may be had at the next look; torn bytes stay torn until somebody writes others.
      if (!isCorrupt) triedVersions.delete(name)
    }
  }

  async function poll(): Promise<void> {
    await Promise.all(exportNames.map(follow))
    isOpen = true
  }

  return {
    current,
    get isOpen() {
      return isOpen
    },
    isStale: (name) => stale.has(name),
    poll,
    async run(signal) {
      while (!signal.aborted) {
        await poll()
        await delay(reloadMs, undefined, { signal }).catch(() => {})
      }
    },
  }
}

function noteLeftOut(
  name: ExportName,
  rows: number,
  { metrics, log }: Pick<ExportFolderDeps, 'metrics' | 'log'>,
): void {
  if (rows === 0) return
  metrics.rowsLeftOut.inc({ document: name }, rows)
  log.warn({ document: name, rows }, 'rows that cannot be read are left out of the document')
}

/** Returns how many rows were left out because they cannot be read. */
type Opener = (current: Exports, bytes: Buffer<ArrayBuffer>) => Promise<number>

/** How each document is opened; the name says which view its routes need. */
const openers: Readonly<Record<ExportName, Opener>> = {
  alerts: async (current, bytes) => {
    current.alerts = await openAlerts(bytes)
    return current.alerts.leftOut
  },
  chains: async (current, bytes) => {
    current.chains = await openTickers('chains', bytes)
    return current.chains.leftOut
  },
  scans: async (current, bytes) => {
    current.scans = await openScans(bytes)
    return 0
  },
  features: async (current, bytes) => {
    current.features = await openTickers('features', bytes)
    return current.features.leftOut
  },
}

interface FileVersion {
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
}

const versionOf = ({ ino, size, mtimeNs }: FileVersion): string => `${ino}:${size}:${mtimeNs}`

/**
 * The version is that of the bytes read: between a look at the name and its opening another file may take its place. Nothing but a
 * regular file is read: a FIFO would wait for its writer for ever, a device has no end, and a link may lead anywhere.
 */
async function readOpened(path: string, onVersion: (version: string) => void): Promise<Buffer<ArrayBuffer>> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  const facts = await file.stat({ bigint: true })
  onVersion(versionOf(facts))
  if (!facts.isFile()) throw new Error('Expected a regular file')
  // Awaited here: the file is closed at the end of this function, and a reading that fails after that ends the process.
  return await file.readFile()
}
