import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deadLetters } from '../../shared/bus/dead-letters.ts'
import { decodeJson, messageAt } from '../../shared/bus/messages.ts'
import { streamInfo } from '../../shared/bus/streams.ts'
import {
  chainMessage,
  chainMessages,
  type DeliveryStage,
  openStage,
  waitForCommits,
} from '../support/delivery-stage.ts'
import { waitFor } from '../support/wait-for.ts'

/** A column that overflows from a strike on: ClickHouse refuses the whole insert (407), whatever else is in it. */
const guard = (verb: 'ADD' | 'MODIFY', strike: number): string =>
  `ALTER TABLE option_quotes_v1 ${verb} COLUMN guard Decimal32(4) MATERIALIZED toDecimal32(toFloat64(strike) / ${strike} * 250000, 4)`

describe('a message that the tables refuse', () => {
  let stage: DeliveryStage
  beforeAll(async () => {
    stage = await openStage()
  })
  afterAll(async () => {
    await stage[Symbol.asyncDispose]()
  })

  const outcomes = (): Promise<readonly { outcome: string; reason: string; n: number }[]> =>
    stage.store.query.rows(
      'SELECT toString(outcome) AS outcome, reason, count() AS n FROM snapshots_v1 FINAL GROUP BY outcome, reason ORDER BY outcome',
    )
  const rowsMissing = async (): Promise<number> => {
    const [row] = await stage.store.query.rows<{ n: number }>(
      `SELECT count() AS n FROM (SELECT snapshot_id, any(n_quotes) AS promised FROM snapshots_v1 FINAL WHERE outcome = 'stored' GROUP BY snapshot_id) AS c
       LEFT JOIN (SELECT snapshot_id, count() AS there FROM option_quotes_v1 FINAL GROUP BY snapshot_id) AS q USING (snapshot_id)
       WHERE promised != there`,
    )
    return row?.n ?? -1
  }

  it('is found among hundreds and dead-lettered; all others are stored once, and nothing restarts', async () => {
    await stage.store.command(guard('ADD', 666))
    const processor = await stage.start('one')
    const hostile = [7, 23].map((step) => chainMessage({ underlying: 'T3', step: step + 0.5, strikes: [666] }))
    await stage.publish([
      ...chainMessages(8, 20),
      hostile[0] as (typeof hostile)[0],
      ...chainMessages(8, 20, 20),
      hostile[1] as (typeof hostile)[0],
      ...chainMessages(8, 5, 40),
    ])
    await waitForCommits(stage, 362)
    expect(await outcomes()).toEqual([
      { outcome: 'dead-lettered', reason: 'unstorable', n: 2 },
      { outcome: 'stored', reason: '', n: 360 },
    ])
    const letters = await Array.fromAsync(deadLetters(stage.bus))
    expect(new Set(letters.map(({ messageId }) => messageId))).toEqual(
      new Set(hostile.map(({ messageId }) => messageId)),
    )
    expect(letters).toHaveLength(2)
    for (const { reason, error } of letters) expect(`${reason}: ${error}`).toMatch(/^unstorable: .*407/)
    expect(await rowsMissing()).toBe(0)
    expect(processor.process.exitCode).toBeNull()
    // It may have alerted before the insert was refused.
    const { lastSeq } = await streamInfo(stage.bus, 'ALERTS')
    const alerts = await Promise.all(Array.from({ length: lastSeq }, (_, i) => messageAt(stage.bus, 'ALERTS', i + 1)))
    const retracted = alerts.flatMap((alert) =>
      alert?.subject === 'alerts.info.retraction.T3'
        ? [(decodeJson(alert.payload) as { data: { snapshotId: string } }).data.snapshotId]
        : [],
    )
    expect(new Set(retracted)).toEqual(new Set(hostile.map(({ messageId }) => messageId)))
    await waitFor('a processor without a problem', async () => (await processor.problems()).length === 0)
    await processor.stop()
  })

  it('is no message at all when the tables refuse everything: few are dead-lettered, and all is stored after the mending', async () => {
    await stage.store.command(guard('MODIFY', 50))
    const before = await stage.committed()
    const processor = await stage.start('two', {}, false)
    await stage.publish(chainMessages(2, 20, 50))
    await waitFor('a stopped partition', async () => {
      if (processor.healthUrl === '') return false
      return (await processor.problems()).some((problem) => problem.includes('stopped'))
    })
    await stage.store.command(guard('MODIFY', 10_000))
    await waitForCommits(stage, before + 40)
    const found = await outcomes()
    const deadLettered = found.find(({ outcome }) => outcome === 'dead-lettered')?.n ?? 0
    // Two from before, and no more than eight before it stopped.
    expect(deadLettered).toBeLessThanOrEqual(2 + 8)
    expect(found.find(({ outcome }) => outcome === 'stored')?.n).toBe(360 + 40 - (deadLettered - 2))
    expect(await rowsMissing()).toBe(0)
    expect(await processor.stop()).toBe(0)
  })
})
