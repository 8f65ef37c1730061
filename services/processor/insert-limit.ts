export interface InsertLimitOptions {
  /** No insert gets less, however few its rows. */
  readonly leastMs: number
  /** No insert gets more: so long may a new owner of a partition have to wait for one. */
  readonly mostMs: number
}

/** An insert on a server at its usual pace: what each costs, and each row, with much to spare. */
const usualMs = 30
const usualMsPerRow = 0.002
/** An insert may take so many times as long as one of its size should. */
const patience = 10
/** How much of a slowness that is over is left after each insert. */
const fading = 15 / 16
/** The server just did not make it: it gets so many times as long for the same rows the next time. */
const growth = 2

/**
 * How long an insert may take: by its rows, and by how slow the server was lately. On a machine short of CPU a limit that is right
 * at the usual pace would end every large insert, and the same rows would be computed and sent again and again.
 */
export class InsertLimit {
  readonly #options: InsertLimitOptions
  /** How many times as long as usual inserts take now; 1 at the usual pace or above. */
  #slowness = 1

  constructor({ leastMs, mostMs }: InsertLimitOptions) {
    this.#options = { leastMs, mostMs: Math.max(leastMs, mostMs) }
  }

  limitMs(rows: number): number {
    const { leastMs, mostMs } = this.#options
    return Math.min(mostMs, Math.max(leastMs, patience * this.#slowness * usual(rows)))
  }

  /** An insert was answered. A slow one counts at once, a quick one little by little. */
  took(rows: number, elapsedMs: number): void {
    this.#slowness = Math.max(1, elapsedMs / usual(rows), this.#slowness * fading)
  }

  /** The server has ended an insert at its limit. */
  ended(rows: number): void {
    this.#slowness = Math.max(this.#slowness, this.limitMs(rows) / (patience * usual(rows))) * growth
    // Beyond this nothing gets longer, and the way back should not be either.
    this.#slowness = Math.min(this.#slowness, this.#options.mostMs / (patience * usualMs))
  }
}

const usual = (rows: number): number => usualMs + usualMsPerRow * rows
