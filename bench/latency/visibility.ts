import type { Query } from '../../shared/store/queries/query.ts'

/** Looks again by itself after this, should a word of the processor go astray. */
const lookAtLeastEveryMs = 1_000

export interface Visibility extends AsyncDisposable {
  /** By stream sequence: when the answer to the first look that saw its commit row was there. */
  readonly seenMs: ReadonlyMap<number, number>
  readonly looks: number
  /** The processor says that it has written a flush: looks at once. */
  flushed(): void
}

/**
 * Looks for the commit rows past a sequence whenever a flush was written. They are inserted after all other rows of their message,
 * so a query that sees one sees the whole snapshot. Asking all the time instead would cost more than what is measured.
 */
export function watchVisibility(query: Query, afterSeq: number): Visibility {
  const seenMs = new Map<number, number>()
  /** Everything up to here was seen. */
  let complete = afterSeq
  const over = new AbortController()
  let wake = Promise.withResolvers<void>()
  const visibility = { seenMs, looks: 0, flushed: () => wake.resolve() }

  async function look(): Promise<void> {
    const rows = await query.rows<{ seq: number }>(
      `SELECT stream_seq AS seq FROM snapshots_v1 WHERE stream_seq > {complete:UInt64}`,
      { complete },
    )
    const answeredMs = performance.now()
    visibility.looks += 1
    for (const { seq } of rows) if (!seenMs.has(seq)) seenMs.set(seq, answeredMs)
    while (seenMs.has(complete + 1)) complete += 1
  }

  async function run(): Promise<void> {
    while (!over.signal.aborted) {
      await wake.promise
      wake = Promise.withResolvers()
      await look()
    }
  }

  const running = run()
  running.catch(() => {})
  const regularly = setInterval(() => wake.resolve(), lookAtLeastEveryMs)
  return Object.assign(visibility, {
    async [Symbol.asyncDispose]() {
      clearInterval(regularly)
      over.abort()
      wake.resolve()
      await running
    },
  })
}
