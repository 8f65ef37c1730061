/**
 * Runs a task for each item, at most `limit` at a time, started in order. The first failure lets nothing more begin, and is
 * thrown once what has begun is over. An abort ends it early; what fails after that fails because of it.
 */
export async function sideBySide<T>(
  items: readonly T[],
  limit: number,
  signal: AbortSignal,
  run: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  const failures: unknown[] = []
  async function work(): Promise<void> {
    for (const item of queue) {
      if (signal.aborted || failures.length > 0) return
      await run(item).catch((error: unknown) => failures.push(error))
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, limit) }, work))
  if (failures.length > 0 && !signal.aborted) throw failures[0]
}
