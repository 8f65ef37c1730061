import { Flatbuffer, type FlatTable, type FlatVector } from './flatbuffer.ts'

/*
 * Reads the Arrow IPC streams that arrow.ts writes, from anybody: one schema of flat columns, its dictionaries, one record batch,
 * the end. The Arrow library trusts the lengths in a stream: a vector of 2^31 items in the metadata of a message of 40 kB keeps it
 * busy until the heap is full. Here every length, offset and count is compared with the bytes that are there before it is used,
 * and whatever else the format allows (nesting, compression, several batches, other types) is refused.
 */

const maxFields = 64
const maxNameBytes = 64
const maxMetadataEntries = 16
/** The schema's metadata hold everything about a snapshot that is said once, and up to 200 rejected rows. */
const maxMetadataBytes = 4 * 1024 * 1024
const maxDictionaries = 16
const maxBuffers = 3 * maxFields

/** Of `MessageHeader` in Arrow's Message.fbs. */
const headers = { schema: 1, dictionary: 2, batch: 3 } as const
/** Of `Type` in Arrow's Schema.fbs. */
const types = { int: 2, float: 3, binary: 4, utf8: 5, date: 8, timestamp: 10 } as const
const oldestVersion = 3

export type NumberArray =
  | Float64Array
  | Float32Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
type ArrayType = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => NumberArray

export interface DecodedColumn {
  readonly values: NumberArray
  /** One bit a row, least significant first, 1 = present; null when nothing is missing. */
  readonly validity: Uint8Array | null
  /** The distinct strings when `values` are indices into them; every index has its string. */
  readonly dictionary: readonly string[] | null
  /** Of byte strings and texts; null for any other column. They rise, and the last is no more than there are bytes. */
  readonly offsets: Int32Array | null
}

export interface DecodedTable {
  readonly length: number
  readonly metadata: ReadonlyMap<string, string>
  /** Throws a TypeError that names the column when it is not there. */
  column(name: string): DecodedColumn
}

interface Field {
  readonly name: string
  /** Of the values, or of the indices into the dictionary; null for byte strings and texts. */
  readonly array: ArrayType | null
  readonly dictionaryId: number | null
}

interface Schema {
  readonly fields: readonly Field[]
  readonly metadata: ReadonlyMap<string, string>
}

interface Message {
  readonly flat: Flatbuffer
  readonly kind: number
  readonly header: FlatTable
  readonly body: Uint8Array
  readonly end: number
}

/**
 * Decodes an Arrow IPC stream; the columns are views into `bytes`, which must be 8-byte aligned, and no two of them overlap. Throws on
 * anything else than what arrow.ts writes. Work and memory are linear in the bytes.
 *
 * @param maxTexts longest dictionary: a text costs many times the four bytes that it may take in the stream
 */
export function decodeArrow(bytes: Uint8Array, maxTexts: number): DecodedTable {
  const first = messageAt(bytes, 0)
  if (first?.kind !== headers.schema) throw new TypeError('Expected an Arrow stream to begin with its schema')
  const schema = readSchema(first)
  const dictionaries = new Map<number, readonly string[]>()
  let message = messageAt(bytes, first.end)
  while (message?.kind === headers.dictionary) {
    if (dictionaries.size === maxDictionaries) throw new RangeError('Expected fewer dictionaries')
    readDictionary(message, schema, dictionaries, maxTexts)
    message = messageAt(bytes, message.end)
  }
  if (message === null) return tableOf(schema, 0, schema.fields.map(emptyColumn))
  const { length, columns } = readBatch(message, schema, dictionaries)
  if (messageAt(bytes, message.end) !== null) throw new TypeError('Expected one record batch and nothing after it')
  return tableOf(schema, length, columns)
}

function tableOf({ fields, metadata }: Schema, length: number, columns: readonly DecodedColumn[]): DecodedTable {
  const byName = new Map(fields.map(({ name }, i) => [name, columns[i] as DecodedColumn]))
  if (byName.size < fields.length) throw new TypeError('Expected columns of different names')
  return {
    length,
    metadata,
    column(name) {
      const column = byName.get(name)
      if (column === undefined) throw new TypeError(`Expected a column ${name}`)
      return column
    },
  }
}

/** The message at a position; null at the mark that ends the stream, behind which nothing may follow. */
function messageAt(bytes: Uint8Array, start: number): Message | null {
  // A stream that was cut off between two messages would look like a shorter one.
  if (bytes.byteLength < start + 8) throw new RangeError('Expected the end of the Arrow stream')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getInt32(start, true) !== -1) throw new TypeError('Expected an Arrow message')
  const metadataBytes = view.getInt32(start + 4, true)
  const bodyStart = start + 8 + metadataBytes
  if (metadataBytes === 0 && bodyStart === bytes.byteLength) return null
  if (metadataBytes <= 0 || bodyStart > bytes.byteLength) throw new RangeError('Expected whole Arrow metadata')
  if (bodyStart % 8 !== 0) throw new RangeError('Expected an aligned Arrow body')
  const flat = new Flatbuffer(bytes.subarray(start + 8, bodyStart))
  const message = flat.table(0)
  const bodyBytes = flat.size(message, 3)
  if (bodyBytes > bytes.byteLength - bodyStart) throw new RangeError('Expected a whole Arrow body')
  const header = flat.child(message, 2)
  if (header === null || flat.int16(message, 0) < oldestVersion)
    throw new TypeError('Expected an Arrow message of V4 or V5')
  const end = bodyStart + bodyBytes
  return { flat, kind: flat.uint8(message, 1), header, body: bytes.subarray(bodyStart, end), end }
}

function readSchema({ flat, header, body }: Message): Schema {
  if (body.byteLength > 0 || flat.int16(header, 0) !== 0) throw new TypeError('Expected a little-endian Arrow schema')
  const fields = flat.tables(header, 1, maxFields).map((field) => readField(flat, field))
  const metadata = new Map<string, string>()
  for (const entry of flat.tables(header, 2, maxMetadataEntries))
    metadata.set(flat.text(entry, 0, maxNameBytes), flat.text(entry, 1, maxMetadataBytes))
  return { fields, metadata }
}

function readField(flat: Flatbuffer, field: FlatTable): Field {
  const name = flat.text(field, 0, maxNameBytes)
  const type = flat.child(field, 3)
  if (type === null || flat.tables(field, 5, 0).length > 0) throw new TypeError('Expected columns without children')
  const typeId = flat.uint8(field, 2)
  const dictionary = flat.child(field, 4)
  if (dictionary === null) return { name, array: arrayOf(flat, typeId, type), dictionaryId: null }
  const index = flat.child(dictionary, 1)
  if (typeId !== types.utf8 || index === null) throw new TypeError('Expected dictionaries of texts')
  return { name, array: intArray(flat, index), dictionaryId: flat.size(dictionary, 0) }
}

function arrayOf(flat: Flatbuffer, typeId: number, type: FlatTable): ArrayType | null {
  switch (typeId) {
    case types.int:
      return intArray(flat, type)
    case types.float: {
      const array = [null, Float32Array, Float64Array][flat.int16(type, 0)]
      if (array === null || array === undefined) throw new TypeError('Expected floats of 32 or 64 bits')
      return array
    }
    case types.date:
      if (flat.int16(type, 0, 1) !== 0) throw new TypeError('Expected dates in days')
      return Int32Array
    case types.timestamp:
      if (flat.int16(type, 0) !== 1) throw new TypeError('Expected times in milliseconds')
      return BigInt64Array
    case types.binary:
    case types.utf8:
      return null
    default:
      throw new TypeError(`Expected no column of type ${typeId}`)
  }
}

const signedArrays: Readonly<Record<number, ArrayType>> = {
  8: Int8Array,
  16: Int16Array,
  32: Int32Array,
  64: BigInt64Array,
}
const unsignedArrays: Readonly<Record<number, ArrayType>> = { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array }

function intArray(flat: Flatbuffer, type: FlatTable): ArrayType {
  const bits = flat.int32(type, 0)
  const array = (flat.uint8(type, 1) === 0 ? unsignedArrays : signedArrays)[bits]
  if (array === undefined) throw new TypeError(`Expected no integers of ${bits} bits`)
  return array
}

function readDictionary(
  message: Message,
  { fields }: Schema,
  dictionaries: Map<number, readonly string[]>,
  maxTexts: number,
): void {
  const { flat, header } = message
  const id = flat.size(header, 0)
  const data = flat.child(header, 1)
  if (data === null || flat.uint8(header, 2) !== 0) throw new TypeError('Expected whole dictionaries')
  if (dictionaries.has(id)) throw new TypeError('Expected each dictionary once')
  if (!fields.some(({ dictionaryId }) => dictionaryId === id))
    throw new TypeError('Expected no dictionary without a column')
  const batch = new BatchReader(message, data)
  const { length, nullCount } = batch.node()
  if (nullCount > 0) throw new TypeError('Expected dictionaries without missing texts')
  if (length > maxTexts) throw new RangeError(`Expected at most ${maxTexts} texts, was ${length}`)
  batch.buffer()
  dictionaries.set(id, textsOf(batch.bytesColumn(length)))
  batch.end()
}

function textsOf({ values, offsets }: Pick<DecodedColumn, 'values' | 'offsets'>): readonly string[] {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const count = (offsets?.length ?? 1) - 1
  return Array.from({ length: count }, (_, i) =>
    decoder.decode((values as Uint8Array).subarray(offsets?.[i], offsets?.[i + 1])),
  )
}

function readBatch(message: Message, { fields }: Schema, dictionaries: ReadonlyMap<number, readonly string[]>) {
  if (message.kind !== headers.batch) throw new TypeError('Expected a record batch')
  const batch = new BatchReader(message, message.header)
  const { length } = batch
  const columns = fields.map((field) => {
    const { length: rows, nullCount } = batch.node()
    if (rows !== length) throw new RangeError(`Expected ${length} rows of column ${field.name}, was ${rows}`)
    const validity = batch.validity(length, nullCount)
    if (field.array === null) return { ...batch.bytesColumn(length), validity, dictionary: null }
    const values = batch.array(field.array, length)
    if (field.dictionaryId === null) return { values, validity, dictionary: null, offsets: null }
    const dictionary = dictionaries.get(field.dictionaryId) ?? []
    if (!areIndices(values, dictionary.length)) throw new RangeError(`Expected indices in column ${field.name}`)
    return { values, validity, dictionary, offsets: null }
  })
  batch.end()
  return { length, columns }
}

function areIndices(values: NumberArray, count: number): boolean {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    if (value < 0 || value >= count) return false
  }
  return true
}

const emptyColumn = ({ array, dictionaryId }: Field): DecodedColumn => ({
  values: new (array ?? Uint8Array)(new ArrayBuffer(0), 0, 0),
  validity: null,
  dictionary: dictionaryId === null ? null : [],
  offsets: array === null ? new Int32Array(1) : null,
})

/** Hands out the nodes and buffers of one batch in order. Each buffer lies behind the one before it, so none overlap. */
class BatchReader {
  readonly length: number
  readonly #message: Message
  readonly #nodes: FlatVector
  readonly #buffers: FlatVector
  #node = 0
  #buffer = 0
  #bufferEnd = 0

  constructor(message: Message, batch: FlatTable) {
    const { flat } = message
    if (flat.field(batch, 3) !== 0) throw new TypeError('Expected no compressed buffers')
    this.#message = message
    this.length = flat.size(batch, 0)
    // A row has a byte at least in each of our columns.
    if (this.length > message.body.byteLength) throw new RangeError(`Expected fewer than ${this.length} rows`)
    this.#nodes = flat.vector(batch, 1, 16, maxFields)
    this.#buffers = flat.vector(batch, 2, 16, maxBuffers)
  }

  node(): { readonly length: number; readonly nullCount: number } {
    const { position, count } = this.#nodes
    if (this.#node === count) throw new RangeError('Expected a node for each column')
    const at = position + 16 * this.#node++
    const { flat, body } = this.#message
    const [length, nullCount] = [flat.sizeAt(at), flat.sizeAt(at + 8)]
    if (length > body.byteLength || nullCount > length) throw new RangeError(`Expected fewer than ${length} rows`)
    return { length, nullCount }
  }

  buffer(): Uint8Array {
    const { position, count } = this.#buffers
    if (this.#buffer === count) throw new RangeError('Expected buffers for each column')
    const at = position + 16 * this.#buffer++
    const { flat, body } = this.#message
    const [start, bytes] = [flat.sizeAt(at), flat.sizeAt(at + 8)]
    if (start % 8 !== 0 || start < this.#bufferEnd || start + bytes > body.byteLength)
      throw new RangeError('Expected buffers one behind the other inside the body')
    this.#bufferEnd = start + bytes
    return body.subarray(start, start + bytes)
  }

  validity(length: number, nullCount: number): Uint8Array | null {
    const bits = this.buffer()
    if (nullCount === 0) return null
    if (8 * bits.byteLength < length) throw new RangeError('Expected a bit for each row')
    return bits
  }

  array(type: ArrayType & { readonly BYTES_PER_ELEMENT?: number }, length: number): NumberArray {
    const bytes = this.buffer()
    if (bytes.byteLength < length * (type.BYTES_PER_ELEMENT ?? 8)) throw new RangeError('Expected a value for each row')
    return new type(bytes.buffer, bytes.byteOffset, length)
  }

  bytesColumn(length: number): { readonly values: Uint8Array; readonly offsets: Int32Array } {
    const hasOffsets = length > 0
    const offsets = hasOffsets ? (this.array(Int32Array, length + 1) as Int32Array) : new Int32Array(1)
    if (!hasOffsets) this.buffer()
    const values = this.buffer()
    let before = 0
    for (const offset of offsets) {
      if (offset < before) throw new RangeError('Expected offsets that rise')
      before = offset
    }
    if (before > values.byteLength) throw new RangeError('Expected offsets inside the values')
    return { values, offsets }
  }

  end(): void {
    if (this.#node !== this.#nodes.count || this.#buffer !== this.#buffers.count)
      throw new RangeError('Expected no more than the columns of the schema')
  }
}
