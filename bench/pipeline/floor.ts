import { computeChain } from '../../services/processor/features/compute-chain.ts'
import { featureParams, processorSettings } from '../../services/processor/config.ts'
import { appendQuotes } from '../../services/processor/rows.ts'
import type { Snapshot } from '../../shared/model/snapshot.ts'
import { insertStatement, TableBuffer } from '../../shared/store/table-buffer.ts'
import { optionQuotes } from '../../shared/store/tables.ts'
import { assertStored, type ContractSum } from './checksum.ts'
import { cpuSecondsOf } from './process-figures.ts'
import type { Stand } from './stand.ts'

const batchRows = 100_000

/** The very rows the processor will write, encoded ahead: whole snapshots up to at least 100,000 rows a batch. */
export function encodeBatches(snapshots: readonly Snapshot[], signal: AbortSignal): readonly Uint8Array[] {
  const parameters = featureParams(processorSettings.parse({}))
  const writer = { epoch: 1, codeVersion: 'bench', parameters }
  const buffer = new TableBuffer(optionQuotes)
  const batches: Uint8Array[] = []
  const close = (): void => {
    // Encoded are views into the buffer, which goes on.
    batches.push(Buffer.concat(buffer.encode()))
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

export interface FloorInput {
  readonly batches: readonly Uint8Array[]
  readonly expected: ContractSum
  /** Must not be there yet. */
  readonly floorTable: string
}

export interface FloorRun {
  readonly seconds: number
  /** Merges that ran meanwhile included, as they are in the pipeline's; null where /proc is not. */
  readonly clickhouseCpuSeconds: number | null
}

/**
 * Inserts the batches one after the other into a table of the same definition, and nothing else. The table stays: ext4 takes a
 * minute and more to give inodes out again, and passes every one of them at each file it makes. Dropped, it would slow what comes next.
 */
export async function insertBatches(
  { store, clickhouse }: Stand,
  { batches, expected, floorTable }: FloorInput,
  signal: AbortSignal,
): Promise<FloorRun> {
  await store.command(`CREATE TABLE ${floorTable} AS ${optionQuotes.table}`)
  const sql = insertStatement({ ...optionQuotes, table: floorTable })
  const cpuBefore = cpuSecondsOf(clickhouse.pid)
  const startMs = performance.now()
  for (const batch of batches) {
    signal.throwIfAborted()
    await store.insert(sql, [batch])
  }
  const seconds = (performance.now() - startMs) / 1000
  const cpu = cpuSecondsOf(clickhouse.pid)
  const clickhouseCpuSeconds = cpu === null || cpuBefore === null ? null : cpu - cpuBefore
  await assertStored(store.query, floorTable, expected)
  return { seconds, clickhouseCpuSeconds }
}
