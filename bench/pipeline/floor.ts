import { computeChain } from '../../services/processor/features/compute-chain.ts'
import { processorSettings } from '../../services/processor/config.ts'
import { appendQuotes } from '../../services/processor/rows.ts'
import type { Snapshot } from '../../shared/model/snapshot.ts'
import { insertStatement, TableBuffer } from '../../shared/store/table-buffer.ts'
import { optionQuotes } from '../../shared/store/tables.ts'
import { assertStored, type ContractSum } from './checksum.ts'
import type { Stand } from './stand.ts'

const floorTable = 'option_quotes_floor'
const batchRows = 100_000

/** The very rows the processor will write, encoded ahead: whole snapshots up to at least 100,000 rows a batch. */
export function encodeBatches(snapshots: readonly Snapshot[], signal: AbortSignal): readonly Uint8Array[] {
  const parameters = processorSettings.parse({})
  const writer = { epoch: 1, codeVersion: 'bench', riskFreeRate: parameters.riskFreeRate }
  const buffer = new TableBuffer(optionQuotes)
  const batches: Uint8Array[] = []
  const close = (): void => {
    batches.push(buffer.encode())
    buffer.reset()
  }
  for (const snapshot of snapshots) {
    signal.throwIfAborted()
    appendQuotes(buffer, snapshot, computeChain(snapshot, parameters).contracts, writer)
    if (buffer.length >= batchRows) close()
  }
  if (buffer.length > 0) close()
  return batches
}

/** Inserts the batches one after the other into a table of the same definition, and nothing else. Returns the seconds it took. */
export async function insertBatches(
  { store }: Stand,
  batches: readonly Uint8Array[],
  expected: ContractSum,
  signal: AbortSignal,
): Promise<number> {
  await store.command(`CREATE TABLE ${floorTable} AS ${optionQuotes.table}`)
  const sql = insertStatement({ ...optionQuotes, table: floorTable })
  const startMs = performance.now()
  for (const batch of batches) {
    signal.throwIfAborted()
    await store.insert(sql, batch)
  }
  const seconds = (performance.now() - startMs) / 1000
  await assertStored(store.query, floorTable, expected)
  await store.command(`DROP TABLE ${floorTable} SYNC`)
  return seconds
}
