import { describe, expect, it } from 'vitest'
import { checksums } from '../support/checksum.ts'
import { startClickHouse } from '../support/clickhouse.ts'
import { chainMessage, chainMessages, openStage, waitForCommits } from '../support/delivery-stage.ts'
import { waitFor } from '../support/wait-for.ts'
import { openStore } from '../../shared/store/connect.ts'

const messages = chainMessages(8, 20)

describe('a store that lost its last seconds under a living owner', () => {
  it('is noticed though nothing is under way, and gets the rows again, however long ago they were committed', async () => {
    await using stage = await openStage()
    const owner = await stage.start('owner')
    await stage.publish(messages)
    await waitForCommits(stage, messages.length)
    const undisturbed = await checksums(stage.store.query)
    const { port } = new URL(stage.clickhouse.url)
    await stage.clickhouse.kill9()
    {
      // What a power cut does to the files, done where nobody looks; and the store was away for a day.
      await using cut = await startClickHouse({ dataDir: stage.clickhouse.dataDir })
      await using store = openStore({ ...cut.account, database: 'strikeflow' })
      for (const table of ['option_quotes_v1', 'alerts_v1', 'detector_states_v1']) {
        const lost = [12, 13, 14].map((step) => chainMessage({ underlying: 'T3', step }).messageId)
        await store.command(`DELETE FROM ${table} WHERE snapshot_id IN {lost:Array(UUID)}`, { lost })
      }
      const dayOlder = 'ALTER TABLE snapshots_v1 UPDATE stored_at = stored_at - toIntervalDay(1) WHERE 1'
      await store.command(dayOlder, {}, { mutations_sync: '2' })
    }
    await using again = await startClickHouse({ dataDir: stage.clickhouse.dataDir, port: Number(port) })
    await again.control('SYSTEM STOP MERGES')
    await waitFor('the same rows', async () => {
      const sums = await checksums(stage.store.query)
      return JSON.stringify(sums) === JSON.stringify(undisturbed)
    })
    expect(owner.log.map(({ msg }) => msg)).toContain('commit rows without their rows, reading them again')
    expect(owner.process.exitCode).toBeNull()
    await owner.stop()
  })
})
