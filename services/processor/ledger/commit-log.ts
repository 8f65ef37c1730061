import { streamInfo } from '../../../shared/bus/streams.ts'
import { commitsAfter, type Cursors, readIncarnations } from '../../../shared/store/queries/ledger.ts'
import { beginOf, createdOf } from '../delivery/place.ts'
import { factOfCommit, unbroken } from './facts-of-commits.ts'
import type { LedgerDeps, Progress } from './ports.ts'
import { storeFacts } from './slot-rows.ts'

/** Of each partition, at a time. */
const maxRows = 2_000

/**
 * Reads on in the commit log and writes what it says of slots. Returns the new cursors. Of the newest two streams all incarnations
 * are read: each partition has its own once a stream has gone back.
 */
export async function readCommits(
  deps: LedgerDeps,
  before: Progress['commits'],
  signal: AbortSignal,
): Promise<Progress['commits']> {
  const all = await readIncarnations(deps.store.query)
  const newest = new Set([...new Set(all.map(createdOf))].slice(-2))
  const incarnations = all.filter((incarnation) => newest.has(createdOf(incarnation)))
  const { created, firstSeq } = await streamInfo(deps.bus, 'CHAINS')
  const after: Record<string, Cursors> = {}
  for (const incarnation of incarnations) {
    // Of a stream that is no more nothing can be read again.
    const hasFrom = createdOf(incarnation) === created ? firstSeq : Infinity
    after[incarnation] = await readOn(deps, { incarnation, hasFrom }, before[incarnation] ?? {}, signal)
  }
  return after
}

interface Log {
  readonly incarnation: string
  /** First sequence the stream still has. */
  readonly hasFrom: number
}

async function readOn(
  deps: LedgerDeps,
  { incarnation, hasFrom }: Log,
  from: Cursors,
  signal: AbortSignal,
): Promise<Cursors> {
  const { store, settings, metrics } = deps
  let cursors = from
  while (!signal.aborted) {
    const found = await commitsAfter(store.query, incarnation, cursors, settings.partitions, maxRows)
    const followed = unbroken(found, cursors, hasFrom, beginOf(incarnation))
    const facts = followed.rows.flatMap((row) => factOfCommit(row, settings.slotGraceMs) ?? [])
    await storeFacts(store, facts)
    for (const { state, reason } of facts) metrics.facts.inc({ state, reason })
    cursors = followed.cursors
    if (found.length < maxRows || followed.rows.length === 0) break
  }
  return cursors
}
