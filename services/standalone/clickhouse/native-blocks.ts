import { type NativeType, parseNativeType } from './native-types.ts'

/** From this protocol revision on a column says whether its serialisation is a custom one. */
const customSerializationRevision = 54_454

/** BlockInfo: field 1 is_overflows = 0, field 2 bucket_num = -1, end. */
const blockInfo = Buffer.from([1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0])
const defaultSerialization = Buffer.from([0])

/**
 * Frames Native blocks for a client that names its protocol revision (`client_protocol_version`: clickhouse-go and with it
 * the Grafana plugin, clickhouse-connect). A ClickHouse server then writes block info before each block and one byte
 * before each column's data; chdb writes as for revision 0. Returns slices of `blocks` with what is missing in between.
 */
export function framedFor(revision: number, blocks: Buffer): Uint8Array[] {
  if (revision <= 0) return [blocks]
  const cursor = new BlockCursor(blocks)
  const out: Uint8Array[] = []
  let sent = 0
  const insert = (bytes: Uint8Array): void => {
    if (cursor.at > sent) out.push(blocks.subarray(sent, cursor.at))
    out.push(bytes)
    sent = cursor.at
  }
  while (cursor.at < blocks.length) {
    insert(blockInfo)
    const columns = cursor.varint()
    const rows = cursor.varint()
    for (let i = 0; i < columns; i += 1) {
      cursor.text()
      const type = parseNativeType(cursor.text())
      if (revision >= customSerializationRevision) insert(defaultSerialization)
      if (rows > 0) cursor.skipColumn(type, rows)
    }
  }
  if (sent < blocks.length) out.push(blocks.subarray(sent))
  return out
}

/** Walks over the data of a block without decoding it. */
class BlockCursor {
  at = 0
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  varint(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.at] ?? 0
      this.at += 1
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }

  text(): string {
    const length = this.varint()
    this.at += length
    return this.#bytes.toString('utf8', this.at - length, this.at)
  }

  skipColumn(type: NativeType, rows: number): void {
    this.#skipPrefix(type)
    this.#skip(type, rows)
  }

  #uint64(): number {
    this.at += 8
    return Number(this.#bytes.readBigUInt64LE(this.at - 8))
  }

  /** Dictionary versions stand before all data of a column, however deep their type is nested. */
  #skipPrefix(type: NativeType): void {
    if (type.kind === 'lowCardinality') this.at += 8
    else if (type.kind === 'tuple') for (const part of type.of) this.#skipPrefix(part)
    else if (type.kind === 'array' || type.kind === 'nullable') this.#skipPrefix(type.of)
  }

  #skip(type: NativeType, rows: number): void {
    if (rows === 0) return
    switch (type.kind) {
      case 'fixed':
        this.at += rows * type.bytes
        return
      case 'string':
        for (let i = 0; i < rows; i += 1) {
          const length = this.varint()
          this.at += length
        }
        return
      case 'nullable':
        this.at += rows
        this.#skip(type.of, rows)
        return
      case 'tuple':
        for (const part of type.of) this.#skip(part, rows)
        return
      case 'array': {
        this.at += (rows - 1) * 8
        this.#skip(type.of, this.#uint64())
        return
      }
      case 'lowCardinality':
        this.#skipDictionary(type.of)
    }
  }

  #skipDictionary(keys: NativeType): void {
    const indexBytes = 1 << (this.#bytes[this.at] ?? 0)
    this.at += 8
    this.#skip(keys, this.#uint64())
    const indexes = this.#uint64()
    this.at += indexes * indexBytes
  }
}
