import { expect, it } from 'vitest'
import { openTables } from '../../../tests/support/tables.ts'
import { commitsAfter, readIncarnations } from './ledger.ts'

it('finds the incarnations of the newest streams in the order in which they came, whatever lies in them', async () => {
  await using tables = await openTables()
  const { store } = tables
  expect(await readIncarnations(store.query)).toEqual([])
  const [first, second, third] = [1, 2, 3].map((day) => `2026-06-0${day}T10:00:00.123456789Z`) as [
    string,
    string,
    string,
  ]
  const back = [2, 9, 10].map((time) => `${second}#${time}@${100 * time}`)
  for (const incarnation of [`${first}#1@40`, ...back.toReversed(), third, second, first]) {
    await store.command(
      `INSERT INTO snapshots_v1 (incarnation, partition, stream_seq) SELECT '${incarnation}', number % 16, number FROM numbers(20000)`,
    )
  }
  expect(await readIncarnations(store.query)).toEqual([second, ...back, third])
  expect(await readIncarnations(store.query, 1)).toEqual([third])
  expect(await readIncarnations(store.query, 3)).toEqual([first, `${first}#1@40`, second, ...back, third])
  const below = `SELECT incarnation FROM snapshots_v1 WHERE incarnation < '${third}' ORDER BY incarnation DESC LIMIT 1`
  const plan = await store.query.rows<{ explain: string }>(`EXPLAIN actions = 1 ${below}`)
  expect(plan.map(({ explain }) => explain).join('\n')).toContain('InReverseOrder')
})

it('reads on in every partition, however much waits in another, and of two commit rows the newer first', async () => {
  await using tables = await openTables()
  const { store } = tables
  const fill = (partition: number, epoch: number, rows: number): Promise<void> =>
    store.command(
      `INSERT INTO snapshots_v1 (incarnation, partition, stream_seq, epoch, outcome)
       SELECT 'now', ${partition}, number + 1, ${epoch}, ${epoch === 1 ? "'stored'" : "'dead-lettered'"} FROM numbers(${rows})`,
    )
  await tables.clickhouse.control('SYSTEM STOP MERGES strikeflow.snapshots_v1')
  await fill(0, 1, 50)
  await fill(9, 1, 1)
  await fill(9, 2, 1)
  const rows = await commitsAfter(store.query, 'now', { 0: 20 }, 16, 10)
  expect(rows.map(({ partition, streamSeq }) => [partition, streamSeq])).toEqual([
    ...Array.from({ length: 10 }, (_, i) => [0, 21 + i]),
    [9, 1],
    [9, 1],
  ])
  expect(rows.slice(-2).map(({ outcome }) => outcome)).toEqual(['dead-lettered', 'stored'])
})
