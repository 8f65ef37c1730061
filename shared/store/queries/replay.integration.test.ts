import { expect, it } from 'vitest'
import { openTables } from '../../../tests/support/tables.ts'
import { createRangeTableSql, isStoredBeforeRange } from './replay.ts'

const snapshotId = '00000000-0000-8000-8000-000000000001'
const databases = { main: 'strikeflow', scratch: 'strikeflow' }
const at = { incarnation: 'now', streamSeq: 20, incarnations: ['now'] }

it('does not call stored before a range what was given up when it was read again', async () => {
  await using tables = await openTables()
  await tables.clickhouse.control('SYSTEM STOP MERGES')
  await tables.store.command(createRangeTableSql)
  const commit = (streamSeq: number, epoch: number, outcome: string): Promise<void> =>
    tables.insert('snapshots_v1', {
      incarnation: 'now',
      partition: 3,
      stream_seq: streamSeq,
      snapshot_id: snapshotId,
      epoch,
      outcome,
    })
  const isStored = (): Promise<boolean> => isStoredBeforeRange(tables.store.query, databases, snapshotId, at)
  await commit(7, 5, 'stored')
  expect(await isStored()).toBe(true)
  await commit(7, 7, 'dead-lettered')
  expect(await isStored()).toBe(false)
  await commit(9, 7, 'stored')
  expect(await isStored()).toBe(true)
})
