import { setTimeout as delay } from 'node:timers/promises'
import { StrikeflowError } from '../../shared/model/errors.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import { type Store, StoreError } from '../../shared/store/connect.ts'
import { rowsOfSnapshots } from '../../shared/store/queries/commits.ts'
import { insertStatement, type TableBuffer, type TableShape } from '../../shared/store/table-buffer.ts'
import { type Flush, rowTables, type RowTable } from './flush.ts'
import type { Ownership } from './ownership.ts'

/** ClickHouse's code for a `throwIf` that threw: the fence. */
const fencedCode = 395

export interface SinkDeps {
  readonly store: Store
  readonly ownership: Ownership
  readonly log: Logger
  readonly signal: AbortSignal
  readonly onStoreError: () => void
  readonly pauseBeforeCommitMs: number
}

export interface Sink {
  /** Writes a sealed flush: all rows, then the alerts' acknowledgements, then the commit rows. Rejects only when the process should end. */
  write(flush: Flush): Promise<void>
}

/** Creates the sink of one owner. An insert that fails for a passing reason is repeated for as long as it takes. */
export function createSink({ store, ownership, log, signal, onStoreError, pauseBeforeCommitMs }: SinkDeps): Sink {
  async function write(flush: Flush): Promise<void> {
    for (const table of rowTables) {
      const buffer: TableBuffer<TableShape> = flush[table]
      if (buffer.length > 0) await insert(buffer, () => isPresent(flush, table))
    }
    await Promise.all(flush.publishes)
    if (pauseBeforeCommitMs > 0) await delay(pauseBeforeCommitMs, undefined, { signal })
    // After all other rows, never before: a commit row says that its snapshot is complete. Writing it twice changes nothing.
    await insert(flush.commits, () => Promise.resolve(false))
  }

  async function insert(buffer: TableBuffer<TableShape>, wasWritten: () => Promise<boolean>): Promise<void> {
    const sql = insertStatement(buffer.shape, ownership.fence)
    const body = buffer.encode()
    for (let attempt = 0; ; attempt++) {
      try {
        return await store.insert(sql, body)
      } catch (error) {
        if (await isSettled(error, buffer.shape.table, attempt, wasWritten)) return
      }
    }
  }

  /** After a failed insert: true when its rows are there all the same, false when it has to be sent again. */
  async function isSettled(
    error: unknown,
    table: string,
    attempt: number,
    wasWritten: () => Promise<boolean>,
  ): Promise<boolean> {
    if (!(error instanceof StoreError)) throw error
    if (error.clickhouseCode === fencedCode) {
      throw new StrikeflowError('fenced', 'A later owner has taken these partitions', { cause: error })
    }
    if (!error.retryable) throw error
    onStoreError()
    log.warn({ err: error, table, attempt }, 'insert failed, trying again')
    await delay(Math.min(5000, 100 * 2 ** attempt), undefined, { signal })
    if (!error.indeterminate) return false
    return readBack(wasWritten)
  }

  /** Asks until the store answers: sending again without knowing would write the rows twice. */
  async function readBack(wasWritten: () => Promise<boolean>): Promise<boolean> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await wasWritten()
      } catch (error) {
        if (!(error instanceof StoreError) || !error.retryable) throw error
        await delay(Math.min(5000, 100 * 2 ** attempt), undefined, { signal })
      }
    }
  }

  async function isPresent(flush: Flush, table: RowTable): Promise<boolean> {
    const expected = [...flush.stored].filter(([, counts]) => counts[table] > 0)
    const ids = expected.map(([id]) => id)
    const found = await rowsOfSnapshots(
      store.query,
      flush[table].shape.table,
      ids,
      ownership.epoch,
      flush.marketTimesMs,
    )
    return expected.every(([id, counts]) => found.get(id) === counts[table])
  }

  return { write }
}
