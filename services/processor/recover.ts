import type { Store } from '../../shared/store/connect.ts'
import { readCursors, readStates, uncommittedRows } from '../../shared/store/queries/commits.ts'
import {
  expiryFeatures,
  alertRows,
  chainFeatures,
  detectorStates,
  optionQuotes,
  quoteRejects,
} from '../../shared/store/tables.ts'
import { type RowCounts, type RowTable, rowTables } from './flush.ts'
import { type KeyState, KeyStates } from './key-states.ts'

export interface Recovered {
  /** By partition: the last committed sequence; 0 where nothing is. */
  readonly cursors: ReadonlyMap<number, number>
  readonly states: KeyStates
  /** Rows of snapshots that have no commit row yet, by snapshot id. */
  readonly leftovers: ReadonlyMap<string, RowCounts>
}

const tableNames: Readonly<Record<RowTable, string>> = {
  quotes: optionQuotes.table,
  expiries: expiryFeatures.table,
  chains: chainFeatures.table,
  rejects: quoteRejects.table,
  alerts: alertRows.table,
  states: detectorStates.table,
}

/**
 * Finds out where the owner before stopped: called after the epoch is taken, when no insert of an earlier owner can
 * succeed any more.
 */
export async function recover(store: Store, incarnation: string, codeVersion: string): Promise<Recovered> {
  const [cursors, stored, leftovers] = await Promise.all([
    readCursors(store.query, incarnation),
    readStates(store.query),
    readLeftovers(store, codeVersion),
  ])
  const states = new KeyStates()
  for (const { state, ...key } of stored) states.set(key, JSON.parse(state) as KeyState)
  return { cursors, states, leftovers }
}

async function readLeftovers(store: Store, codeVersion: string): Promise<ReadonlyMap<string, RowCounts>> {
  const found = new Map<string, Record<RowTable, number>>()
  for (const table of rowTables) {
    for (const [id, rows] of await uncommittedRows(store.query, tableNames[table], codeVersion)) {
      const counts = found.get(id) ?? { quotes: 0, expiries: 0, chains: 0, rejects: 0, alerts: 0, states: 0 }
      counts[table] = rows
      found.set(id, counts)
    }
  }
  return found
}
