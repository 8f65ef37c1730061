const firstMs = 500
const longestMs = 10_000
/** What has lived so long has got over the reason of its last end. */
const steadyMs = 60_000

/** How long a service that ended waits for its next start: twice as long after each end that comes soon after a start. */
export class RestartDelay {
  #endsInARow = 0

  after(livedMs: number): number {
    this.#endsInARow = livedMs < steadyMs ? this.#endsInARow + 1 : 1
    return Math.min(longestMs, firstMs * 2 ** (this.#endsInARow - 1))
  }
}
