import { type Store, StoreError } from '../../shared/store/connect.ts'
import { fenceCondition } from '../../shared/store/queries/ownership.ts'
import { insertStatement, type TableBuffer, type TableShape } from '../../shared/store/table-buffer.ts'
import { type Fence, type RowSink, WriteFailure, type WriteFailureKind } from './delivery/ports.ts'
import { Flush, type FlushWriter } from './flush.ts'
import type { InsertLimit } from './insert-limit.ts'

export interface RowSinkOptions {
  readonly writer: FlushWriter
  readonly limit: InsertLimit
  /** Passes the point in the middle of a body; undefined where nobody waits there. */
  readonly midway: (() => Promise<void> | undefined) | undefined
}

/** ClickHouse's code for a `throwIf` that threw: the fence. */
const fencedCode = 395
/** Its code for a statement that took longer than it may. */
const tooSlowCode = 159

/**
 * Its codes for a value that does not fit: text, dates and numbers that cannot be parsed or converted, an unknown element of an enum,
 * a null where none may be, an overflow, a text or a list too large.
 */
const valueCodes: ReadonlySet<number | null> = new Set([
  6, 27, 38, 41, 53, 69, 70, 72, 117, 128, 131, 321, 349, 376, 407, 691,
])
/** More weeks in one insert than it takes: code 252, which otherwise says that merges are behind. */
const tooManyPartitions = /partitions for single INSERT block/i

/** Writes flushes to ClickHouse, each table by one INSERT that the sink refuses as a whole when a partition in it has a later owner. */
export function createRowSink(store: Store, { writer, limit, midway }: RowSinkOptions): RowSink<Flush> {
  async function insert(buffer: TableBuffer<TableShape>, fence: Fence): Promise<void> {
    const body = buffer.encode()
    const { length: rows } = buffer
    const startedMs = performance.now()
    try {
      const limitMs = limit.limitMs(rows)
      await store.insert(insertStatement(buffer.shape, fenceCondition(fence)), body, { limitMs, midway })
      limit.took(rows, performance.now() - startedMs)
    } catch (error) {
      if (error instanceof StoreError && error.clickhouseCode === tooSlowCode) limit.ended(rows)
      throw error instanceof StoreError ? new WriteFailure(kindOf(error), error) : error
    }
  }

  return {
    createBatch: () => new Flush(writer),
    insertRows: (flush, table, fence) => insert(flush[table], fence),
    insertCommits(flush, fence) {
      flush.seal()
      return insert(flush.commits, fence)
    },
  }
}

function kindOf({ clickhouseCode, indeterminate, retryable, message }: StoreError): WriteFailureKind {
  if (clickhouseCode === fencedCode) return 'fenced'
  if (valueCodes.has(clickhouseCode) || tooManyPartitions.test(message)) return 'values'
  if (clickhouseCode === tooSlowCode) return 'slow'
  if (indeterminate) return 'lost'
  return retryable ? 'busy' : 'broken'
}
