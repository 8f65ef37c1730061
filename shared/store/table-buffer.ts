import { encodeArrow } from '../model/arrow.ts'
import { ColumnBuffer } from './column-buffer.ts'
import { type ColumnKindName, columnKinds, isListKind, type ListKindName } from './column-kinds.ts'
import { ListBuffer } from './list-buffer.ts'

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

  constructor(shape: Shape) {
    this.shape = shape
    const named = Object.entries(shape.columns).map(([name, kind]) =>
      isListKind(kind) ? new ListBuffer(name) : new ColumnBuffer(name, kind),
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

  /** Encodes the rows as Arrow. Throws a TypeError when a column was forgotten: its rows would shift. */
  encode(): Uint8Array {
    for (const column of this.#all) {
      if (column.length !== this.length) {
        throw new TypeError(`${this.shape.table}.${column.name} has ${column.length} rows, expected ${this.length}`)
      }
    }
    return encodeArrow(this.#all.map((column) => column.toArrow()))
  }

  reset(): void {
    for (const column of this.#all) column.reset()
  }
}

/**
 * Returns the INSERT for a table whose rows come as an Arrow stream. With a fence (a condition that throws), rows are
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
  } FORMAT ArrowStream`
}
