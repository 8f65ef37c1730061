import { setTimeout as delay } from 'node:timers/promises'

/** Gathers what comes into groups, by count or time since the first of the group. Ends with the source. */
export async function* inBatches<T>(
  source: AsyncIterable<T, void, void>,
  maxCount: number,
  maxWaitMs: number,
): AsyncGenerator<readonly T[], void, void> {
  const iterator = source[Symbol.asyncIterator]()
  let next = iterator.next()
  for (let first = await next; first.done !== true; first = await next) {
    const batch = [first.value]
    next = iterator.next()
    // Rejections are met where it is awaited; until then they must not count as unhandled.
    next.catch(() => {})
    const over = new AbortController()
    const timeUp = delay(maxWaitMs, null, { signal: over.signal }).catch(() => null)
    while (batch.length < maxCount) {
      const come = await Promise.race([next, timeUp])
      if (come === null || come.done === true) break
      batch.push(come.value)
      next = iterator.next()
      next.catch(() => {})
    }
    over.abort()
    yield batch
  }
}
