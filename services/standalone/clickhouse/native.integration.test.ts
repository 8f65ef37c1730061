import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Account, basic, startClickHouse, type TestClickHouse } from '../../../tests/support/clickhouse.ts'
import { framedFor } from './native-blocks.ts'

let server: TestClickHouse
beforeAll(async () => {
  server = await startClickHouse()
})
afterAll(() => server[Symbol.asyncDispose]())

const columns = [
  'toString(number)',
  "toLowCardinality(concat('U', toString(number % 7)))",
  'toLowCardinality(if(number % 2 = 0, NULL, toString(number)))',
  'if(number % 3 = 0, NULL, number)',
  'arrayMap(x -> toString(x), range(number % 4))',
  'arrayMap(x -> toLowCardinality(toString(x)), range(number % 3))',
  'CAST(emptyArrayString() AS Array(LowCardinality(String)))',
  '[range(number % 2), []]',
  "map('k', number, 'l', 1)",
  "tuple(number, 'x', [toNullable(1.5)])",
  'toDecimal64(number, 4)',
  "toDateTime64('2026-01-02 03:04:05.678', 3, 'UTC')",
  "CAST('b' AS Enum8('a' = 1, 'b' = 2))",
  "toDate('2026-01-02')",
  'generateUUIDv4()',
  "toFixedString('ab', 4)",
  'NULL',
]

async function bytesOf(
  sql: string,
  parameters: Readonly<Record<string, string>>,
  account: Account = server.account,
): Promise<Buffer> {
  const search = new URLSearchParams(parameters).toString()
  const response = await fetch(`${server.url}/?${search}`, { method: 'POST', body: sql, headers: basic(account) })
  if (response.status !== 200) throw new Error(await response.text())
  return Buffer.from(await response.arrayBuffer())
}

test.each(columns)('walks over every byte of a column %s', async (column) => {
  const sql = `SELECT ${column} AS c, 'end' AS e FROM numbers(100) SETTINGS max_block_size = 30`
  const blocks = await bytesOf(sql, { default_format: 'Native' })
  const framed = Buffer.concat(framedFor(54_460, blocks))
  const count =
    framed.toString('latin1').split(Buffer.from([1, 0, 2, 255, 255, 255, 255, 0]).toString('latin1')).length - 1
  // Off by one byte anywhere, and the walk would end in nonsense long before the last block.
  expect(framed.length).toBe(blocks.length + count * 10)
})

test('answers a client that names its protocol revision, read-only as Grafana is, with framed blocks', async () => {
  const grafana = {
    default_format: 'Native',
    client_protocol_version: '54460',
    max_execution_time: '30',
  }
  const bytes = await bytesOf(
    'SELECT displayName(), version(), revision(), timezone()',
    grafana,
    server.accounts.reader,
  )
  expect(bytes.subarray(0, 10)).toEqual(Buffer.from([1, 0, 2, 255, 255, 255, 255, 0, 4, 1]))
  expect(bytes.toString('latin1')).toContain(server.engineVersion)
})
