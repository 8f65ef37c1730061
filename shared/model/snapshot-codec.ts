import { z } from 'zod'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import {
  type ArrowColumn,
  arrowTypes,
  type DecodedTable,
  decodeArrow,
  encodeArrow,
  nullableFloat64,
  stringColumn,
} from './arrow.ts'
import { StrikeflowError } from './errors.ts'
import { instantMs } from './instant.ts'
import { type ChainColumns, rejectReasons, type Snapshot, type SnapshotMeta } from './snapshot.ts'

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

const floatColumns = [
  ['expiry_at_s', 'expiryAtS'],
  ['strike', 'strike'],
  ['bid', 'bid'],
  ['ask', 'ask'],
  ['bid_size', 'bidSize'],
  ['ask_size', 'askSize'],
  ['last', 'last'],
  ['last_trade_at_s', 'lastTradeAtS'],
  ['volume', 'volume'],
  ['open_interest', 'openInterest'],
  ['provider_iv', 'providerIv'],
  ['provider_delta', 'providerDelta'],
  ['provider_gamma', 'providerGamma'],
  ['provider_theta', 'providerTheta'],
  ['provider_vega', 'providerVega'],
  ['provider_rho', 'providerRho'],
] as const satisfies readonly (readonly [string, keyof ChainColumns])[]

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
 * Decodes a message into a snapshot. Columns are views into the (unpacked) bytes.
 * Throws StrikeflowError `decode`, never anything else.
 */
export function decodeSnapshot(payload: Uint8Array, contentEncoding: string | null, schema: string | null): Snapshot {
  return decodeWith(payload, contentEncoding, schema, (table) => ({
    meta: decodeMeta(table),
    columns: decodeColumns(table),
  }))
}

/** What a message says of itself, without its columns; writes nothing into the payload. Throws as `decodeSnapshot` does. */
export function decodeSnapshotMeta(
  payload: Uint8Array,
  contentEncoding: string | null,
  schema: string | null,
): { readonly meta: SnapshotMeta; readonly contracts: number } {
  return decodeWith(payload, contentEncoding, schema, (table) => ({ meta: decodeMeta(table), contracts: table.length }))
}

function decodeWith<T>(
  payload: Uint8Array,
  contentEncoding: string | null,
  schema: string | null,
  read: (table: DecodedTable) => T,
): T {
  if (schema !== snapshotSchema)
    throw new StrikeflowError('decode', `Expected snapshot schema ${snapshotSchema}, was ${schema}`)
  try {
    return read(decodeArrow(unpack(payload, contentEncoding)))
  } catch (cause) {
    if (cause instanceof StrikeflowError) throw cause
    throw new StrikeflowError('decode', `Not a snapshot: ${(cause as Error).message}`, { cause })
  }
}

function unpack(payload: Uint8Array, contentEncoding: string | null): Uint8Array {
  if (contentEncoding === 'zstd') {
    return zstdDecompressSync(payload, { maxOutputLength: maxUnpackedBytes, chunkSize: roomFor(payload) })
  }
  if (contentEncoding !== null && contentEncoding !== 'identity') {
    throw new StrikeflowError('decode', `Unknown content encoding ${contentEncoding}`)
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

/** What a reader relies on; a message that says otherwise is dead-lettered, not met again at every start. */
const metaSchema = z.object({
  snapshotId: z.guid(),
  scanId: z.string(),
  provider: z.string().min(1),
  underlying: z.string().min(1),
  spot: z.number().nullable(),
  timeKind: z.enum(['market', 'file', 'fetch']),
  providerTimeMs: instantMs,
  delayMs: z.int().nonnegative(),
  marketTimeMs: instantMs,
  receivedAtMs: instantMs,
  sessionDate: z.iso.date(),
  exchangeZone: z.string().min(1),
  contentHash: z.string().min(1),
  multiplier: z.number().positive(),
  listed: z.int().nonnegative(),
  rejects: z.array(z.object({ symbol: z.string(), reason: z.enum(rejectReasons), detail: z.string() })),
  slot: z
    .object({ atMs: instantMs, intervalMs: z.int().positive(), unchangedBefore: z.int().nonnegative() })
    .optional(),
})

function decodeMeta(table: DecodedTable): SnapshotMeta {
  const text = table.metadata.get('strikeflow.snapshot')
  if (text === undefined) throw new StrikeflowError('decode', 'No snapshot metadata in the Arrow schema')
  const meta = metaSchema.safeParse(JSON.parse(text))
  if (!meta.success) throw new StrikeflowError('decode', `Snapshot metadata: ${z.prettifyError(meta.error)}`)
  return meta.data
}

function decodeColumns(table: DecodedTable): ChainColumns {
  const root = table.column('root')
  if (root.dictionary === null) throw new StrikeflowError('decode', 'Column root is not a dictionary')
  const floats = Object.fromEntries(floatColumns.map(([name, key]) => [key, floatsOf(table, name)])) as Record<
    (typeof floatColumns)[number][1],
    Float64Array
  >
  return {
    length: table.length,
    roots: root.dictionary,
    rootIndex: typed(root.values, Int16Array, 'root'),
    expiryDay: typed(table.column('expiry').values, Int32Array, 'expiry'),
    right: typed(table.column('right').values, Int8Array, 'right'),
    flags: typed(table.column('flags').values, Uint16Array, 'flags'),
    ...floats,
  }
}

function floatsOf(table: DecodedTable, name: string): Float64Array {
  const { values, validity } = table.column(name)
  const floats = typed(values, Float64Array, name)
  if (validity === null) return floats
  for (let i = 0; i < table.length; i++) {
    if (((validity[i >> 3] as number) & (1 << (i & 7))) === 0) floats[i] = NaN
  }
  return floats
}

function typed<T>(values: unknown, type: new (length: number) => T, name: string): T {
  if (!(values instanceof type)) throw new StrikeflowError('decode', `Column ${name} is not a ${type.name}`)
  return values
}
