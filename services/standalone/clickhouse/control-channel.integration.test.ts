import { expect, test } from 'vitest'
import { httpTo, startClickHouse } from '../../../tests/support/clickhouse.ts'

test('the process that started the server stops merges past the port, which the port refuses', async () => {
  await using server = await startClickHouse()
  const { ok, run } = httpTo(() => server)
  await ok('CREATE TABLE parts (a Int32) ENGINE = MergeTree ORDER BY a')
  await ok('INSERT INTO parts SELECT 1')
  await ok('INSERT INTO parts SELECT 2')
  const merged = "SELECT count() FROM system.parts WHERE table = 'parts' AND active"
  expect((await run('SYSTEM STOP MERGES')).status).toBe(403)
  await server.control('SYSTEM STOP MERGES')
  expect((await run('OPTIMIZE TABLE parts FINAL')).status).not.toBe(200)
  expect(await ok(merged)).toBe('2')
  await server.control('SYSTEM START MERGES')
  await ok('OPTIMIZE TABLE parts FINAL')
  expect(await ok(merged)).toBe('1')
  await expect(server.control('SYSTEM NONSENSE')).rejects.toThrow(/^Code: /)
})
