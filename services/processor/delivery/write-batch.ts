import { StrikeflowError } from '../../../shared/model/errors.ts'
import { pause, type Timers } from '../../../shared/runtime/clock.ts'
import { type Batch, type Fence, type Point, type RowSink, WriteFailure } from './ports.ts'

export interface BatchWriterDeps<B extends Batch> {
  readonly sink: RowSink<B>
  readonly timers: Timers
  readonly point: Point
  /** `wait` while the leases may be over and nothing must be begun; `no` when nobody waits for the outcome any more. */
  readonly mayWrite: () => MayWrite
  readonly onBusy: (error: WriteFailure, attempt: number) => void
}

export type WriteBatch<B extends Batch> = (
  batch: B,
  publishes: readonly Promise<unknown>[],
  fence: Fence,
) => Promise<void>

export type MayWrite = 'yes' | 'wait' | 'no'

const maxBackoffMs = 5_000
const lookAgainMs = 50

/**
 * Writes one flush: all rows, then the acknowledgements of what was published for it, then the commit rows. What is refused for a
 * passing reason is sent again for as long as it takes; what may or may not have been written is nobody's to repeat blindly: it
 * rejects, and the partitions are taken anew.
 */
export function createBatchWriter<B extends Batch>(deps: BatchWriterDeps<B>): WriteBatch<B> {
  const { sink, point, timers, mayWrite, onBusy } = deps

  /** Nobody may have noticed that the leases were late: then it goes on as if nothing had been. If somebody has, the sink refuses. */
  async function untilAllowed(): Promise<void> {
    while (mayWrite() === 'wait') await pause(timers, lookAgainMs)
    if (mayWrite() === 'no') throw new WriteFailure('fenced', new Error('delivery has ended'))
  }

  async function insert(send: () => Promise<void>): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await untilAllowed()
        await point('lease-checked')
        return await send()
      } catch (error) {
        if (!(error instanceof WriteFailure) || error.kind !== 'busy') throw error
        onBusy(error, attempt)
        await pause(timers, Math.min(maxBackoffMs, 100 * 2 ** attempt))
      }
    }
  }

  return async (batch, publishes, fence) => {
    // One after another, though nothing orders them: side by side they keep each other from the cores, and the next flush's figures too.
    for (const table of batch.filled()) await insert(() => sink.insertRows(batch, table, fence))
    await point('rows-stored')
    await acknowledged(publishes)
    await point('acknowledged')
    // After all other rows, never before: a commit row says that its snapshot is complete.
    await insert(() => sink.insertCommits(batch, fence))
    await point('committed')
  }
}

/** What the bus refuses for good is refused to every owner and every start: somebody has to mend it. */
async function acknowledged(publishes: readonly Promise<unknown>[]): Promise<void> {
  try {
    await Promise.all(publishes)
  } catch (error) {
    const isRefusal = error instanceof StrikeflowError && error.code === 'bus' && !error.retryable
    throw isRefusal ? new WriteFailure('broken', error) : error
  }
}
