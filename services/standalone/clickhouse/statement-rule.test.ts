import { describe, expect, test } from 'vitest'
import { refusedStatements } from '../../../tests/fixtures/refused-statements.ts'
import { StatementJudge } from './judged-statement.ts'
import { isReading, refusalOf } from './statement-rule.ts'

/** The rule alone, without the engine and its rights. */
function refusal(sql: string): string | null {
  try {
    return new StatementJudge().judge(sql).refusal
  } catch (error) {
    return (error as Error).message
  }
}

describe('the rule over statements, with no other protection', () => {
  test.each(refusedStatements.filter(({ line }) => line !== 'grants').map(({ sql }) => sql))('refuses %s', (sql) => {
    expect(refusal(sql)).not.toBeNull()
  })

  test('covers at least 60 statements', () => {
    expect(refusedStatements.length).toBeGreaterThanOrEqual(60)
  })

  test.each([
    'SELECT 1',
    "SELECT 'file(1)', \"a b\" FROM t -- file('/etc/hostname')",
    "SELECT format('{} of {}', a, b), count() FROM t FORMAT JSON",
    "SELECT 'ünïcode – ok' /* auch hier: ö */",
    'SELECT `größe` FROM t',
    'SELECT * FROM numbers(10) SETTINGS max_threads = 1',
    'SELECT engine FROM system.tables WHERE database = currentDatabase()',
    'SELECT disk_name, path FROM system.parts',
    "INSERT INTO t (a) SELECT a FROM input('a Int32') WHERE throwIf((SELECT max(e) FROM x) > 3) = 0 FORMAT Native",
    "INSERT INTO t VALUES (1, 'file(1)')",
    'CREATE TABLE IF NOT EXISTS t (a Int32 CODEC(Delta, ZSTD(3))) ENGINE = ReplacingMergeTree(epoch) ORDER BY a',
    'CREATE MATERIALIZED VIEW m ENGINE = MergeTree ORDER BY tuple() AS SELECT 1',
    'CREATE DATABASE IF NOT EXISTS scratch',
    'DROP DATABASE scratch',
    'DROP TABLE IF EXISTS t SYNC',
    'ALTER TABLE t MODIFY SETTING parts_to_delay_insert = 100000',
    'ALTER TABLE t UPDATE a = 1 WHERE 1',
    'DELETE FROM t WHERE a = 1',
    'OPTIMIZE TABLE t FINAL',
    'RENAME TABLE a TO b',
    'EXCHANGE TABLES a AND b',
    'TRUNCATE TABLE t',
    'SET max_threads = 1',
    'USE system',
    'EXPLAIN actions = 1 SELECT 1',
    'CREATE VIEW v AS SELECT name FROM system.tables',
  ])('lets our services run %s', (sql) => {
    expect(refusal(sql)).toBeNull()
  })

  test('reads nothing of the data behind an INSERT', () => {
    const sql = "INSERT INTO t FORMAT CSV\nfile('/etc/hostname'),$a$"
    expect(refusal(sql)).toBeNull()
    expect(refusalOf(sql)).not.toBeNull()
  })

  test('tells reading from writing by the first word', () => {
    for (const sql of ['SELECT 1', '-- x\nwith 1 as x select x', '(SELECT 1)', 'SHOW TABLES', 'EXPLAIN SELECT 1'])
      expect(isReading(sql)).toBe(true)
    for (const sql of ['INSERT INTO t SELECT 1', 'CREATE TABLE t (a Int8)', 'SET a = 1', '', 'SYSTEM SHUTDOWN'])
      expect(isReading(sql)).toBe(false)
  })
})

test('remembers the judgement of statements that come again, and only so many of them', () => {
  const judge = new StatementJudge()
  const first = judge.judge('SELECT 0')
  expect(judge.judge('SELECT 0')).toBe(first)
  for (let i = 1; i <= 256; i += 1) judge.judge(`SELECT ${i}`)
  expect(judge.judge('SELECT 0')).not.toBe(first)
})
