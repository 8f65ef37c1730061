/** How one kind of column travels into ClickHouse: typed array, its type there, the type `input()` declares, and the SQL that makes the stored value of it. */
export interface ColumnKind {
  readonly array: new (length: number) => NumberArray
  /** Of the values as they are sent; of a list's items. */
  readonly type: string
  readonly input: string
  readonly select: (name: string) => string
  /** The stored integer is the value times this. */
  readonly scale: number
  /** Scaled values below this, or from `limit` on, do not fit the column. */
  readonly min: number
  readonly limit: number
}

export type NumberArray =
  Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | BigInt64Array

const asIs = (name: string): string => name
const wide = 2 ** 53

/*
 * Decimals travel as the scaled integers they are stored as: a Float64 to Decimal conversion in ClickHouse truncates
 * (4.35 becomes 4.3499), which would falsify one cent price in twenty.
 */
const decimal = (bits: 32 | 64, digits: number): ColumnKind => ({
  array: bits === 32 ? Int32Array : BigInt64Array,
  type: `Decimal(${bits === 32 ? 9 : 18}, ${digits})`,
  input: `Nullable(Decimal(${bits === 32 ? 9 : 18}, ${digits}))`,
  select: asIs,
  scale: 10 ** digits,
  min: 1 - (bits === 32 ? 10 ** 9 : wide),
  limit: bits === 32 ? 10 ** 9 : wide,
})

const number = (
  array: ColumnKind['array'],
  type: string,
  input: string,
  limit: number,
  select: ColumnKind['select'] = asIs,
): ColumnKind => ({
  array,
  type,
  input,
  select,
  scale: 1,
  min: array === BigInt64Array || array === Int32Array ? 1 - limit : 0,
  limit,
})

/** Every kind a table may use. Strings are dictionary columns throughout: one string a row costs a third of the insert. */
export const columnKinds = {
  text: number(Int32Array, 'String', 'LowCardinality(String)', wide),
  uuid: number(Int32Array, 'String', 'LowCardinality(String)', wide, (name) => `toUUID(${name})`),
  /** Texts and ids that all rows of a snapshot share: a flush has fewer of them than it may have messages. */
  name: number(Int16Array, 'String', 'LowCardinality(String)', 2 ** 15),
  id: number(Int16Array, 'String', 'LowCardinality(String)', 2 ** 15, (name) => `toUUID(${name})`),
  /** Several ids in one text, comma between. */
  uuids: number(
    Int32Array,
    'String',
    'LowCardinality(String)',
    wide,
    (name) => `CAST(splitByChar(',', ${name}), 'Array(UUID)')`,
  ),
  price: decimal(64, 4),
  /** What providers give: four decimals. */
  figure: decimal(32, 4),
  ratio: decimal(32, 5),
  points: decimal(32, 2),
  tiny: decimal(32, 7),
  float: number(Float64Array, 'Float64', 'Nullable(Float64)', Infinity),
  count: number(Uint32Array, 'UInt32', 'Nullable(UInt32)', 2 ** 32),
  bits: number(Uint16Array, 'UInt16', 'UInt16', 2 ** 16),
  enum: number(Int8Array, 'Int8', 'Int8', 2 ** 7),
  bool: number(Uint8Array, 'UInt8', 'UInt8', 2),
  day: number(Uint16Array, 'Date', 'Date', 2 ** 16),
  second: number(Uint32Array, 'UInt32', 'Nullable(UInt32)', 2 ** 32),
  millisecond: number(
    BigInt64Array,
    'Int64',
    'Nullable(Int64)',
    wide,
    (name) => `fromUnixTimestamp64Milli(${name}, 'UTC')`,
  ),
  floats: number(Float64Array, 'Float64', 'Array(Float64)', Infinity),
  sequence: number(BigInt64Array, 'Int64', 'Nullable(Int64)', wide),
} as const satisfies Record<string, ColumnKind>

export type ColumnKindName = keyof typeof columnKinds

/** Kinds whose rows are lists. */
export type ListKindName = 'floats'

export const isListKind = (kind: ColumnKindName): kind is ListKindName => kind === 'floats'
