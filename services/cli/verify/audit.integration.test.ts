import { beforeEach, describe, expect, it } from 'vitest'
import { openTables, type TestTables } from '../../../tests/support/tables.ts'
import { audit, type AuditReport } from './audit.ts'
import { renderAudit } from './render.ts'

const idOf = (seq: number): string => `00000000-0000-8000-8000-${String(seq).padStart(12, '0')}`
const marketTime = '2026-06-22 14:00:00.000'

describe('an audit of commit rows', () => {
  let tables: TestTables
  beforeEach(async () => {
    tables = await openTables()
    return () => tables[Symbol.asyncDispose]()
  })

  const audited = (): Promise<AuditReport> => audit(tables.store.query, { fromMs: 0, toMs: Date.now() })
  const state = (seq: number, storedAt: string): Promise<void> =>
    tables.insert('detector_states_v1', {
      snapshot_id: idOf(seq),
      underlying: 'A',
      market_time: marketTime,
      epoch: 1,
      stored_at: storedAt,
    })
  const commit = (seq: number, previous: number, storedAt: string, incarnation = 'now'): Promise<void> =>
    tables.insert('snapshots_v1', {
      incarnation,
      partition: 3,
      stream_seq: seq,
      previous_seq: previous,
      outcome: 'stored',
      epoch: 1,
      snapshot_id: idOf(seq),
      underlying: 'A',
      market_time: marketTime,
      stored_at: storedAt,
    })

  it('finds rows where the whole commit log is lost', async () => {
    await state(1, '2026-06-22 14:01:00')
    const report = await audited()
    expect(report).toMatchObject({ ok: false, damaged: [], breaks: [] })
    expect(report.strays).toMatchObject([{ table: 'detector_states_v1', snapshotId: idOf(1), rows: 1 }])
    expect(renderAudit(report)).toContain(`no commit row: detector_states_v1 has 1 rows of A ${idOf(1)}`)
  })

  it('tells rows of a message that was given up apart, and how to take them away', async () => {
    await state(1, '2026-06-22 14:01:00')
    await tables.insert('snapshots_v1', {
      incarnation: 'now',
      partition: 3,
      stream_seq: 1,
      previous_seq: 0,
      message_id: idOf(1),
      outcome: 'dead-lettered',
      epoch: 2,
      stored_at: '2026-06-22 14:02:00',
    })
    const report = await audited()
    expect(report).toMatchObject({ ok: true, strays: [], leftovers: [{ snapshotId: idOf(1) }] })
    const statement = /DELETE FROM .*$/m.exec(renderAudit(report))?.[0] ?? ''
    await tables.store.command(statement)
    expect(await audited()).toMatchObject({ ok: true, strays: [], leftovers: [] })
  })

  it('finds rows before the first commit row and after the newest', async () => {
    await commit(2, 0, '2026-06-22 14:01:00')
    await state(2, '2026-06-22 14:01:00')
    expect(await audited()).toMatchObject({ ok: true, from: '2026-06-22T14:01:00.000Z' })
    await state(1, '2026-06-20 14:01:00')
    await state(3, '2026-06-23 14:01:00')
    const report = await audited()
    expect(report.ok).toBe(false)
    expect(report.strays.map(({ snapshotId }) => snapshotId)).toEqual([idOf(1), idOf(3)])
  })

  it('finds that the first commit rows are lost, and takes the beginning of an incarnation for none', async () => {
    for (const [seq, previous] of [
      [7, 5],
      [9, 7],
    ] as const) {
      await commit(seq, previous, '2026-06-22 14:01:00')
      await commit(seq, previous, '2026-06-22 14:01:00', 'now#1@5')
      await state(seq, '2026-06-22 14:01:00')
    }
    const broken = { incarnation: 'now', partition: 3, streamSeq: 7, previousSeq: 5, beforeSeq: 0 }
    expect(await audited()).toMatchObject({ ok: false, breaks: [broken] })
    // Stored before the range that is asked for.
    await commit(5, 0, '2026-06-21 14:01:00')
    await state(5, '2026-06-21 14:01:00')
    const range = { fromMs: Date.UTC(2026, 5, 22), toMs: Date.now() }
    expect(await audit(tables.store.query, range)).toMatchObject({ ok: true, breaks: [] })
    expect(await audited()).toMatchObject({ ok: true, breaks: [] })
  })
})
