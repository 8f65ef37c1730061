import { expect, it } from 'vitest'
import { openTables } from '../../../tests/support/tables.ts'
import { readStates } from './commits.ts'
import { publisherNumbers } from './gaps.ts'
import { committedNumbers } from './ledger.ts'
import type { Query } from './query.ts'
import { readStoreMark } from './store-mark.ts'

const yearsAgo = 300_000
const limit = 50_000

it('reads little of a long commit log where only its end or one collector is asked for', async () => {
  await using tables = await openTables()
  const { store } = tables
  const fill = (rows: number, { incarnation, publisher, storedAt }: Record<string, string>): Promise<void> =>
    store.command(
      `INSERT INTO snapshots_v1 (incarnation, partition, stream_seq, outcome, n_alerts, publisher, publisher_seq, stored_at)
       SELECT '${incarnation}', number % 16, number, 'stored', 1, '${publisher}', number + 1, ${storedAt} FROM numbers(${rows})`,
    )
  await fill(yearsAgo, {
    incarnation: 'a',
    publisher: 'collector/old',
    storedAt: "toDateTime64('2020-01-01 00:00:00', 3) + number",
  })
  await fill(100, { incarnation: 'b', publisher: 'collector/new', storedAt: 'now64(3)' })
  const frugal: Query = {
    rows: (sql, params) => store.query.rows(`${sql} SETTINGS max_rows_to_read = ${limit}`, params),
  }
  await expect(frugal.rows('SELECT sum(n_alerts) FROM snapshots_v1')).rejects.toThrow('TOO_MANY_ROWS')
  expect(await committedNumbers(frugal, 'collector/new', 1_000)).toBe(100)
  await store.command(
    `INSERT INTO collectors_v1 (instance, boot, last_acked, duplicates, reported_at) SELECT 'collector', 'new', 120, 5, now64(3)`,
  )
  expect(await publisherNumbers(frugal)).toEqual([
    { publisher: 'collector/new', acked: 120, duplicates: 5, committed: 100 },
  ])
  const mark = await readStoreMark(frugal)
  expect(mark).toMatchObject({ alerts: expect.stringMatching(/^\(100,/) as string, commits: yearsAgo + 100 })
  const places = Array.from({ length: 16 }, (_, partition) => ({ partition, incarnation: 'b', cursor: 100 }))
  expect(await readStates(frugal, places)).toEqual([])
})
