import { type ColumnKindName, columnKinds, type NumberArray } from './column-kinds.ts'
import type { NativeColumn } from './native-body.ts'

const initialCapacity = 1024

/**
 * A growing column of one table's next insert. Values are appended by whole arrays and kept as the integers or floats
 * ClickHouse will read; NaN and null are missing.
 */
export class ColumnBuffer {
  readonly name: string
  readonly #kind: (typeof columnKinds)[ColumnKindName]
  #length = 0
  #values: NumberArray
  /** The same memory as `#values` where that is 64 bits wide: integers are written as two halves, without BigInt. */
  #halves: Int32Array | null
  /** 1 where a row is missing. */
  #nulls: Uint8Array
  #nullCount = 0
  #outOfRange = 0
  readonly #strings = new Map<string, number>()

  constructor(name: string, kind: ColumnKindName, capacity: number = initialCapacity) {
    this.name = name
    this.#kind = columnKinds[kind]
    this.#values = new this.#kind.array(capacity)
    this.#halves = halvesOf(this.#values)
    this.#nulls = new Uint8Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  /** Appends one string, `times` over. */
  appendText(text: string, times = 1): void {
    this.#reserve(times)
    const index = this.#indexOf(text)
    ;(this.#values as Int32Array).fill(index, this.#length, this.#length + times)
    this.#length += times
  }

  /** Appends strings given as indices into `dictionary`. */
  appendTexts(dictionary: readonly string[], indices: Int16Array): void {
    this.#reserve(indices.length)
    const own = dictionary.map((text) => this.#indexOf(text))
    for (let i = 0; i < indices.length; i++) this.#values[this.#length + i] = own[indices[i] as number] as number
    this.#length += indices.length
  }

  #indexOf(text: string): number {
    const known = this.#strings.get(text)
    if (known !== undefined) return known
    const index = this.#strings.size
    if (index >= this.#kind.limit) throw new RangeError(`${this.name}: more than ${index} different texts`)
    this.#strings.set(text, index)
    return index
  }

  /** Appends one number, `times` over; null and NaN are missing. */
  append(value: number | null, times = 1): void {
    this.#reserve(times)
    const from = this.#length
    const scaled = this.#scaled(value ?? NaN)
    // Figures come one by one, some hundred columns a chain: a store is a tenth of a fill.
    if (times === 1 && scaled === scaled && this.#values instanceof Float64Array) this.#values[from] = scaled
    else if (times === 1 && scaled === scaled && this.#values instanceof Uint32Array) this.#values[from] = scaled
    else if (scaled !== scaled) for (let i = 0; i < times; i++) this.#markMissing(from + i)
    else if (this.#values instanceof BigInt64Array) this.#values.fill(BigInt(scaled), from, from + times)
    else this.#values.fill(scaled, from, from + times)
    this.#length += times
  }

  /** Appends a whole array; NaN is missing. */
  appendAll(values: Float64Array | Int32Array | Int8Array | Uint8Array | Uint16Array): void {
    this.#reserve(values.length)
    const from = this.#length
    this.#length += values.length
    if (!(values instanceof Float64Array)) (this.#values as Int32Array).set(values, from)
    else if (this.#values instanceof Float64Array) this.#appendFloats(this.#values, values, from)
    else if (this.#halves !== null) this.#appendWide(this.#halves, values, from)
    else if (this.#values instanceof Int32Array) this.#appendInt32(this.#values, values, from)
    else this.#appendUint32(this.#values as Uint32Array, values, from)
  }

  /*
   * One loop for each kind of target: a store that meets several kinds of array in one place is six times slower, and all
   * contracts go through here. What a missing row holds is sent too: a zero packs better than what an earlier flush has left there.
   */

  #appendFloats(target: Float64Array, source: Float64Array, from: number): void {
    const nulls = this.#nulls
    let missing = 0
    for (let i = 0; i < source.length; i++) {
      const value = source[i] as number
      const isMissing = value !== value
      target[from + i] = isMissing ? 0 : value
      if (isMissing) missing += nulls[from + i] = 1
    }
    this.#nullCount += missing
  }

  #appendWide(halves: Int32Array, source: Float64Array, from: number): void {
    const { scale, limit } = this.#kind
    const nulls = this.#nulls
    let missing = 0
    for (let i = 0; i < source.length; i++) {
      const scaled = Math.round((source[i] as number) * scale)
      const fits = scaled > -limit && scaled < limit
      halves[2 * (from + i)] = fits ? scaled : 0
      halves[2 * (from + i) + 1] = fits ? Math.floor(scaled / 4294967296) : 0
      if (!fits) missing += nulls[from + i] = 1
    }
    this.#noteMissing(source, missing)
  }

  #appendInt32(target: Int32Array, source: Float64Array, from: number): void {
    const { scale, limit } = this.#kind
    const nulls = this.#nulls
    let missing = 0
    for (let i = 0; i < source.length; i++) {
      const scaled = Math.round((source[i] as number) * scale)
      const fits = scaled > -limit && scaled < limit
      target[from + i] = fits ? scaled : 0
      if (!fits) missing += nulls[from + i] = 1
    }
    this.#noteMissing(source, missing)
  }

  #appendUint32(target: Uint32Array, source: Float64Array, from: number): void {
    const { scale, limit } = this.#kind
    const nulls = this.#nulls
    let missing = 0
    for (let i = 0; i < source.length; i++) {
      const scaled = Math.round((source[i] as number) * scale)
      const fits = scaled >= 0 && scaled < limit
      target[from + i] = fits ? scaled : 0
      if (!fits) missing += nulls[from + i] = 1
    }
    this.#noteMissing(source, missing)
  }

  /** Of the rows that hold nothing, those that had a number did not fit. */
  #noteMissing(source: Float64Array, missing: number): void {
    if (missing === 0) return
    this.#nullCount += missing
    let absent = 0
    for (let i = 0; i < source.length; i++) if (source[i] !== source[i]) absent += 1
    this.#outOfRange += missing - absent
  }

  /** The number as the column stores it; NaN where it is missing or does not fit. */
  #scaled(value: number): number {
    if (this.#values instanceof Float64Array) return value
    const { scale, limit, min } = this.#kind
    const scaled = Math.round(value * scale)
    if (scaled >= min && scaled < limit) return scaled
    if (value === value) this.#outOfRange += 1
    return NaN
  }

  #markMissing(at: number): void {
    this.#nulls[at] = 1
    this.#nullCount += 1
    if (this.#values instanceof Float64Array) this.#values[at] = 0
    else if (this.#halves !== null) this.#halves[2 * at] = this.#halves[2 * at + 1] = 0
    else this.#values[at] = 0
  }

  #reserve(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#values.length) return
    let capacity = this.#values.length
    while (capacity < needed) capacity *= 2
    const values = new this.#kind.array(capacity)
    values.set(this.#values as never)
    const nulls = new Uint8Array(capacity)
    nulls.set(this.#nulls)
    this.#values = values
    this.#halves = halvesOf(values)
    this.#nulls = nulls
  }

  /** The column so far, as views into this buffer: send before the next append. */
  toNative(): NativeColumn {
    return {
      name: this.name,
      type: this.#kind.type,
      values: this.#values.subarray(0, this.#length),
      nulls: this.#nullCount > 0 ? this.#nulls.subarray(0, this.#length) : undefined,
      dictionary: this.#kind.type === 'String' ? [...this.#strings.keys()] : undefined,
    }
  }

  /** True when not one row has a value. */
  get isMissing(): boolean {
    return this.#length > 0 && this.#nullCount === this.#length
  }

  /** Numbers that did not fit the column and were stored as missing, since the last reset. */
  get outOfRange(): number {
    return this.#outOfRange
  }

  /** Empties the column and keeps its memory. */
  reset(): void {
    if (this.#nullCount > 0) this.#nulls.fill(0, 0, this.#length)
    this.#length = 0
    this.#nullCount = 0
    this.#outOfRange = 0
    this.#strings.clear()
  }
}

const halvesOf = (values: NumberArray): Int32Array | null =>
  values instanceof BigInt64Array ? new Int32Array(values.buffer) : null
