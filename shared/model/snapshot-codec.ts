import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { type ArrowColumn, arrowTypes, encodeArrow, nullableFloat64, stringColumn } from './arrow.ts'
import { type DecodedTable, decodeArrow } from './arrow-reader.ts'
import { StrikeflowError } from './errors.ts'
import type { ChainColumns, Snapshot, SnapshotMeta } from './snapshot.ts'
import { checkContracts, checkFloats, type FloatRange, readMeta } from './validate-snapshot.ts'

/** Version of the wire format, sent as `Sf-Schema`. A reader refuses what it does not know. */
export const snapshotSchema = '1'
export const snapshotContentType = 'application/vnd.apache.arrow.stream'

/** Largest chain a decoder accepts once unpacked: a bound against a bomb, far above any real chain (SPX: 4 MB). */
const maxUnpackedBytes = 64 * 1024 * 1024
/** Below this a frame's overhead and the call cost more than the bytes saved. */
const minCompressBytes = 2048

export interface EncodedSnapshot {
  readonly payload: Uint8Array
  readonly contentEncoding: 'zstd' | 'identity'
}

/** Texts in a dictionary: roots, of which the collector accepts 1,000. */
const maxTexts = 1_000

const floatColumns = [
  ['expiry_at_s', 'expiryAtS', 'required'],
  ['strike', 'strike', 'required'],
  ['bid', 'bid', 'amount'],
  ['ask', 'ask', 'amount'],
  ['bid_size', 'bidSize', 'amount'],
  ['ask_size', 'askSize', 'amount'],
  ['last', 'last', 'amount'],
  ['last_trade_at_s', 'lastTradeAtS', 'figure'],
  ['volume', 'volume', 'amount'],
  ['open_interest', 'openInterest', 'amount'],
  ['provider_iv', 'providerIv', 'figure'],
  ['provider_delta', 'providerDelta', 'figure'],
  ['provider_gamma', 'providerGamma', 'figure'],
  ['provider_theta', 'providerTheta', 'figure'],
  ['provider_vega', 'providerVega', 'figure'],
  ['provider_rho', 'providerRho', 'figure'],
] as const satisfies readonly (readonly [string, keyof ChainColumns, FloatRange])[]

/** Encodes a snapshot as one Arrow IPC stream, columns per contract and everything else in the schema's metadata. */
export function encodeSnapshot({ meta, columns }: Snapshot): EncodedSnapshot {
  const arrow: ArrowColumn[] = [
    stringColumn('root', columns.roots, columns.rootIndex),
    { name: 'expiry', type: arrowTypes.dateDay, values: columns.expiryDay },
    { name: 'right', type: arrowTypes.int8, values: columns.right },
    { name: 'flags', type: arrowTypes.uint16, values: columns.flags },
    ...floatColumns.map(([name, key]) => nullableFloat64(name, columns[key])),
  ]
  const plain = encodeArrow(arrow, new Map([['strikeflow.snapshot', JSON.stringify(meta)]]))
  if (plain.byteLength < minCompressBytes) return { payload: plain, contentEncoding: 'identity' }
  const packed = zstdCompressSync(plain, { params: { [constants.ZSTD_c_compressionLevel]: 1 } })
  const pays = packed.byteLength < plain.byteLength * 0.9
  return pays ? { payload: packed, contentEncoding: 'zstd' } : { payload: plain, contentEncoding: 'identity' }
}

/**
 * Decodes a message into a snapshot the model allows, in time and memory linear in its bytes. Columns are views into the (unpacked)
 * bytes, into which nothing is written but NaN where a row is missing, and only once the whole message was found good.
 * Throws StrikeflowError `decode`, never anything else.
 */
export function decodeSnapshot(payload: Uint8Array, contentEncoding: string | null, schema: string | null): Snapshot {
  if (schema !== snapshotSchema)
    throw new StrikeflowError('decode', `Expected snapshot schema ${snapshotSchema}, was ${quoted(schema)}`)
  try {
    const table = decodeArrow(unpack(payload, contentEncoding), maxTexts)
    return { meta: decodeMeta(table), columns: decodeColumns(table) }
  } catch (cause) {
    if (cause instanceof StrikeflowError) throw cause
    throw new StrikeflowError('decode', `Not a snapshot: ${(cause as Error).message}`, { cause })
  }
}

/** Words of a message that go into an error, and from there into logs, headers and onto terminals. */
const quoted = (text: string | null): string => JSON.stringify(text?.slice(0, 40) ?? null)

function unpack(payload: Uint8Array, contentEncoding: string | null): Uint8Array {
  if (contentEncoding === 'zstd') {
    return zstdDecompressSync(payload, { maxOutputLength: maxUnpackedBytes, chunkSize: roomFor(payload) })
  }
  if (contentEncoding !== null && contentEncoding !== 'identity') {
    throw new StrikeflowError('decode', `Unknown content encoding ${quoted(contentEncoding)}`)
  }
  // A payload is a view into a larger buffer; Arrow's columns must start on 8 bytes.
  return payload.byteOffset % 8 === 0 ? payload : payload.slice()
}

/** The decoder's own guess. */
const defaultRoom = 16_384
const zstdMagic = 0xfd2fb528

/**
 * Room for all that a zstd frame says it holds (RFC 8878, 3.1.1.1), and a byte more, so that the decoder sees the end at once:
 * in pieces it takes half as long again.
 */
function roomFor(frame: Uint8Array): number {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  if (view.byteLength < 18 || view.getUint32(0, true) !== zstdMagic) return defaultRoom
  const descriptor = view.getUint8(4)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const at = 5 + (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!
  const sizes = [
    () => (isSingleSegment ? view.getUint8(at) : defaultRoom),
    () => view.getUint16(at, true) + 256,
    () => view.getUint32(at, true),
    () => Number(view.getBigUint64(at, true)),
  ]
  const size = sizes[descriptor >> 6]!()
  return Math.min(Math.max(size, defaultRoom), maxUnpackedBytes) + 1
}

function decodeMeta(table: DecodedTable): SnapshotMeta {
  const text = table.metadata.get('strikeflow.snapshot')
  if (text === undefined) throw new StrikeflowError('decode', 'No snapshot metadata in the Arrow schema')
  return readMeta(text)
}

function decodeColumns(table: DecodedTable): ChainColumns {
  const roots = table.column('root').dictionary
  if (roots === null) throw new StrikeflowError('decode', 'Column root is not a dictionary')
  const floats = floatColumns.map(([name, key, range]) => ({ key, ...floatsOf(table, name, range) }))
  const columns: ChainColumns = {
    length: table.length,
    roots,
    rootIndex: whole(table, Int16Array, 'root'),
    expiryDay: whole(table, Int32Array, 'expiry'),
    right: whole(table, Int8Array, 'right'),
    flags: whole(table, Uint16Array, 'flags'),
    ...(Object.fromEntries(floats.map(({ key, values }) => [key, values])) as Record<
      (typeof floatColumns)[number][1],
      Float64Array
    >),
  }
  checkContracts(columns)
  for (const { values, validity, isMasked } of floats) if (validity !== null && isMasked) mask(values, validity)
  return columns
}

function floatsOf(table: DecodedTable, name: string, range: FloatRange) {
  const { values, validity } = table.column(name)
  const floats = typed(values, Float64Array, name)
  if (range === 'required' && validity !== null) throw new StrikeflowError('decode', `Column ${name} lacks values`)
  return { values: floats, validity, isMasked: checkFloats(name, floats, validity, range) }
}

function mask(values: Float64Array, validity: Uint8Array): void {
  for (let i = 0; i < values.length; i++) if (((validity[i >> 3] as number) & (1 << (i & 7))) === 0) values[i] = NaN
}

/** A column in which no row may be missing. */
function whole<T>(table: DecodedTable, type: new (length: number) => T, name: string): T {
  const { values, validity } = table.column(name)
  if (validity !== null) throw new StrikeflowError('decode', `Column ${name} lacks values`)
  return typed(values, type, name)
}

function typed<T>(values: unknown, type: new (length: number) => T, name: string): T {
  if (!(values instanceof type)) throw new StrikeflowError('decode', `Column ${name} is not a ${type.name}`)
  return values
}
