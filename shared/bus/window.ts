/** Counts what is under way and lets callers wait for a free place, first come first served. */
export interface Window {
  /** Resolves once a place is taken; rejects when the signal aborts before. */
  take(signal?: AbortSignal): Promise<void>
  release(): void
  /** Resolves when nothing is under way and nobody waits. */
  idle(): Promise<void>
  readonly inUse: number
}

export function createWindow(size: number): Window {
  let inUse = 0
  const waiting = new Set<() => void>()
  let idle: PromiseWithResolvers<void> | null = null

  async function take(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (inUse < size && waiting.size === 0) {
      inUse += 1
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = (): void => {
      waiting.delete(resolve)
      reject(signal?.reason as Error)
    }
    signal?.addEventListener('abort', onAbort)
    waiting.add(resolve)
    try {
      await promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  function release(): void {
    const [next] = waiting
    if (next !== undefined) {
      // The place passes on without becoming free, so that nobody can come in between.
      waiting.delete(next)
      next()
      return
    }
    inUse -= 1
    if (inUse === 0) {
      idle?.resolve()
      idle = null
    }
  }

  return {
    take,
    release,
    idle() {
      if (inUse === 0) return Promise.resolve()
      idle ??= Promise.withResolvers<void>()
      return idle.promise
    },
    get inUse() {
      return inUse
    },
  }
}
