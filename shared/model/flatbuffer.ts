const decoder = new TextDecoder('utf-8', { fatal: true })

/** A table inside a flatbuffer: where it lies, and the table of offsets that says where each of its fields lies. */
export interface FlatTable {
  readonly position: number
  readonly vtable: number
  readonly vtableBytes: number
}

/** The items of a vector inside a flatbuffer. */
export interface FlatVector {
  readonly position: number
  readonly count: number
}

/**
 * Reads one flatbuffer that a stranger may have written. A `DataView` throws a RangeError outside of its bytes; what it cannot see
 * (a vector's count, a text's length, one long text that a hundred fields point at) is checked here against the size of the buffer,
 * before anything is allocated for it. So the work is linear in the bytes, whatever they say.
 */
export class Flatbuffer {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  /** Characters that may still be read: as many as the buffer has. Texts that overlap would cost more than that. */
  #textBudget: number

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#textBudget = bytes.byteLength
  }

  /** The table that the offset at `position` points to. */
  table(position: number): FlatTable {
    const start = position + this.#view.getUint32(position, true)
    const vtable = start - this.#view.getInt32(start, true)
    return { position: start, vtable, vtableBytes: this.#view.getUint16(vtable, true) }
  }

  /** Where a field of a table lies; 0 when the table does not have it. */
  field({ position, vtable, vtableBytes }: FlatTable, index: number): number {
    const entry = 4 + 2 * index
    if (entry + 2 > vtableBytes) return 0
    const offset = this.#view.getUint16(vtable + entry, true)
    return offset === 0 ? 0 : position + offset
  }

  /** A field that is itself a table; null when it is not there. */
  child(table: FlatTable, index: number): FlatTable | null {
    const at = this.field(table, index)
    return at === 0 ? null : this.table(at)
  }

  uint8(table: FlatTable, index: number): number {
    const at = this.field(table, index)
    return at === 0 ? 0 : this.#view.getUint8(at)
  }

  int16(table: FlatTable, index: number, fallback = 0): number {
    const at = this.field(table, index)
    return at === 0 ? fallback : this.#view.getInt16(at, true)
  }

  int32(table: FlatTable, index: number): number {
    const at = this.field(table, index)
    return at === 0 ? 0 : this.#view.getInt32(at, true)
  }

  /** A 64-bit count, size or id. Nothing real is larger than what a number holds exactly. */
  size(table: FlatTable, index: number): number {
    const at = this.field(table, index)
    return at === 0 ? 0 : this.sizeAt(at)
  }

  sizeAt(position: number): number {
    const size = this.#view.getUint32(position, true) + this.#view.getInt32(position + 4, true) * 2 ** 32
    if (size < 0 || size > Number.MAX_SAFE_INTEGER) throw new RangeError(`Expected a size, was ${size}`)
    return size
  }

  text(table: FlatTable, index: number, maxBytes: number): string {
    const at = this.field(table, index)
    if (at === 0) return ''
    const start = at + this.#view.getUint32(at, true)
    const length = this.#view.getUint32(start, true)
    if (length > maxBytes) throw new RangeError(`Expected a text of at most ${maxBytes} bytes, was ${length}`)
    if (length > this.#bytes.byteLength - start - 4) throw new RangeError('Expected a text inside its buffer')
    this.#textBudget -= length
    if (this.#textBudget < 0) throw new RangeError('Expected texts that do not overlap')
    return decoder.decode(this.#bytes.subarray(start + 4, start + 4 + length))
  }

  /** The items of a vector, which all lie inside the buffer; none when the field is not there. */
  vector(table: FlatTable, index: number, itemBytes: number, maxCount: number): FlatVector {
    const at = this.field(table, index)
    if (at === 0) return { position: 0, count: 0 }
    const start = at + this.#view.getUint32(at, true)
    const count = this.#view.getUint32(start, true)
    if (count > maxCount) throw new RangeError(`Expected at most ${maxCount} items, was ${count}`)
    if (count * itemBytes > this.#bytes.byteLength - start - 4)
      throw new RangeError('Expected a list inside its buffer')
    return { position: start + 4, count }
  }

  /** The tables that a vector of offsets points to. */
  tables(table: FlatTable, index: number, maxCount: number): readonly FlatTable[] {
    const { position, count } = this.vector(table, index, 4, maxCount)
    return Array.from({ length: count }, (_, i) => this.table(position + 4 * i))
  }
}
