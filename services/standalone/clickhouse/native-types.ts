import { codes, exception } from './exceptions.ts'

/** A ClickHouse type, as far as its place in a Native block goes. */
export type NativeType =
  | { readonly kind: 'fixed'; readonly bytes: number }
  | { readonly kind: 'string' }
  | { readonly kind: 'nullable' | 'array' | 'lowCardinality'; readonly of: NativeType }
  | { readonly kind: 'tuple'; readonly of: readonly NativeType[] }

const fixedBytes: Readonly<Record<string, number>> = {
  ...sized(1, ['UInt8', 'Int8', 'Bool', 'Enum8', 'Nothing']),
  ...sized(2, ['UInt16', 'Int16', 'Date', 'Enum16', 'BFloat16']),
  ...sized(4, ['UInt32', 'Int32', 'Float32', 'Date32', 'DateTime', 'Decimal32', 'IPv4', 'Time']),
  ...sized(8, ['UInt64', 'Int64', 'Float64', 'DateTime64', 'Decimal64', 'Time64']),
  ...sized(16, ['UInt128', 'Int128', 'UUID', 'IPv6', 'Decimal128']),
  ...sized(32, ['UInt256', 'Int256', 'Decimal256']),
}

function sized(bytes: number, names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, bytes]))
}

/** Reads a type's name as the engine writes it into a block. */
export function parseNativeType(text: string): NativeType {
  const [, name = '', inner] = /^\s*([A-Za-z0-9_]+)\s*(?:\(([\s\S]*)\))?\s*$/.exec(text) ?? []
  const bytes = name.startsWith('Interval') ? 8 : fixedBytes[name]
  if (bytes !== undefined) return { kind: 'fixed', bytes }
  const parts = inner === undefined ? [] : topLevelParts(inner)
  const [first = '', second = ''] = parts
  switch (name) {
    case 'String':
      return { kind: 'string' }
    case 'FixedString':
      return { kind: 'fixed', bytes: Number(first) }
    case 'Decimal':
      return { kind: 'fixed', bytes: decimalBytes(Number(first)) }
    case 'Nullable':
      return { kind: 'nullable', of: parseNativeType(first) }
    case 'LowCardinality':
      return { kind: 'lowCardinality', of: withoutNull(parseNativeType(first)) }
    case 'Array':
      return { kind: 'array', of: parseNativeType(first) }
    case 'Map':
      return { kind: 'array', of: { kind: 'tuple', of: [first, second].map(parseNativeType) } }
    case 'Tuple':
      return { kind: 'tuple', of: parts.map((part) => parseNativeType(withoutName(part))) }
    case 'Nested':
      return { kind: 'array', of: { kind: 'tuple', of: parts.map((part) => parseNativeType(withoutName(part))) } }
    case 'SimpleAggregateFunction':
      return parseNativeType(second)
    default:
      throw exception(
        codes.notImplemented,
        `Type ${text} cannot be sent in Native format to this client; use toString()`,
      )
  }
}

const withoutNull = (type: NativeType): NativeType => (type.kind === 'nullable' ? type.of : type)

const decimalBytes = (precision: number): number => {
  if (precision <= 9) return 4
  if (precision <= 18) return 8
  return precision <= 38 ? 16 : 32
}

/** `a Int32` is an Int32, `Int32` too; a name may be quoted. */
const withoutName = (part: string): string => /^\s*(?:`(?:[^`\\]|\\.)*`|\w+)\s+([A-Z][\s\S]*)$/.exec(part)?.[1] ?? part

/** Splits at commas outside of brackets and quotes. */
function topLevelParts(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]
    if (char === "'" || char === '`') {
      at += 1
      while (at < text.length && text[at] !== char) at += text[at] === '\\' ? 2 : 1
    } else if (char === '(') depth += 1
    else if (char === ')') depth -= 1
    else if (char === ',' && depth === 0) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  return [...parts, text.slice(start)].map((part) => part.trim())
}
