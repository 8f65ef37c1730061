import { statSync } from 'node:fs'
import { codes, exception } from './exceptions.ts'

/** How often the size of a result is looked at while it is written. */
const watchMs = 50

/**
 * Returns a signal that aborts when a result has become larger than `maxBytes`. The engine's own limit counts blocks, in which a
 * constant has the size of one row: `SELECT repeat('x', 1000000) FROM numbers(1000000)` would fill the memory under it.
 */
export function watchSize(path: string, maxBytes: number): Disposable & { readonly signal: AbortSignal; look(): void } {
  const beyond = new AbortController()
  const look = (): void => {
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
    if (size > maxBytes) {
      const text = `Limit for result exceeded, max bytes: ${maxBytes}`
      beyond.abort(exception(codes.tooManyRowsOrBytes, text))
    }
  }
  const timer = setInterval(look, watchMs)
  return { signal: beyond.signal, look, [Symbol.dispose]: () => clearInterval(timer) }
}

/** Bytes of results that stand in memory until their clients have taken them. */
export class ByteBudget {
  readonly #maxBytes: number
  #held = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Throws TOO_MANY_SIMULTANEOUS_QUERIES when there is no room; otherwise the bytes are held until the returned call. */
  hold(bytes: number): () => void {
    if (this.#held + bytes > this.#maxBytes) {
      const text = `Results that no client has taken yet would pass ${this.#maxBytes} bytes`
      throw exception(codes.tooManySimultaneousQueries, text)
    }
    this.#held += bytes
    let isHeld = true
    return () => {
      if (isHeld) this.#held -= bytes
      isHeld = false
    }
  }
}
