interface Event {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

/** A run sets some thousand timers in all. */
const mostAtOnce = 100_000

/**
 * Time that passes from event to event. Between two events everything that can go on without one goes on: whoever waits for a
 * promise only ever waits for an event.
 */
export class VirtualTime {
  #nowMs = 0
  #order = 0
  #heap: Event[] = []
  #setAtOnce = 0
  readonly #onStuck: () => void

  /** `onStuck` is called when something goes round in circles without letting time pass; nothing can stop it from within. */
  constructor(onStuck: () => void) {
    this.#onStuck = onStuck
  }

  get nowMs(): number {
    return this.#nowMs
  }

  /** Runs something after so long, behind whatever stands at the same moment already. */
  after(delayMs: number, run: () => void): void {
    this.#setAtOnce += 1
    if (this.#setAtOnce > mostAtOnce) this.#onStuck()
    this.#push({ atMs: this.#nowMs + Math.max(0, delayMs), order: (this.#order += 1), run })
  }

  /** Lets time pass until nothing is left to happen or `isOver`; looked at before each event. */
  pass(isOver: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = (): void => {
        try {
          if (isOver()) return resolve()
          const event = this.#pop()
          if (event === undefined) return resolve()
          if (event.atMs > this.#nowMs) this.#setAtOnce = 0
          this.#nowMs = event.atMs
          event.run()
        } catch (error) {
          return reject(error)
        }
        // A tick asked for by a microtask comes when no microtask is left: cheaper than a turn of the event loop.
        queueMicrotask(() => process.nextTick(step))
      }
      process.nextTick(step)
    })
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as Event
      if (isBefore(above, event)) break
      heap[at] = above
      at = parent
    }
    heap[at] = event
  }

  #pop(): Event | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let at = 0
    while (true) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      const right = heap[child + 1]
      if (right !== undefined && isBefore(right, heap[child] as Event)) child += 1
      const below = heap[child] as Event
      if (isBefore(last, below)) break
      heap[at] = below
      at = child
    }
    heap[at] = last
    return first
  }
}

const isBefore = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
