/*
 * The rows of the one block a body in ClickHouse's Native format holds, without keeping it: they are the second number in it
 * (https://clickhouse.com/docs/interfaces/formats/Native).
 */
export interface RowCounter {
  readonly rows: number
  push(chunk: Uint8Array): void
}

/** Two numbers of up to ten bytes. */
const headBytes = 20

export function createRowCounter(): RowCounter {
  let head = Buffer.alloc(0)
  return {
    get rows() {
      const columns = readVarint(head, 0)
      return readVarint(head, columns.end).value
    },
    push(chunk) {
      if (head.length < headBytes) head = Buffer.concat([head, chunk.subarray(0, headBytes)])
    },
  }
}

/** Unsigned LEB128. */
function readVarint(bytes: Buffer, from: number): { readonly value: number; readonly end: number } {
  let value = 0
  for (let at = from, unit = 1; at < bytes.length; at += 1, unit *= 128) {
    const byte = bytes.readUInt8(at)
    value += (byte & 0x7f) * unit
    if (byte < 0x80) return { value, end: at + 1 }
  }
  throw new Error('not a block of the Native format')
}
