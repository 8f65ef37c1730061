import { type ArrowColumn, arrowTypes } from '../model/arrow.ts'

const initialCapacity = 1024

/** A growing column of lists of numbers of one table's next insert. No number in them is missing. */
export class ListBuffer {
  readonly name: string
  readonly outOfRange = 0
  #length = 0
  #offsets = new Int32Array(initialCapacity)
  #values = new Float64Array(initialCapacity)

  constructor(name: string) {
    this.name = name
  }

  get length(): number {
    return this.#length
  }

  /** Appends one row. */
  appendList(list: Float64Array): void {
    const start = this.#offsets[this.#length] as number
    const end = start + list.length
    if (end > this.#values.length) this.#values = grown(this.#values, new Float64Array(roomFor(end)))
    if (this.#length + 2 > this.#offsets.length)
      this.#offsets = grown(this.#offsets, new Int32Array(2 * this.#offsets.length))
    this.#values.set(list, start)
    this.#length += 1
    this.#offsets[this.#length] = end
  }

  /** The column so far, as views into this buffer: encode before the next append. */
  toArrow(): ArrowColumn {
    const offsets = this.#offsets.subarray(0, this.#length + 1)
    const values = this.#values.subarray(0, offsets[this.#length])
    return { name: this.name, type: arrowTypes.float64, values, offsets }
  }

  /** Empties the column and keeps its memory. */
  reset(): void {
    this.#length = 0
  }
}

const roomFor = (length: number): number => 2 ** Math.ceil(Math.log2(length))

function grown<T extends Int32Array | Float64Array>(from: T, into: T): T {
  into.set(from)
  return into
}
