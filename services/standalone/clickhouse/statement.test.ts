import { expect, test } from 'vitest'
import { ClickHouseException } from './exceptions.ts'
import { insertFromFile } from './insert-body.ts'
import { type InsertOfData, parseStatement } from './statement.ts'

const insert = (sql: string): InsertOfData => {
  const statement = parseStatement(sql)
  if (statement.kind !== 'insert') throw new Error(`Expected an insert of data, was ${statement.kind}`)
  return statement
}
const rewritten = (sql: string): string => insertFromFile(sql, insert(sql), '/s/1').replaceAll(/\s+/g, ' ')
const dataOf = (sql: string): string => sql.slice(insert(sql).dataAt)

const failure = (sql: string): ClickHouseException | undefined => {
  try {
    parseStatement(sql)
  } catch (error) {
    if (error instanceof ClickHouseException) return error
  }
  return undefined
}

test.each([
  ['INSERT INTO t FORMAT CSV', "INSERT INTO t FROM INFILE '/s/1' COMPRESSION 'none' FORMAT CSV"],
  [
    'insert into db.t (a, b) format JSONEachRow',
    "insert into db.t (a, b) FROM INFILE '/s/1' COMPRESSION 'none' FORMAT JSONEachRow",
  ],
  [
    'INSERT INTO t SETTINGS x = 1 FORMAT CSV',
    "INSERT INTO t FROM INFILE '/s/1' COMPRESSION 'none' SETTINGS x = 1 FORMAT CSV",
  ],
  [
    'INSERT INTO `values` (`format`) VALUES (1)',
    "INSERT INTO `values` (`format`) FROM INFILE '/s/1' COMPRESSION 'none' FORMAT Values",
  ],
  [
    'INSERT INTO TABLE format VALUES (1)',
    "INSERT INTO TABLE format FROM INFILE '/s/1' COMPRESSION 'none' FORMAT Values",
  ],
])('lets the engine read the data of %s from a file', (sql, expected) => {
  expect(rewritten(sql)).toBe(expected)
})

test('puts file() in the place of input() and drops the format clause', () => {
  const sql =
    "INSERT INTO t (a) SELECT a + 1 FROM input('a Int32') WHERE throwIf((SELECT max(e) FROM x) > 3) = 0 FORMAT ArrowStream"
  expect(rewritten(sql).trim()).toBe(
    "INSERT INTO t (a) SELECT a + 1 FROM file('/s/1', 'ArrowStream', 'a Int32', 'none') WHERE throwIf((SELECT max(e) FROM x) > 3) = 0",
  )
})

test('never reads SQL out of the data behind the format name', () => {
  expect(dataOf('INSERT INTO t FORMAT JSONEachRow {"a":"; DROP TABLE t"}')).toBe('{"a":"; DROP TABLE t"}')
  expect(dataOf("INSERT INTO t FORMAT CSV\n'\n")).toBe("'\n")
  expect(dataOf('INSERT INTO t FORMAT TSV;\n\tx\n')).toBe('\tx\n')
  expect(dataOf("INSERT INTO t VALUES ('a;b'), (2)")).toBe(" ('a;b'), (2)")
})

test('finds where INTO OUTFILE belongs in a query', () => {
  const at = (sql: string): string => {
    const statement = parseStatement(sql)
    return statement.kind === 'read'
      ? `${sql.slice(0, statement.outfileAt)}^${sql.slice(statement.outfileAt)}`
      : statement.kind
  }
  expect(at('SELECT 1')).toBe('SELECT 1^')
  expect(at('SELECT 1;')).toBe('SELECT 1^;')
  expect(at('SELECT 1 -- FORMAT x')).toBe('SELECT 1^ -- FORMAT x')
  expect(at('SELECT 1 FORMAT JSON')).toBe('SELECT 1 ^FORMAT JSON')
  expect(at('SELECT 1 FORMAT JSON SETTINGS a = 1')).toBe('SELECT 1 ^FORMAT JSON SETTINGS a = 1')
  expect(at('SELECT 1 SETTINGS a = 1 FORMAT JSON')).toBe('SELECT 1 SETTINGS a = 1 ^FORMAT JSON')
  expect(at("WITH 'FORMAT x' AS y SELECT format(y) FROM (SELECT 1)")).toBe(
    "WITH 'FORMAT x' AS y SELECT format(y) FROM (SELECT 1)^",
  )
})

test('tells statements that change the session from others', () => {
  const kinds = [
    'SET a = 1',
    'use db',
    'CREATE TEMPORARY TABLE x (a Int8)',
    'CREATE TABLE x (a Int8)',
    'EXPLAIN SELECT 1',
    ' -- ',
  ].map((sql) => parseStatement(sql).kind)
  expect(kinds).toEqual(['session', 'session', 'session', 'other', 'other', 'empty'])
})

test('takes an INSERT … SELECT without input() as a statement without data', () => {
  expect(parseStatement('INSERT INTO t SELECT 1 FORMAT CSV').kind).toBe('other')
  expect(parseStatement('WITH 1 AS x INSERT INTO t SELECT x').kind).toBe('other')
})

test('refuses what ClickHouse refuses over HTTP', () => {
  expect(failure('SELECT 1; DROP TABLE t')?.code).toBe(62)
  expect(failure("SELECT 1 INTO OUTFILE '/tmp/x'")?.code).toBe(358)
  expect(failure("INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV")?.code).toBe(78)
  expect(failure('SELECT 1;;')).toBeUndefined()
})
