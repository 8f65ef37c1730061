import { readdirSync } from 'node:fs'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { basic, httpTo, startClickHouse, type TestClickHouse } from '../../../tests/support/clickhouse.ts'

let server: TestClickHouse
beforeAll(async () => {
  server = await startClickHouse({ args: ['--max-body-bytes', '2000000', '--max-spool-bytes', '5000000'] })
})
afterAll(() => server[Symbol.asyncDispose]())

const { send, ok } = httpTo(() => server)
const spooled = (): string[] => readdirSync(`/dev/shm/strikeflow-clickhouse-${server.pid}`)

const columns = "a Int32, b String DEFAULT 'dflt', c Nullable(Float64)"
let tables = 0

async function table(definition = columns): Promise<string> {
  tables += 1
  await ok(`CREATE TABLE inserts_${tables} (${definition}) ENGINE = MergeTree ORDER BY a`)
  return `inserts_${tables}`
}

const bytesOf = async (format: string): Promise<Buffer> => {
  const sql = `SELECT toInt32(number + 1) AS a, concat('n', toString(number)) AS b FROM numbers(2) FORMAT ${format}`
  const response = await fetch(server.url, { method: 'POST', body: sql, headers: basic(server.account) })
  return Buffer.from(await response.arrayBuffer())
}

test.each([
  'ArrowStream',
  'Arrow',
  'Parquet',
  'Native',
  'RowBinary',
  'JSONEachRow',
  'JSONCompactEachRow',
  'JSONCompactEachRowWithNames',
  'CSV',
  'CSVWithNames',
  'TabSeparated',
  'TabSeparatedWithNames',
  'Values',
])('stores the body of a plain INSERT in %s', async (format) => {
  const name = await table()
  const reply = await send({ query: `INSERT INTO ${name} (a, b) FORMAT ${format}` }, { body: await bytesOf(format) })
  expect(reply).toMatchObject({ status: 200, text: '' })
  expect(JSON.parse(reply.headers.get('X-ClickHouse-Summary') ?? '')).toMatchObject({ written_rows: '2' })
  expect(await ok(`SELECT * FROM ${name} ORDER BY a FORMAT CSV`)).toBe('1,"n0",\\N\n2,"n1",\\N')
})

test.each(['ArrowStream', 'Parquet', 'JSONEachRow', 'Native'])(
  'runs INSERT … SELECT … FROM input() over a body in %s',
  async (format) => {
    const name = await table()
    const query = `INSERT INTO ${name} (a, b) SELECT a * 10, upper(b) FROM input('a Int32, b String') WHERE throwIf((SELECT 0) > 1) = 0 FORMAT ${format}`
    expect(await send({ query }, { body: await bytesOf(format) })).toMatchObject({ status: 200 })
    expect(await ok(`SELECT a, b FROM ${name} ORDER BY a FORMAT CSV`)).toBe('10,"N0"\n20,"N1"')
  },
)

test('stores nothing when the condition of an INSERT … SELECT … FROM input() throws', async () => {
  const name = await table()
  const query = `INSERT INTO ${name} (a) SELECT a FROM input('a Int32, b String') WHERE throwIf((SELECT 5) > 4) = 0 FORMAT ArrowStream`
  expect(await send({ query }, { body: await bytesOf('ArrowStream') })).toMatchObject({
    text: expect.stringContaining('395'),
  })
  expect(await ok(`SELECT count() FROM ${name}`)).toBe('0')
})

test('matches columns by name, fills in defaults and follows the rule for unknown fields', async () => {
  const name = await table()
  const query = `INSERT INTO ${name} FORMAT JSONEachRow`
  await send({ query }, { body: '{"a":1}\n{"c":2.5,"a":2,"b":"x"}' })
  expect(await ok(`SELECT * FROM ${name} ORDER BY a FORMAT CSV`)).toBe('1,"dflt",\\N\n2,"x",2.5')
  const unknown = { body: '{"a":3,"zz":1}' }
  expect(await send({ query, input_format_skip_unknown_fields: '0' }, unknown)).toMatchObject({ status: 400 })
  expect(await send({ query, input_format_skip_unknown_fields: '1' }, unknown)).toMatchObject({ status: 200 })
})

test('takes data behind the format name, in the URL, in the body, or in both', async () => {
  const name = await table()
  await ok(`INSERT INTO ${name} (a, b) VALUES (1, 'x;y'), (2, 'Q')`)
  await ok(`INSERT INTO ${name} (a) FORMAT JSONEachRow\n{"a":3}\n{"a":4}`)
  await send({ query: `INSERT INTO ${name} (a, b) VALUES (5, 'u')` })
  await send({ query: `INSERT INTO ${name} (a) SETTINGS max_insert_threads = 1 FORMAT CSV` }, { body: '6\n7\n' })
  expect(await ok(`SELECT groupArray((a, b)) FROM (SELECT a, b FROM ${name} ORDER BY a)`)).toBe(
    "[(1,'x;y'),(2,'Q'),(3,'dflt'),(4,'dflt'),(5,'u'),(6,'dflt'),(7,'dflt')]",
  )
})

test('refuses an expression in the data of VALUES, because it is SQL that no rule has read', async () => {
  const name = await table()
  for (const data of ["(1, upper('x'))", "(1, file('/etc/hostname'))", '(1, (SELECT 1))']) {
    const reply = await send({ query: `INSERT INTO ${name} (a, b) VALUES` }, { body: data })
    expect(reply).toMatchObject({ status: 500, text: expect.stringContaining('Interpreting expressions is disabled') })
  }
  expect(await ok(`SELECT count() FROM ${name}`)).toBe('0')
})

test('stores nothing of an empty body', async () => {
  const name = await table()
  expect((await send({ query: `INSERT INTO ${name} FORMAT JSONEachRow` })).status).toBe(200)
  expect(await ok(`SELECT count() FROM ${name}`)).toBe('0')
})

test('names the row of data that cannot be parsed and stores nothing of the body', async () => {
  const name = await table()
  const reply = await send({ query: `INSERT INTO ${name} (a, b) FORMAT CSV` }, { body: '1,x\nbad,y\n' })
  expect(reply).toMatchObject({ status: 400, text: expect.stringContaining('at row 2') })
  expect(reply.text).not.toContain('/dev/shm')
  expect(await ok(`SELECT count() FROM ${name}`)).toBe('0')
})

test.each([
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
] as const)('unpacks a body compressed with %s', async (encoding, compress) => {
  const name = await table()
  const init = { body: compress(Buffer.from('1,x\n2,y\n')), headers: { 'Content-Encoding': encoding } }
  expect((await send({ query: `INSERT INTO ${name} (a, b) FORMAT CSV` }, init)).status).toBe(200)
  expect(await ok(`SELECT count() FROM ${name}`)).toBe('2')
})

test('answers 413 to a body that is too large, declared or not, packed or not', async () => {
  const name = await table()
  const query = `INSERT INTO ${name} (a) FORMAT CSV`
  const large = Buffer.alloc(3_000_000, '1\n')
  const streamed = { body: new Blob([large]).stream(), duplex: 'half' } as RequestInit
  const packed = { body: gzipSync(large), headers: { 'Content-Encoding': 'gzip' } }
  for (const init of [{ body: large }, streamed, packed]) {
    expect(await send({ query }, init)).toMatchObject({ status: 413, text: expect.stringContaining('2000000 bytes') })
  }
  expect(spooled()).toEqual([])
  expect(await ok(`SELECT count() FROM ${name}`)).toBe('0')
})

test('refuses bodies that together pass the limit, and takes them again when others are done', async () => {
  const name = await table()
  const query = `INSERT INTO ${name} (a) SELECT a + sleep(0.5) FROM input('a Int32') FORMAT CSV`
  const body = Buffer.alloc(1_900_000, '1\n')
  const replies = await Promise.all([1, 2, 3].map(() => send({ query, max_block_size: '2000000' }, { body })))
  expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 500])
  expect(replies.find(({ status }) => status === 500)?.text).toContain('maxSpoolBytes')
  expect((await send({ query: `INSERT INTO ${name} (a) FORMAT CSV` }, { body })).status).toBe(200)
})

test('keeps no statistics of the columns of a part', async () => {
  const name = await table()
  await ok(`INSERT INTO ${name} (a) SELECT number FROM numbers(100000)`)
  await ok(`OPTIMIZE TABLE ${name} FINAL`)
  const spent = `SELECT value FROM system.events WHERE event = 'MergeTreeDataWriterStatisticsCalculationMicroseconds'`
  expect(await ok(spent)).toBe('')
})
