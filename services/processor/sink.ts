import { setTimeout as delay } from 'node:timers/promises'
import { StrikeflowError } from '../../shared/model/errors.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import { type Store, StoreError } from '../../shared/store/connect.ts'
import { rowsOfSnapshots } from '../../shared/store/queries/commits.ts'
import { backOff, untilAnswered } from '../../shared/store/retry.ts'
import { insertStatement, type TableBuffer, type TableShape } from '../../shared/store/table-buffer.ts'
import { type Flush, rowTables, type RowTable } from './flush.ts'
import { begunInsertsOver, type Ownership } from './ownership.ts'

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

/**
 * Writes flushes for one owner: all rows, then the alerts' acknowledgements, then the commit rows. An insert that fails for
 * a passing reason is repeated for as long as it takes.
 */
export class Sink {
  readonly #deps: SinkDeps

  constructor(deps: SinkDeps) {
    this.#deps = deps
  }

  /** Writes a sealed flush. Rejects only when the process should end. */
  async write(flush: Flush): Promise<void> {
    const { pauseBeforeCommitMs, signal } = this.#deps
    // Nothing orders these among themselves; the commit rows alone must wait.
    const filled = rowTables.filter((table) => flush[table].length > 0)
    await Promise.all(filled.map((table) => this.#insert(flush[table], () => this.#isPresent(flush, table))))
    await Promise.all(flush.publishes)
    if (pauseBeforeCommitMs > 0) await delay(pauseBeforeCommitMs, undefined, { signal })
    // After all other rows, never before: a commit row says that its snapshot is complete. Writing it twice changes nothing.
    await this.#insert(flush.commits, () => Promise.resolve(false))
  }

  async #insert(buffer: TableBuffer<TableShape>, wasWritten: () => Promise<boolean>): Promise<void> {
    const sql = insertStatement(buffer.shape, this.#deps.ownership.fence)
    const body = buffer.encode()
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#deps.store.insert(sql, body)
      } catch (error) {
        if (await this.#isSettled(error, buffer.shape.table, attempt, wasWritten)) return
      }
    }
  }

  /** After a failed insert: true when its rows are there all the same, false when it has to be sent again. */
  async #isSettled(
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
    const { onStoreError, log, signal, store } = this.#deps
    onStoreError()
    log.warn({ err: error, table, attempt }, 'insert failed, trying again')
    await backOff(attempt, signal)
    if (!error.indeterminate) return false
    // The server may still be at work on it: what is not there yet may come a moment later.
    await untilAnswered(() => begunInsertsOver(store, signal), { signal })
    return untilAnswered(wasWritten, { signal })
  }

  async #isPresent(flush: Flush, table: RowTable): Promise<boolean> {
    const { store, ownership } = this.#deps
    const expected = [...flush.appended[table]]
    const ids = expected.map(([id]) => id)
    const name = flush[table].shape.table
    const found = await rowsOfSnapshots(store.query, name, ids, ownership.epoch, flush.marketTimesMs)
    return expected.every(([id, rows]) => found.get(id) === rows)
  }
}
