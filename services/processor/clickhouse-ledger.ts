import type { Store } from '../../shared/store/connect.ts'
import {
  commitSegments,
  countRows,
  damagedCommits,
  isStoredBefore,
  latestIncarnations,
  newestCommits,
  partitionsWithCommits,
  readStates,
} from '../../shared/store/queries/commits.ts'
import { lostRows } from '../../shared/store/queries/lost-rows.ts'
import {
  begunInserts,
  highestEpochs,
  insertEpochsSql,
  rivals,
  serverStart,
} from '../../shared/store/queries/ownership.ts'
import {
  alertRows,
  chainFeatures,
  detectorStates,
  expiryFeatures,
  optionQuotes,
  quoteRejects,
} from '../../shared/store/tables.ts'
import { type Ledger, noRows, type RowCounts, type RowTable, rowTables } from './delivery/ports.ts'
import type { KeyState } from './key-states.ts'

const tableNames: Readonly<Record<RowTable, string>> = {
  quotes: optionQuotes.table,
  expiries: expiryFeatures.table,
  chains: chainFeatures.table,
  rejects: quoteRejects.table,
  alerts: alertRows.table,
  states: detectorStates.table,
}
const tableOf = new Map(rowTables.map((table) => [tableNames[table], table] as const))

/** What ClickHouse remembers of delivery. `owner` is shared by no other process. */
export function createLedger(
  store: Store,
  { owner, codeVersion }: { readonly owner: string; readonly codeVersion: string },
): Ledger {
  const { query } = store
  return {
    server: () => serverStart(query),
    highestEpochs: (partitions) => highestEpochs(query, partitions),
    insertEpochs: (epochs) =>
      store.command(insertEpochsSql, { partitions: [...epochs.keys()], epochs: [...epochs.values()], owner }),
    rivals: (epochs) => rivals(query, epochs, owner),
    begunInserts: () => begunInserts(query),
    incarnations: (created, partitions) => latestIncarnations(query, created, partitions),
    segments: (incarnations, fromSeq) => commitSegments(query, incarnations, fromSeq),
    committedBelow: async (partition, incarnation, seq) => {
      const [newest] = seq === 0 ? [] : await newestCommits(query, { partition, incarnation }, { below: seq, limit: 1 })
      return newest ?? null
    },
    newestCommits: (partition, incarnation, limit) =>
      newestCommits(query, { partition, incarnation }, { below: null, limit }),
    damagedCommits: (partitions, windowMs) => damagedCommits(query, partitions, windowMs),
    states: async (places) =>
      (await readStates(query, places)).map((row) => ({ ...row, state: JSON.parse(row.state) as KeyState })),
    hasCommits: (partitions) => partitionsWithCommits(query, partitions),
    isStored: (snapshotId, { place, epoch, streamSeq }) =>
      isStoredBefore(query, snapshotId, { ...place, epoch, streamSeq }),
    async lostRows(key, minAgeMs) {
      const lost = await lostRows(query, key, minAgeMs)
      if (lost === null) return null
      const prior = lost.prior && { ...lost.prior, state: parsed(lost.prior.state) }
      return { ...lost, tables: lost.tables.map((name) => tableOf.get(name) ?? 'quotes'), prior }
    },
    async rowCounts(keys) {
      const found = new Map<string, RowCounts>()
      for (const { table, id, n } of await countRows(query, Object.values(tableNames), keys, codeVersion)) {
        found.set(id, { ...(found.get(id) ?? noRows), [tableOf.get(table) ?? 'quotes']: n })
      }
      return found
    },
  }
}

const parsed = (state: string): KeyState | null => (state === '' ? null : (JSON.parse(state) as KeyState))
