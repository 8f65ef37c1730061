import type { NativeColumn } from './native-body.ts'

const initialCapacity = 1024

/** A growing column of lists of numbers of one table's next insert. No number in them is missing. */
export class ListBuffer {
  readonly name: string
  readonly outOfRange = 0
  readonly isMissing = false
  #length = 0
  #ends = new BigUint64Array(initialCapacity)
  #used = 0
  #values = new Float64Array(initialCapacity)

  constructor(name: string) {
    this.name = name
  }

  get length(): number {
    return this.#length
  }

  /** Appends one row. */
  appendList(list: Float64Array): void {
    const end = this.#used + list.length
    if (end > this.#values.length) this.#values = grown(this.#values, new Float64Array(roomFor(end)))
    if (this.#length === this.#ends.length) this.#ends = grown(this.#ends, new BigUint64Array(2 * this.#ends.length))
    this.#values.set(list, this.#used)
    this.#used = end
    this.#ends[this.#length] = BigInt(end)
    this.#length += 1
  }

  /** The column so far, as views into this buffer: send before the next append. */
  toNative(): NativeColumn {
    const values = this.#values.subarray(0, this.#used)
    return { name: this.name, type: 'Float64', values, ends: this.#ends.subarray(0, this.#length) }
  }

  /** Empties the column and keeps its memory. */
  reset(): void {
    this.#length = 0
    this.#used = 0
  }
}

const roomFor = (length: number): number => 2 ** Math.ceil(Math.log2(length))

function grown<T extends BigUint64Array | Float64Array>(from: T, into: T): T {
  into.set(from as never)
  return into
}
