import { ColumnBuffer } from './column-buffer.ts'
import { type ColumnKindName, columnKinds, isListKind, type ListKindName } from './column-kinds.ts'
import { ListBuffer } from './list-buffer.ts'
import { encodeNative } from './native-body.ts'

/** The columns an insert names, with their kinds; `stored_at` is left to the table's default. */
export interface TableShape {
  readonly table: string
  readonly columns: Readonly<Record<string, ColumnKindName>>
  /** Columns that follow, which are addressed by their place and not by name. */
  readonly figures?: Readonly<Record<string, 'count' | 'float'>>
}

/** The rows of a table's next insert, column by column. */
export class TableBuffer<Shape extends TableShape> {
  readonly shape: Shape
  readonly columns: {
    readonly [Name in keyof Shape['columns']]: Shape['columns'][Name] extends ListKindName ? ListBuffer : ColumnBuffer
  }
  /** In the order of the shape's figures. */
  readonly figures: readonly ColumnBuffer[]
  readonly #all: readonly (ColumnBuffer | ListBuffer)[]

  /** With room for so many rows from the beginning: what is not used of it takes no memory. */
  constructor(shape: Shape, capacity?: number) {
    this.shape = shape
    const named = Object.entries(shape.columns).map(([name, kind]) =>
      isListKind(kind) ? new ListBuffer(name) : new ColumnBuffer(name, kind, capacity),
    )
    this.columns = Object.fromEntries(named.map((column) => [column.name, column])) as typeof this.columns
    this.figures = Object.entries(shape.figures ?? {}).map(([name, kind]) => new ColumnBuffer(name, kind))
    this.#all = [...named, ...this.figures]
  }

  get length(): number {
    return this.#all[0]?.length ?? 0
  }

  get outOfRange(): number {
    return this.#all.reduce((sum, column) => sum + column.outOfRange, 0)
  }

  /**
   * The rows as one Native block, as views into these columns: to be sent before anything is appended or reset. Throws a TypeError
   * when a column was forgotten: its rows would shift.
   */
  encode(): readonly Uint8Array[] {
    for (const column of this.#all) {
      if (column.length !== this.length) {
        throw new TypeError(`${this.shape.table}.${column.name} has ${column.length} rows, expected ${this.length}`)
      }
    }
    // ClickHouse fills a column that is not in the block with NULL: what a provider never gives need not travel.
    const given = this.#all.filter(({ isMissing }) => !isMissing)
    return encodeNative(
      given.map((column) => column.toNative()),
      this.length,
    )
  }

  reset(): void {
    for (const column of this.#all) column.reset()
  }
}

/**
 * Returns the INSERT for a table whose rows come as Native blocks. With a fence (a condition that throws), rows are
 * written only while it holds.
 */
export function insertStatement({ table, columns, figures }: TableShape, fence?: string): string {
  const all = Object.entries({ ...columns, ...figures })
  const names = all.map(([name]) => name)
  const input = all.map(([name, kind]) => `${name} ${columnKinds[kind].input}`)
  const select = all.map(([name, kind]) => columnKinds[kind].select(name))
  // The structure is one SQL string literal; no type in it holds a quote.
  return `INSERT INTO ${table} (${names.join(', ')}) SELECT ${select.join(', ')} FROM input('${input.join(', ')}')${
    fence === undefined ? '' : ` WHERE ${fence}`
  } FORMAT Native`
}
