import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStore, type Store } from '../../shared/store/connect.ts'
import { insertStatement, TableBuffer } from '../../shared/store/table-buffer.ts'
import { startClickHouse, type TestClickHouse } from '../support/clickhouse.ts'

/** A column of every kind, as tables hold them. */
const shape = {
  table: 'every_kind',
  columns: {
    row: 'sequence',
    text: 'text',
    uuid: 'uuid',
    name: 'name',
    id: 'id',
    uuids: 'uuids',
    price: 'price',
    figure: 'figure',
    ratio: 'ratio',
    points: 'points',
    tiny: 'tiny',
    float: 'float',
    count: 'count',
    bits: 'bits',
    enum: 'enum',
    bool: 'bool',
    day: 'day',
    second: 'second',
    millisecond: 'millisecond',
    floats: 'floats',
    never: 'price',
  },
} as const

const createTable = `CREATE TABLE every_kind (row Int64, text LowCardinality(String), uuid UUID, name LowCardinality(String), id UUID, uuids Array(UUID),
  price Nullable(Decimal(18, 4)), figure Nullable(Decimal(9, 4)), ratio Nullable(Decimal(9, 5)), points Nullable(Decimal(9, 2)),
  tiny Nullable(Decimal(9, 7)), float Nullable(Float64), count Nullable(UInt32), bits UInt16, enum Enum8('a' = 1, 'b' = 2), bool Bool, day Date,
  second Nullable(DateTime('UTC')), millisecond DateTime64(3, 'UTC'), floats Array(Float64), never Nullable(Decimal(18, 4)))
  ENGINE = MergeTree ORDER BY row`

const ids = ['0b0f1c6e-0000-8000-8000-000000000001', '0b0f1c6e-0000-8000-8000-000000000002'] as const

function appendRow({ columns }: TableBuffer<typeof shape>, row: number, value: number | null): void {
  const id = ids[row % 2] ?? ''
  columns.row.append(row)
  columns.text.appendText(`text ${row} é`)
  columns.uuid.appendText(id)
  columns.name.appendText(`name ${row % 3}`)
  columns.id.appendText(id)
  columns.uuids.appendText(row % 2 === 0 ? id : `${ids[0]},${ids[1]}`)
  for (const name of ['price', 'figure', 'ratio', 'points', 'tiny', 'float', 'count'] as const)
    columns[name].append(value)
  columns.bits.append(40_000 + row)
  columns.enum.append(1 + (row % 2))
  columns.bool.append(row % 2)
  columns.day.append(20_000 + row)
  columns.second.append(value === null ? null : 1_782_142_457)
  columns.millisecond.append(1_782_142_457_123 + row)
  columns.floats.appendList(Float64Array.from({ length: row % 4 }, (_, i) => row + i / 8))
  columns.never.append(null)
}

const expectedRow = (row: number, value: number | null) => ({
  row,
  text: `text ${row} é`,
  uuid: ids[row % 2],
  name: `name ${row % 3}`,
  id: ids[row % 2],
  uuids: row % 2 === 0 ? [ids[0]] : [...ids],
  price: value,
  figure: value,
  ratio: value,
  points: value,
  tiny: value,
  float: value,
  count: value,
  bits: 40_000 + row,
  enum: row % 2 === 0 ? 'a' : 'b',
  bool: row % 2 === 1,
  day: new Date((20_000 + row) * 86_400_000).toISOString().slice(0, 10),
  second: value === null ? null : new Date(1_782_142_457_000).toISOString().slice(0, 19).replace('T', ' '),
  millisecond: new Date(1_782_142_457_123 + row).toISOString().slice(0, 23).replace('T', ' '),
  floats: Array.from({ length: row % 4 }, (_, i) => row + i / 8),
  never: null,
})

describe('rows sent as Native blocks', () => {
  let clickhouse: TestClickHouse
  let store: Store
  beforeAll(async () => {
    clickhouse = await startClickHouse()
    store = openStore({ ...clickhouse.account, database: 'default' })
  })
  afterAll(async () => {
    await store[Symbol.asyncDispose]()
    await clickhouse[Symbol.asyncDispose]()
  })

  // From 1,025 rows on a column has grown, and from 2,049 on one of eight bytes goes out by itself.
  it.each([1, 7, 3000])('%i rows come back as they were, whatever is missing', async (count) => {
    await store.command('DROP TABLE IF EXISTS every_kind SYNC')
    await store.command(createTable)
    const buffer = new TableBuffer(shape)
    const valueOf = (row: number): number | null => (row % 3 === 2 ? null : row % 90)
    for (let round = 0; round < 2; round++) {
      buffer.reset()
      for (let row = 0; row < count; row++) appendRow(buffer, row, round === 0 ? 1 : valueOf(row))
    }
    const halves: number[] = []
    const midway = async (): Promise<void> => void halves.push(halves.length)
    await store.insert(insertStatement(shape), buffer.encode(), { midway })
    const rows = await store.query.rows('SELECT * FROM every_kind ORDER BY row')
    expect(rows).toEqual(Array.from({ length: count }, (_, row) => expectedRow(row, valueOf(row))))
    expect(halves).toEqual([0])
  })
})
