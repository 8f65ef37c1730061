import {
  batchType,
  binary,
  Column,
  columnFromArray,
  type DataType,
  dateDay,
  dictionary,
  Endianness,
  field,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
  list,
  Table,
  tableToIPC,
  timestamp,
  TimeUnit,
  uint8,
  uint16,
  uint32,
  utf8,
  Version,
} from '@uwdata/flechette'
import type { NumberArray } from './arrow-reader.ts'

/*
 * The only importer of the Arrow library, which writes; arrow-reader.ts reads. Columns go in as the typed arrays they are: the
 * buffers are handed over, never built value by value (the library's own column builders cost ten times the rest of the way).
 */

export interface ArrowColumn {
  readonly name: string
  readonly type: DataType
  readonly values: NumberArray
  /** One bit a row, least significant first, 1 = present; absent when nothing is missing. */
  readonly validity?: Uint8Array | undefined
  readonly nullCount?: number
  /** The distinct strings when `values` are indices into them. */
  readonly dictionary?: readonly string[]
  /** A column of lists: row i is values[offsets[i]] up to values[offsets[i + 1] - 1]. */
  readonly offsets?: Int32Array
}

/** A column of byte strings, or of texts, none of them missing: all values one after the other, and where each begins and ends. */
export interface ArrowBytesColumn {
  readonly name: string
  readonly kind: 'binary' | 'utf8'
  readonly bytes: Uint8Array
  /** One more than there are values. */
  readonly offsets: Int32Array
}

export const arrowTypes = {
  float32: float32(),
  float64: float64(),
  int8: int8(),
  int16: int16(),
  int32: int32(),
  int64: int64(),
  uint8: uint8(),
  uint16: uint16(),
  uint32: uint32(),
  dateDay: dateDay(),
  timestampMs: timestamp(TimeUnit.MILLISECOND, 'UTC'),
} as const

/** A column of numbers in which NaN becomes null. */
export function nullableFloat64(name: string, values: Float64Array): ArrowColumn {
  return { name, type: arrowTypes.float64, values, ...validityOf(values) }
}

/** Returns the validity bitmap of a column in which NaN is missing; no bitmap where nothing is. */
export function validityOf(values: Float64Array): { readonly validity?: Uint8Array; readonly nullCount: number } {
  let nullCount = 0
  let validity: Uint8Array | undefined
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    if (value === value) continue
    validity ??= new Uint8Array(((values.length + 63) >>> 6) << 3).fill(0xff)
    validity[i >> 3] = (validity[i >> 3] as number) & ~(1 << (i & 7))
    nullCount += 1
  }
  return validity === undefined ? { nullCount } : { validity, nullCount }
}

/** A column of strings as indices into its distinct values. */
export function stringColumn(name: string, values: readonly string[], indices: Int16Array | Int32Array): ArrowColumn {
  return {
    name,
    type: indices instanceof Int16Array ? arrowTypes.int16 : arrowTypes.int32,
    values: indices,
    dictionary: values,
  }
}

/** Encodes equally long columns as an Arrow IPC stream of one record batch. */
export function encodeArrow(
  columns: readonly (ArrowColumn | ArrowBytesColumn)[],
  metadata?: ReadonlyMap<string, string>,
): Uint8Array {
  const children = columns.map((column) => ('kind' in column ? toBytesColumn(column) : toColumn(column)))
  const fields = columns.map(({ name }, index) => field(name, (children[index] as Column<unknown>).type, true))
  const schema = {
    version: Version.V5,
    endianness: Endianness.Little,
    fields,
    metadata: metadata === undefined ? null : new Map(metadata),
  }
  const bytes = tableToIPC(new Table(schema, children), { format: 'stream' })
  if (bytes === null) throw new TypeError('Expected the Arrow encoder to return bytes')
  return bytes
}

function toColumn(column: ArrowColumn): Column<unknown> {
  return column.offsets === undefined ? toFlatColumn(column) : toListColumn(column, column.offsets)
}

function toListColumn({ type, values }: ArrowColumn, offsets: Int32Array): Column<unknown> {
  const full = list(field('item', type, false))
  const none = new Uint8Array(0)
  const Items = batchType(type, { useBigInt: true }) as unknown as BatchConstructor
  const Lists = batchType(full, { useBigInt: true }) as unknown as BatchConstructor
  const items = new Items({ length: values.length, nullCount: 0, type, validity: none, values })
  const length = offsets.length - 1
  const batch = new Lists({ length, nullCount: 0, type: full, validity: none, offsets, children: [items] })
  return new Column([batch as never], full)
}

function toFlatColumn({ type, values, validity, nullCount = 0, dictionary: strings }: ArrowColumn): Column<unknown> {
  // One type object for the dictionary and its values: the encoder finds the one by the other's identity.
  const stringType = utf8()
  const full = strings === undefined ? type : dictionary(stringType, type as ReturnType<typeof int16>)
  const Batch = batchType(full, { useBigInt: true }) as unknown as BatchConstructor
  const batch = new Batch({
    length: values.length,
    nullCount,
    type: full,
    validity: nullCount > 0 && validity !== undefined ? validity : new Uint8Array(0),
    values,
  })
  if (strings !== undefined) batch.setDictionary(columnFromArray([...strings], stringType))
  return new Column([batch as never], full)
}

function toBytesColumn({ kind, bytes, offsets }: ArrowBytesColumn): Column<unknown> {
  const type = kind === 'utf8' ? utf8() : binary()
  const Batch = batchType(type, {}) as unknown as BatchConstructor
  const length = offsets.length - 1
  const batch = new Batch({ length, nullCount: 0, type, validity: new Uint8Array(0), offsets, values: bytes })
  return new Column([batch as never], type)
}

type BatchConstructor = new (options: object) => { setDictionary(column: unknown): unknown }
