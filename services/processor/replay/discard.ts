import type { Publisher } from '../../../shared/bus/publisher.ts'
import type { KeyValue } from '../delivery/ports.ts'

const nowhere = { streamSeq: 0, duplicate: false } as const

/** Takes what would be published and drops it. */
export const publishNothing: Publisher = {
  publish: () => Promise.resolve(nowhere),
  enqueue: () => Promise.resolve({ number: 0, acked: Promise.resolve(nowhere) }),
  enqueueAgain: () => Promise.resolve({ acked: Promise.resolve(nowhere) }),
  flush: () => Promise.resolve(),
  inFlight: 0,
}

/** A bucket in memory, for one owner: nobody else writes it, and nobody watches. */
export function memoryBucket(initial: Readonly<Record<string, unknown>>): KeyValue {
  const values = new Map(Object.entries(initial))
  let revision = 1
  const put = (key: string, value: unknown): Promise<number> => {
    values.set(key, value)
    revision += 1
    return Promise.resolve(revision)
  }
  return {
    get: (key) => Promise.resolve(values.has(key) ? { value: values.get(key), revision } : null),
    create: put,
    update: put,
    remove: (key) => Promise.resolve(void values.delete(key)),
    // oxlint-disable-next-line require-yield -- nothing ever changes
    async *watch() {
      await Promise.resolve()
    },
  }
}
