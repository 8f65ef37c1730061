/*
 * Counts the rows of an Arrow IPC stream as it comes, without keeping it. Format: a stream of messages, each 0xffffffff, the length
 * of its metadata, the metadata (a flatbuffer `Message`), and a body (https://arrow.apache.org/docs/format/Columnar.html,
 * format/Message.fbs).
 */
const prefixBytes = 8
const continuation = 0xff_ff_ff_ff
/** `MessageHeader.RecordBatch`. */
const recordBatch = 3

/** Fields of the tables, by their place in the vtable. */
const messageFields = { headerType: 1, header: 2, bodyLength: 3 } as const
const batchFields = { length: 0 } as const

export interface RowCounter {
  readonly rows: number
  push(chunk: Uint8Array): void
}

export function createRowCounter(): RowCounter {
  /** Of the message begun, without its body. */
  let head = Buffer.alloc(0)
  let skip = 0
  const counter = {
    rows: 0,
    push(chunk: Uint8Array): void {
      const skipped = Math.min(skip, chunk.length)
      skip -= skipped
      if (skipped === chunk.length) return
      head = Buffer.concat([head, chunk.subarray(skipped)])
      while (head.length >= prefixBytes) {
        if (head.readUInt32LE(0) !== continuation) throw new Error('not an Arrow stream')
        const metadataBytes = head.readInt32LE(4)
        const bodyAt = prefixBytes + metadataBytes
        if (head.length < bodyAt) return
        // A length of nothing ends the stream.
        const { rows, bodyBytes } = metadataBytes === 0 ? nothing : readMessage(head.subarray(prefixBytes, bodyAt))
        counter.rows += rows
        skip = Math.max(0, bodyAt + bodyBytes - head.length)
        head = head.subarray(Math.min(head.length, bodyAt + bodyBytes))
      }
    },
  }
  return counter
}

const nothing = { rows: 0, bodyBytes: 0 }

function readMessage(metadata: Buffer): { readonly rows: number; readonly bodyBytes: number } {
  const message = metadata.readUInt32LE(0)
  const typeAt = fieldAt(metadata, message, messageFields.headerType)
  const headerAt = fieldAt(metadata, message, messageFields.header)
  const lengthAt = fieldAt(metadata, message, messageFields.bodyLength)
  const bodyBytes = lengthAt === null ? 0 : Number(metadata.readBigInt64LE(lengthAt))
  if (headerAt === null || typeAt === null || metadata.readUInt8(typeAt) !== recordBatch) return { rows: 0, bodyBytes }
  const rowsAt = fieldAt(metadata, headerAt + metadata.readUInt32LE(headerAt), batchFields.length)
  return { rows: rowsAt === null ? 0 : Number(metadata.readBigInt64LE(rowsAt)), bodyBytes }
}

/** Where a field of a flatbuffer's table lies; null when it has its default. */
function fieldAt(buffer: Buffer, table: number, field: number): number | null {
  const vtable = table - buffer.readInt32LE(table)
  const entry = 4 + 2 * field
  const offset = entry < buffer.readUInt16LE(vtable) ? buffer.readUInt16LE(vtable + entry) : 0
  return offset === 0 ? null : table + offset
}
