import type { ExportName } from '../../shared/model/export-layout.ts'
import { isTicker } from '../../shared/model/ticker.ts'
import { type LatestSnapshot, readChainTexts, readLatestSnapshots } from '../../shared/store/queries/latest-chains.ts'
import { readLatestFeatures } from '../../shared/store/queries/latest-features.ts'
import type { Query } from '../../shared/store/queries/query.ts'
import { readRecentAlerts } from '../../shared/store/queries/recent-alerts.ts'
import { readRecentScans } from '../../shared/store/queries/recent-scans.ts'
import type { StoreMark } from '../../shared/store/queries/store-mark.ts'
import { alertRow, chainRow, featureRow, scanRow } from './rows.ts'

interface DocumentLimits {
  readonly alerts: number
  readonly scans: number
}

interface DocumentRows {
  readonly count: number
  /** Rows that cannot be said: of an underlying nobody can ask for, or that cannot be put into words. */
  readonly leftOut: number
  /** JSON texts; a big document is read while it is written. */
  readonly rows: AsyncIterable<string> | Iterable<string>
}

export interface DocumentSource {
  readonly name: ExportName
  readonly read: (query: Query, limits: DocumentLimits) => Promise<DocumentRows>
  /** The document is written again when this moves. */
  readonly changeKey: (mark: StoreMark) => string
  /** Waits after a change until commits have come to rest, at most so long: a scan ends before its last snapshots are stored. */
  readonly settleMs: number
}

const settleMs = 5000

/** Every exported document: which query makes which file, and when. */
export const documents: readonly DocumentSource[] = [
  {
    name: 'alerts',
    read: async (query, limits) => said(await readRecentAlerts(query, limits.alerts), alertRow, isNamed),
    changeKey: ({ alerts, scans }) => `${alerts} ${scans}`,
    settleMs: 0,
  },
  {
    name: 'scans',
    read: async (query, limits) => said(await readRecentScans(query, limits.scans), scanRow),
    changeKey: ({ alerts, scans }) => `${alerts} ${scans}`,
    settleMs: 0,
  },
  {
    name: 'features',
    read: async (query) => said(await readLatestFeatures(query), featureRow, isNamed),
    changeKey: ({ endedScans }) => endedScans,
    settleMs,
  },
  {
    name: 'chains',
    read: async (query) => {
      const found = await readLatestSnapshots(query)
      const snapshots = found.filter(isNamed)
      return { count: snapshots.length, leftOut: found.length - snapshots.length, rows: chainRows(query, snapshots) }
    },
    changeKey: ({ endedScans }) => endedScans,
    settleMs,
  },
]

/** Says each row; one that cannot be said is left out, and costs the others nothing. */
export function said<T>(
  found: readonly T[],
  toRow: (row: T) => string,
  isWanted: (row: T) => boolean = () => true,
): DocumentRows {
  const rows = found.flatMap((row) => {
    try {
      return isWanted(row) ? [toRow(row)] : []
    } catch {
      return []
    }
  })
  return { count: rows.length, leftOut: found.length - rows.length, rows }
}

/** A name that the API does not know would cost all others their document: nobody can ask for it. */
const isNamed = ({ underlying }: { readonly underlying: string }): boolean => isTicker(underlying)

/** The next batch is asked for while one is being written; two of them are what chains hold in memory. */
async function* chainRows(query: Query, snapshots: readonly LatestSnapshot[]): AsyncGenerator<string> {
  const batches = batchesOf(snapshots)
  const read = (index: number) => {
    const reading = readChainTexts(query, batches[index]?.map(({ snapshot_id }) => snapshot_id) ?? [])
    // Awaited one batch later: a failure until then is not an unhandled one.
    reading.catch(() => {})
    return reading
  }
  let ahead = batches.length > 0 ? read(0) : null
  for (const [index, batch] of batches.entries()) {
    const current = ahead ?? read(index)
    ahead = index + 1 < batches.length ? read(index + 1) : null
    const texts = new Map((await current).map((text) => [text.snapshot_id, text]))
    for (const snapshot of batch) yield chainRow(snapshot, texts.get(snapshot.snapshot_id))
  }
}

/** About 5 MB of JSON text, and ids short enough for an address. */
const batchContracts = 20_000
const batchSnapshots = 64

/** Cuts the snapshots, in order, into batches of bounded work. A snapshot larger than a batch is one by itself. */
export function batchesOf(snapshots: readonly LatestSnapshot[]): LatestSnapshot[][] {
  const batches: LatestSnapshot[][] = []
  let batch: LatestSnapshot[] = []
  let contracts = 0
  for (const snapshot of snapshots) {
    const isFull = batch.length === batchSnapshots || contracts + snapshot.n_quotes > batchContracts
    if (batch.length > 0 && isFull) {
      batches.push(batch)
      batch = []
      contracts = 0
    }
    batch.push(snapshot)
    contracts += snapshot.n_quotes
  }
  if (batch.length > 0) batches.push(batch)
  return batches
}
