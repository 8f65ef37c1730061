/** One column as the Native format holds it: raw values, one byte a row where some are missing, indices where strings are named once. */
export interface NativeColumn {
  readonly name: string
  /** ClickHouse's type of the values, or of the items of a list. */
  readonly type: string
  readonly values: NodeJS.TypedArray
  /** 1 where the row is missing; absent where none is. */
  readonly nulls?: Uint8Array | undefined
  /** The distinct strings when `values` are indices into them. */
  readonly dictionary?: readonly string[] | undefined
  /** A column of lists: row i ends before values[ends[i]]. */
  readonly ends?: BigUint64Array | undefined
}

/** What the format says before and between the columns, and columns up to this, are gathered; larger ones go out as they are. */
const gatherBelowBytes = 16_384

/**
 * Encodes equally long columns as one block of ClickHouse's Native format, as it is read over HTTP (without the parts that a
 * client's protocol revision adds). The result holds views into the columns: nothing of them may change until it is sent.
 * https://clickhouse.com/docs/interfaces/formats/Native
 */
export function encodeNative(columns: readonly NativeColumn[], rows: number): readonly Uint8Array[] {
  const out = new Chunks()
  out.varint(columns.length)
  out.varint(rows)
  for (const column of columns) {
    out.text(column.name)
    if (column.dictionary !== undefined) appendDictionary(out, column, column.dictionary, rows)
    else if (column.ends !== undefined) appendLists(out, column, column.ends)
    else appendValues(out, column)
  }
  return out.end()
}

function appendValues(out: Chunks, { type, values, nulls }: NativeColumn): void {
  out.text(nulls === undefined ? type : `Nullable(${type})`)
  if (nulls !== undefined) out.bytes(nulls)
  out.bytes(bytesOf(values))
}

function appendLists(out: Chunks, { type, values }: NativeColumn, ends: BigUint64Array): void {
  out.text(`Array(${type})`)
  out.bytes(bytesOf(ends))
  out.bytes(bytesOf(values))
}

/** Of SerializationLowCardinality: the keys come with the block, and are to be taken up anew. */
const dictionaryVersion = 1n
const ownKeys = (1n << 9n) | (1n << 10n)
const indexCodes = { 1: 0n, 2: 1n, 4: 2n } as const

function appendDictionary(out: Chunks, { values }: NativeColumn, dictionary: readonly string[], rows: number): void {
  out.text('LowCardinality(String)')
  out.word(dictionaryVersion)
  // Without rows there is nothing after the version.
  if (rows === 0) return
  out.word(ownKeys | indexCodes[values.BYTES_PER_ELEMENT as keyof typeof indexCodes])
  out.word(BigInt(dictionary.length))
  for (const text of dictionary) out.text(text)
  out.word(BigInt(rows))
  out.bytes(bytesOf(values))
}

const bytesOf = ({ buffer, byteOffset, byteLength }: NodeJS.TypedArray): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** Small pieces gathered into chunks, large ones between them. */
class Chunks {
  readonly #chunks: Uint8Array[] = []
  #gathered = Buffer.allocUnsafe(2 * gatherBelowBytes)
  #length = 0

  varint(value: number): void {
    this.#reserve(10)
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#gathered[this.#length++] = (rest & 0x7f) | 0x80
    this.#gathered[this.#length++] = rest
  }

  text(text: string): void {
    const bytes = Buffer.byteLength(text)
    this.varint(bytes)
    this.#reserve(bytes)
    this.#length += this.#gathered.write(text, this.#length)
  }

  word(value: bigint): void {
    this.#reserve(8)
    this.#length = this.#gathered.writeBigUInt64LE(value, this.#length)
  }

  bytes(bytes: Uint8Array): void {
    if (bytes.length > gatherBelowBytes) {
      this.#close()
      this.#chunks.push(bytes)
      return
    }
    this.#reserve(bytes.length)
    this.#gathered.set(bytes, this.#length)
    this.#length += bytes.length
  }

  end(): readonly Uint8Array[] {
    this.#close()
    return this.#chunks
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#gathered.length) return
    this.#close()
    if (bytes > this.#gathered.length) this.#gathered = Buffer.allocUnsafe(bytes)
  }

  #close(): void {
    if (this.#length === 0) return
    this.#chunks.push(this.#gathered.subarray(0, this.#length))
    this.#gathered = Buffer.allocUnsafe(2 * gatherBelowBytes)
    this.#length = 0
  }
}
