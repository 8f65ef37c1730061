import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openTables } from '../../../tests/support/tables.ts'
import { auditCommits } from './commit-audit.ts'
import { damagedCommits } from './commits.ts'
import { lostRows } from './lost-rows.ts'

const id = '00000000-0000-8000-8000-000000000001'
const other = '00000000-0000-8000-8000-000000000002'
const at = '2026-06-22 14:00:00.000'
const key = { snapshotId: id, marketTimeMs: Date.UTC(2026, 5, 22, 14) }

describe('commit rows compared with the tables', () => {
  let tables: Awaited<ReturnType<typeof openTables>>
  beforeAll(async () => {
    tables = await openTables()
    await tables.clickhouse.control('SYSTEM STOP MERGES')
    return () => tables[Symbol.asyncDispose]()
  })
  beforeEach(() => tables.empty('alerts_v1', 'snapshots_v1'))

  const alert = (epoch: number, fingerprint: string): Promise<void> =>
    tables.insert('alerts_v1', { snapshot_id: id, underlying: 'A', market_time: at, alert_id: fingerprint, epoch })
  const commit = (epoch: number, alerts: number): Promise<void> =>
    tables.insert('snapshots_v1', {
      incarnation: 'now',
      partition: 3,
      stream_seq: 7,
      previous_seq: 5,
      message_id: id,
      outcome: 'stored',
      snapshot_id: id,
      underlying: 'A',
      market_time: at,
      late: true,
      n_alerts: alerts,
      epoch,
    })
  const damaged = async (): Promise<readonly number[]> =>
    (await damagedCommits(tables.store.query, [3], 900_000)).map(({ streamSeq }) => streamSeq)
  const lost = async (): Promise<readonly string[] | null> =>
    (await lostRows(tables.store.query, key, 0))?.tables ?? null

  it('calls an alert too many, of an owner that died before its commit rows, no damage, merged or not', async () => {
    await alert(5, id)
    await alert(5, other)
    await alert(6, id)
    await commit(6, 1)
    expect(await damaged()).toEqual([])
    expect(await lost()).toBeNull()
    await tables.clickhouse.control('SYSTEM START MERGES')
    await tables.store.command('OPTIMIZE TABLE alerts_v1 FINAL')
    await tables.clickhouse.control('SYSTEM STOP MERGES')
    expect(await damaged()).toEqual([])
    expect(await lost()).toBeNull()
  })

  it('calls rows that a repeated insert left twice under one epoch no damage', async () => {
    await alert(6, id)
    await alert(6, id)
    await commit(6, 1)
    expect(await damaged()).toEqual([])
    expect(await lost()).toBeNull()
  })

  it('tells of rows that are there twice, under one epoch or two, and of those that FINAL does not take away', async () => {
    const audited = async (): Promise<unknown> => {
      const found = await auditCommits(tables.store.query, { fromMs: 0, toMs: Date.now() + 60_000 })
      return found.map(({ table, promised, there, written, shown }) => ({ table, promised, there, written, shown }))
    }
    const found = { table: 'alerts_v1', promised: 1 }
    await alert(6, id)
    await commit(6, 1)
    expect(await audited()).toEqual([])
    await alert(5, id)
    expect(await audited()).toEqual([{ ...found, there: 1, written: 2, shown: 1 }])
    await alert(6, id)
    expect(await audited()).toEqual([{ ...found, there: 1, written: 3, shown: 1 }])
    await alert(5, other)
    expect(await audited()).toEqual([{ ...found, there: 1, written: 4, shown: 2 }])
  })

  it('calls missing rows damage, though an owner before had written as many as promised', async () => {
    await alert(5, id)
    await alert(5, other)
    await alert(6, id)
    await commit(6, 2)
    expect(await damaged()).toEqual([7])
    expect(await lost()).toEqual(['alerts_v1'])
  })

  it('calls a torn snapshot damage, though one epoch has written its half twice and so as many rows as promised', async () => {
    await alert(6, id)
    await alert(6, id)
    await commit(6, 2)
    expect(await damaged()).toEqual([7])
    expect(await lost()).toEqual(['alerts_v1'])
    const [found] = await auditCommits(tables.store.query, { fromMs: 0, toMs: Date.now() + 60_000 })
    expect(found).toMatchObject({ table: 'alerts_v1', promised: 2, there: 1, written: 2 })
  })

  it('calls a commit row without any of its rows damage', async () => {
    await commit(6, 1)
    expect(await damaged()).toEqual([7])
    expect(await lost()).toEqual(['alerts_v1'])
  })
})
