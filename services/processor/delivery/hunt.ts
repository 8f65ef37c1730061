/**
 * The search for the message whose values the store refuses. It halves the messages a flush may hold at each refusal: the half that is
 * good is stored the usual way, and the other is read again and refused again, until a flush of one message is. From there on the flushes grow again, each
 * twice as large as the one before it: there may be another such message near the first.
 */
export class Hunt {
  #limit = Infinity
  /** Messages to be stored before the search is over, whatever it was. */
  #left = 0
  #isGrowing = false

  /** Messages that a flush may hold. */
  get limit(): number {
    return this.#limit
  }

  refused(messages: number): void {
    this.#limit = Math.max(1, messages >> 1)
    this.#left = Math.max(this.#left, messages)
    this.#isGrowing = false
  }

  /** The flush held one message, and was refused. */
  found(): void {
    this.#isGrowing = true
  }

  stored(messages: number): void {
    this.#left -= messages
    if (this.#isGrowing) this.#limit *= 2
    if (this.#left <= 0) this.#limit = Infinity
  }
}
