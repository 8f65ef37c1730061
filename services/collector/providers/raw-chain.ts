/**
 * The provider's own columns as they came, before any meaning is read into them. NaN and null: the row did not say.
 * What the content hash is taken over.
 */
export interface RawChain<N extends string = string, T extends string = string> {
  readonly symbols: readonly string[]
  readonly numbers: Readonly<Record<N, Float64Array>>
  readonly texts: Readonly<Record<T, readonly (string | null)[]>>
}

/** Which fields of a row are read, and which are known and left. Any other field is drift of the provider's schema. */
export interface RowShape<N extends string, T extends string> {
  /** Field that holds the contract's symbol. */
  readonly symbol: string
  readonly numbers: readonly N[]
  readonly texts: readonly T[]
  readonly unread: readonly string[]
}

/** A row so wrong that the whole document is not to be trusted. */
export interface RowProblem {
  readonly problem: string
}

/** Told of each field that the shape does not know; the same name comes once per row that has it. */
export type DriftObserver = (field: string) => void

/**
 * Reads rows into columns with a check of each value's type. By hand and not by zod: a chain has 15,000 rows of 23 fields,
 * and this is the collector's innermost loop.
 */
export function readRows<N extends string, T extends string>(
  rows: readonly unknown[],
  shape: RowShape<N, T>,
  onDrift: DriftObserver,
): RawChain<N, T> | RowProblem {
  const known = new Set<string>([shape.symbol, ...shape.numbers, ...shape.texts, ...shape.unread])
  const symbols: string[] = []
  const numbers = shape.numbers.map(() => new Float64Array(rows.length))
  const texts = shape.texts.map((): (string | null)[] => [])
  for (const [i, row] of rows.entries()) {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) return { problem: `row ${i} is not an object` }
    const fields = row as Readonly<Record<string, unknown>>
    for (const field in fields) if (!known.has(field)) onDrift(field)
    const symbol = fields[shape.symbol]
    symbols.push(typeof symbol === 'string' ? symbol : '')
    for (const [k, field] of shape.numbers.entries()) {
      const value = fields[field]
      if (typeof value === 'number') (numbers[k] as Float64Array)[i] = value
      else if (value === null || value === undefined) (numbers[k] as Float64Array)[i] = NaN
      else return { problem: `row ${i}: ${field} is a ${typeof value} where a number is due` }
    }
    for (const [k, field] of shape.texts.entries()) {
      const value = fields[field] ?? null
      if (value !== null && typeof value !== 'string') {
        return { problem: `row ${i}: ${field} is a ${typeof value} where text is due` }
      }
      texts[k]?.push(value)
    }
  }
  return {
    symbols,
    numbers: Object.fromEntries(shape.numbers.map((name, k) => [name, numbers[k]])) as Record<N, Float64Array>,
    texts: Object.fromEntries(shape.texts.map((name, k) => [name, texts[k]])) as Record<T, (string | null)[]>,
  }
}
