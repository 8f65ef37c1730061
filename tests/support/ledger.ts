import type { PassReport } from '../../shared/model/pass-report.ts'
import type { Store } from '../../shared/store/connect.ts'
import { waitFor } from './wait-for.ts'

/** Waits until the ledger knows of so many slots and none of them is pending. */
export async function settled(store: Store, slots: number): Promise<void> {
  let seen = ''
  await waitFor(
    'the ledger to settle',
    async () => {
      const [row] = await store.query.rows<{ n: number; pending: number }>(
        `SELECT count() AS n, countIf(state = 'pending') AS pending FROM gaps_v1 FINAL`,
      )
      seen = JSON.stringify(row)
      return row?.n === slots && row.pending === 0
    },
    { intervalMs: 100 },
  ).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}; the ledger has ${seen}, expected ${slots} slots`)
  })
}

/** The whole ledger, a line a slot: `SPY 2026-11-25 14:30 missing timeout`. */
export async function ledgerOf(store: Store): Promise<readonly string[]> {
  const rows = await store.query.rows<{ line: string }>(
    `SELECT trimRight(concat(underlying, ' ', formatDateTime(slot, '%F %H:%i'), ' ', toString(state), ' ', reason)) AS line
     FROM gaps_v1 FINAL ORDER BY underlying, slot`,
  )
  return rows.map(({ line }) => line)
}

/** A report of a pass of SPY alone, begun at `startedAtMs`, in which nothing happened but what is given. */
export const passReportOf = (known: Partial<PassReport> & Pick<PassReport, 'startedAtMs'>): PassReport => ({
  provider: 'simulator',
  instance: 'test',
  boot: '1',
  scanId: 'scan',
  live: false,
  exchangeZone: 'America/New_York',
  intervalMs: 60_000,
  delayMs: 0,
  plannedFromMs: known.startedAtMs,
  previousStartedAtMs: null,
  underlyings: ['SPY'],
  ownIntervalsMs: {},
  published: [],
  repeated: [],
  refused: [],
  lastAcked: 0,
  duplicates: 0,
  ended: false,
  ...known,
})
